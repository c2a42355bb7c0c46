namespace Gantry.Hcl.Diagnostics;

/// <summary>Finds the name that a mistyped name was probably meant to be.</summary>
public static class Suggestion
{
    // Longer names are never typing mistakes worth the quadratic comparison.
    private const int MaxLength = 80;

    /// <summary>The candidate nearest to <paramref name="given"/>, or null if none is near enough.</summary>
    public static string? For(string given, IEnumerable<string> candidates)
    {
        if (given.Length is 0 or > MaxLength)
            return null;
        string? best = null;
        // One mistake is allowed in short names, one in each three characters of longer ones.
        var bestDistance = Math.Max(1, given.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            if (candidate.Length > MaxLength || Math.Abs(candidate.Length - given.Length) >= bestDistance)
                continue;
            var distance = Distance(given, candidate);
            if (distance < bestDistance && distance < given.Length)
                (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>A sentence <c> Did you mean "x"?</c> with a leading space, or the empty string.</summary>
    public static string Sentence(string given, IEnumerable<string> candidates) =>
        For(given, candidates) is { } name ? $" Did you mean \"{name}\"?" : "";

    // Levenshtein's distance where swapping two neighbours counts as one mistake.
    private static int Distance(string a, string b)
    {
        var before = new int[b.Length + 1];
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                var best = Math.Min(Math.Min(previous[j] + 1, current[j - 1] + 1), previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    best = Math.Min(best, before[j - 2] + 1);
                current[j] = best;
            }
            (before, previous, current) = (previous, current, before);
        }
        return previous[b.Length];
    }
}
