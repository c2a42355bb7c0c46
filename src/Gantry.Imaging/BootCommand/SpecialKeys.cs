using System.Collections.Frozen;

namespace Gantry.Imaging.BootCommand;

/// <summary>The names that Packer has for keys between angle brackets.</summary>
internal static class SpecialKeys
{
    private static readonly FrozenDictionary<string, string> Table = new Dictionary<string, string>
    {
        ["bs"] = "backspace",
        ["del"] = "delete",
        ["enter"] = "ret",
        ["return"] = "ret",
        ["esc"] = "esc",
        ["tab"] = "tab",
        ["spacebar"] = "spc",
        ["up"] = "up",
        ["down"] = "down",
        ["left"] = "left",
        ["right"] = "right",
        ["insert"] = "insert",
        ["home"] = "home",
        ["end"] = "end",
        ["pageUp"] = "pgup",
        ["pageDown"] = "pgdn",
        // Packer's VNC driver sends the keysym Menu, which is the key that QEMU calls "compose" (scancode e0 5d).
        ["menu"] = "compose",
        ["leftAlt"] = "alt",
        ["rightAlt"] = "alt_r",
        ["leftCtrl"] = "ctrl",
        ["rightCtrl"] = "ctrl_r",
        ["leftShift"] = "shift",
        ["rightShift"] = "shift_r",
        ["leftSuper"] = "meta_l",
        ["rightSuper"] = "meta_r",
        ["leftMeta"] = "meta_l",
        ["rightMeta"] = "meta_r",
        ["leftCommand"] = "meta_l",
        ["rightCommand"] = "meta_r",
        ["leftOption"] = "alt",
        ["rightOption"] = "alt_r",
    }
    .Concat(Enumerable.Range(1, 12).Select(n => KeyValuePair.Create($"f{n}", $"f{n}")))
    .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names, in Packer's spelling.</summary>
    public static IEnumerable<string> Names => Table.Keys;

    /// <summary>The key for a name, whatever its case.</summary>
    public static bool TryGet(string name, out string key) => Table.TryGetValue(name, out key!);

    /// <summary>The name that differs least from what was written, if any is near.</summary>
    public static string? Nearest(string written)
    {
        var word = written.ToLowerInvariant();
        var (name, distance) = Names.Append("wait").Append("waitFor")
            .Select(n => (Name: n, Distance: Distance(word, n.ToLowerInvariant())))
            .MinBy(p => (p.Distance, p.Name), Comparer<(int, string)>.Create(
                (a, b) => a.Item1 != b.Item1 ? a.Item1 - b.Item1 : string.CompareOrdinal(a.Item2, b.Item2)));
        return distance <= Math.Max(1, name.Length / 3) ? name : null;
    }

    /// <summary>How many letters to change, add or leave out (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
