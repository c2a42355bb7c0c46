namespace Gantry.Engines.Screen;

/// <summary>A glyph that was recognised beyond doubt somewhere in a picture.</summary>
/// <param name="Font">Its number in <see cref="GlyphFonts.All"/>.</param>
/// <param name="Mask">The number of the mask that it is ink in.</param>
internal readonly record struct GlyphHit(int Font, int X, int Y, int Mask);
