namespace Gantry.Model;

/// <summary>Offers names that are a slip of the finger away.</summary>
public static class NearNames
{
    /// <summary><c>did you mean 'web-1'?</c>, or null when nothing is near.</summary>
    public static string? Suggest(string given, IEnumerable<string> names)
    {
        var limit = Math.Max(1, given.Length / 3);
        var best = names
            .Select(name => (Name: name, Distance: Distance(given, name)))
            .Where(pair => pair.Distance <= limit)
            .OrderBy(pair => pair.Distance)
            .ThenBy(pair => pair.Name, StringComparer.Ordinal)
            .Select(pair => pair.Name)
            .FirstOrDefault();
        return best is null ? null : $"did you mean '{best}'?";
    }

    /// <summary>Levenshtein's distance, over at most 64 characters of each.</summary>
    internal static int Distance(string left, string right)
    {
        left = left[..Math.Min(left.Length, 64)];
        right = right[..Math.Min(right.Length, 64)];
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                var swap = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                row[j] = Math.Min(swap, Math.Min(row[j - 1], above) + 1);
                diagonal = above;
            }
        }

        return row[^1];
    }
}
