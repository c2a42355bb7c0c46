using System.Numerics;

namespace Gantry.Engines.Screen;

/// <summary>
/// Finds letters in a mask at any place, without knowing a grid. For each letter four neighbouring rows are its
/// signature (32 bits); each place's four rows are looked up in one table for all letters of all fonts, and only
/// what is found there is compared whole.
/// </summary>
internal sealed class GlyphScanner
{
    private const int SignatureRows = 4;
    private const int FilterBits = 16;
    private const int MaxHits = 40_000;
    private const ulong Lanes = 0x00ff_00ff_00ff_00ff;
    private const ulong Mixer = 0x9E37_79B9_7F4A_7C15;

    private readonly ulong[] _filter = new ulong[(1 << FilterBits) / 64];
    private readonly Dictionary<ulong, Signature[]> _table;

    public GlyphScanner(IReadOnlyList<GlyphFont> fonts)
    {
        var table = new Dictionary<ulong, List<Signature>>();
        for (var font = 0; font < fonts.Count; font++)
        {
            foreach (var glyph in fonts[font].Glyphs)
            {
                if (!IsDistinct(glyph))
                    continue;
                var rows = glyph.Rows.AsSpan();
                var first = BestRows(rows);
                var key = Key(rows[first..]);
                var mixed = (key * Mixer) >> (64 - FilterBits);
                _filter[mixed >> 6] |= 1UL << (int)(mixed & 63);
                if (!table.TryGetValue(key, out var list))
                    table[key] = list = [];
                list.Add(new Signature(font, first, fonts[font].Height, GlyphShape.Of(rows)));
            }
        }
        _table = table.ToDictionary(p => p.Key, p => p.Value.ToArray());
    }

    private sealed record Signature(int Font, int FirstRow, int Height, GlyphShape Shape);

    /// <summary>Adds every letter in the mask to the list.</summary>
    public void Scan(BitMask mask, int maskNumber, List<GlyphHit> hits)
    {
        var bits = mask.Bits;
        for (var y = 0; y + SignatureRows <= mask.Height && hits.Count < MaxHits; y++)
        {
            var row0 = y * mask.Stride;
            var row1 = row0 + mask.Stride;
            var row2 = row1 + mask.Stride;
            var row3 = row2 + mask.Stride;
            var last = (mask.Width + 7) / 8;
            ulong lanes = Four(bits[row0], bits[row1], bits[row2], bits[row3]);
            for (var i = 0; i < last; i++)
            {
                var next = Four(bits[row0 + i + 1], bits[row1 + i + 1], bits[row2 + i + 1], bits[row3 + i + 1]);
                var wide = (lanes << 8) | next;
                lanes = next;
                if (wide is 0 or ~0UL)
                    continue;
                for (var shift = 0; shift < 8; shift++)
                {
                    var key = (wide >> (8 - shift)) & Lanes;
                    var mixed = (key * Mixer) >> (64 - FilterBits);
                    if ((_filter[mixed >> 6] >> (int)(mixed & 63) & 1) != 0 && _table.TryGetValue(key, out var found))
                        Compare(mask, maskNumber, found, (i * 8) + shift, y, hits);
                }
            }
        }
    }

    private static void Compare(
        BitMask mask, int maskNumber, Signature[] candidates, int x, int y, List<GlyphHit> hits)
    {
        foreach (var candidate in candidates)
        {
            var top = y - candidate.FirstRow;
            if (top >= 0 && top + candidate.Height <= mask.Height && x + 8 <= mask.Width
                && mask.Shape(x, top, candidate.Height) == candidate.Shape)
            {
                hits.Add(new GlyphHit(candidate.Font, x, top, maskNumber));
            }
        }
    }

    /// <summary>Letters, digits and signs with enough ink that they cannot come about by chance.</summary>
    private static bool IsDistinct(Glyph glyph)
    {
        var ink = 0;
        var rows = 0;
        var columns = 0;
        foreach (var row in glyph.Rows)
        {
            ink += BitOperations.PopCount(row);
            rows += row != 0 ? 1 : 0;
            columns |= row;
        }
        return glyph.Character < 0x180 && ink is >= 10 and < 64 && rows >= 5
            && BitOperations.PopCount((uint)columns) >= 3 && !"|¦/\\=".Contains(glyph.Character, StringComparison.Ordinal);
    }

    /// <summary>The rows that differ most from each other and from blank.</summary>
    private static int BestRows(ReadOnlySpan<byte> rows)
    {
        var best = 0;
        var bestScore = -1;
        for (var first = 0; first + SignatureRows <= rows.Length; first++)
        {
            var score = 0;
            for (var i = 0; i < SignatureRows; i++)
            {
                var row = rows[first + i];
                score += row == 0 ? 0 : 4 + Math.Min(4, BitOperations.PopCount((uint)(row ^ (row >> 1))));
                score += i > 0 && row != rows[first + i - 1] ? 3 : 0;
            }
            if (score > bestScore)
                (best, bestScore) = (first, score);
        }
        return best;
    }

    private static ulong Key(ReadOnlySpan<byte> rows) => Four(rows[0], rows[1], rows[2], rows[3]);

    private static ulong Four(byte a, byte b, byte c, byte d) =>
        ((ulong)a << 48) | ((ulong)b << 32) | ((ulong)c << 16) | d;
}
