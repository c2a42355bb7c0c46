using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Gantry.Engines.Screen;

/// <summary>The shape of a glyph of 8 pixels by up to 24: one byte a row, the leftmost pixel in the highest bit.</summary>
internal readonly record struct GlyphShape(ulong Top, ulong Middle, ulong Bottom)
{
    public bool IsBlank => (Top | Middle | Bottom) == 0;

    public static GlyphShape Of(ReadOnlySpan<byte> rows)
    {
        Span<byte> all = stackalloc byte[24];
        all.Clear();
        rows.CopyTo(all);
        return new(
            BinaryPrimitives.ReadUInt64LittleEndian(all),
            BinaryPrimitives.ReadUInt64LittleEndian(all[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(all[16..]));
    }
}

/// <summary>One glyph: its character and its rows.</summary>
internal sealed record Glyph(char Character, ImmutableArray<byte> Rows);

/// <summary>A fixed font with cells of 8 pixels' width (9 in VGA's text modes, where the ninth repeats or is blank).</summary>
internal sealed class GlyphFont
{
    private readonly FrozenDictionary<GlyphShape, char> _characters;

    public GlyphFont(string name, int height, IReadOnlyList<Glyph> glyphs)
    {
        Name = name;
        Height = height;
        Glyphs = [.. glyphs];
        var characters = new Dictionary<GlyphShape, char>();
        // Where two characters look alike, the plainer one is meant: ASCII, then letters, then the rest.
        foreach (var glyph in glyphs.OrderBy(g => g.Character < 0x7f ? 0 : g.Character < 0x250 ? 1 : 2))
            characters.TryAdd(GlyphShape.Of(glyph.Rows.AsSpan()), glyph.Character);
        characters[default] = ' ';
        _characters = characters.ToFrozenDictionary();
    }

    public string Name { get; }

    public int Height { get; }

    public ImmutableArray<Glyph> Glyphs { get; }

    /// <summary>The widths that cells have on screen.</summary>
    public ImmutableArray<int> Advances => Name.StartsWith("vga", StringComparison.Ordinal) ? [8, 9] : [8];

    public bool TryFind(GlyphShape shape, out char character) => _characters.TryGetValue(shape, out character);
}
