using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Gantry.Engines.Screen;

/// <summary>The fonts that boot loaders, firmware and consoles draw with; see <c>Fonts/README.md</c>.</summary>
internal static class GlyphFonts
{
    /// <summary>The commonest first: it wins where two fonts explain a line equally well.</summary>
    private static readonly string[] Names =
        ["vga8x16", "linux8x16", "edk2-8x19", "unifont8x16", "fixed8x16", "terminus8x16", "vga8x14", "vga8x8"];

    private static readonly Lazy<ImmutableArray<GlyphFont>> Loaded = new(() =>
        [.. Names.Select(Load)]);

    public static ImmutableArray<GlyphFont> All => Loaded.Value;

    private static GlyphFont Load(string name)
    {
        using var stream = typeof(GlyphFonts).Assembly.GetManifestResourceStream($"{name}.glyphs")
            ?? throw new InvalidOperationException($"the font {name} is missing from this program");
        var file = new byte[stream.Length];
        stream.ReadExactly(file);
        if (!file.AsSpan().StartsWith("GLYPHS1\n"u8))
            throw new InvalidOperationException($"the font {name} has another format");
        var height = file[8];
        var count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(9));
        var glyphs = new Glyph[count];
        for (var i = 0; i < count; i++)
        {
            var at = 11 + (i * (2 + height));
            glyphs[i] = new Glyph(
                (char)BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at)),
                ImmutableArray.Create(file, at + 2, height));
        }
        return new GlyphFont(name, height, glyphs);
    }
}
