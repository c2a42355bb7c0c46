namespace Gantry.App.CommandLine;

/// <summary>Finds what a person may have meant.</summary>
internal static class Suggestion
{
    /// <summary><c>Did you mean x?</c> for the nearest of the candidates, or an empty text when none is near.</summary>
    public static string For(string typed, IEnumerable<string> candidates)
    {
        // A third of the letters may be wrong; and at least one, or two in words that are not very short.
        var allowed = Math.Max(typed.Length > 4 ? 2 : 1, typed.Length / 3);
        var best = candidates
            .Select(candidate => (Name: candidate, Distance: Distance(typed, candidate)))
            .Where(found => found.Distance <= allowed
                || (typed.TrimStart('-').Length > 2 && found.Name.StartsWith(typed, StringComparison.Ordinal)))
            .OrderBy(found => found.Distance)
            .ThenBy(found => found.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.Name is null ? "" : $"Did you mean {best.Name}?";
    }

    /// <summary>Insertions, deletions, replacements and exchanges of neighbours that turn one word into the other
    /// (optimal string alignment).</summary>
    internal static int Distance(string a, string b)
    {
        // Nothing that long is a slip of the finger.
        if (a.Length > 64 || b.Length > 64)
            return int.MaxValue;
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            table[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            table[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(replaced, 1 + Math.Min(table[i - 1, j], table[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], 1 + table[i - 2, j - 2]);
            }
        }

        return table[a.Length, b.Length];
    }
}
