namespace Gantry.Engines.Screen;

/// <summary>Finds a text on a screen whatever the white space, see <see cref="ScreenText.Contains"/>.</summary>
internal static class LooseMatch
{
    public static bool Contains(IReadOnlyList<string> rows, string wanted)
    {
        var words = wanted.AsSpan().Trim();
        if (words.IsEmpty)
            return true;
        var keepLines = wanted.Any(IsLine);
        // A row that goes up to here or further may have been cut in the middle of a word.
        var full = rows.Count == 0 ? 0 : rows.Max(r => r.Length);
        var screen = new List<char>();
        var cuts = new HashSet<int>();
        foreach (var row in rows)
        {
            foreach (var c in row)
                screen.Add(!keepLines && IsLine(c) ? ' ' : c);
            if (row.Length == full && row.Length > 0)
                cuts.Add(screen.Count);
            screen.Add('\n');
        }
        for (var start = 0; start < screen.Count; start++)
        {
            if (screen[start] == words[0] && MatchesAt(screen, cuts, start, words))
                return true;
        }
        return false;
    }

    private static bool MatchesAt(List<char> screen, HashSet<int> cuts, int at, ReadOnlySpan<char> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (char.IsWhiteSpace(words[i]))
            {
                if (i > 0 && char.IsWhiteSpace(words[i - 1]))
                    continue;
                var before = at;
                while (at < screen.Count && char.IsWhiteSpace(screen[at]))
                    at++;
                if (at == before)
                    return false;
                continue;
            }
            if (at < screen.Count && screen[at] == '\n' && cuts.Contains(at))
                at++;
            if (at >= screen.Count || screen[at] != words[i])
                return false;
            at++;
        }
        return true;
    }

    /// <summary>Box drawing and blocks: the frames of dialogs and menus.</summary>
    private static bool IsLine(char c) => c is >= '\u2500' and <= '\u259f';
}
