using System.Text;

namespace Gantry.Storage.Media;

/// <summary>Arguments to add to a kernel's command line, split at the <c>---</c> of Debian's installer.</summary>
internal sealed class KernelArguments
{
    /// <summary>Linux' COMMAND_LINE_SIZE on x86 and arm64.</summary>
    private const int MaxLength = 2048;

    private KernelArguments(IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        Before = before;
        After = after;
    }

    /// <summary>Words for the installer itself. Quotes are kept: the kernel takes them off.</summary>
    public IReadOnlyList<string> Before { get; }

    /// <summary>Words for the installed system.</summary>
    public IReadOnlyList<string> After { get; }

    public bool IsEmpty => Before.Count + After.Count == 0;

    public static KernelArguments Parse(string text)
    {
        if (text.Length > MaxLength || text.Any(c => c < ' '))
            throw new MediaException(
                $"the kernel arguments must be one line of at most {MaxLength} characters, found {text.Length} "
                + "characters");
        List<string> words = Words(text);
        int split = words.FindIndex(IsSeparator);
        return split < 0 ? new(words, []) : new(words[..split], words[(split + 1)..]);
    }

    public static bool IsSeparator(string word) => word is "---" or "--";

    /// <summary>
    /// Where to put the words in a list of existing ones: Before goes to index At, After to the end. If there is no
    /// separator yet and After is not empty, one is needed.
    /// </summary>
    public (IReadOnlyList<string> AtSeparator, IReadOnlyList<string> AtEnd) Place(bool hasSeparator) =>
        hasSeparator ? (Before, After) : ([], After.Count == 0 ? Before : [.. Before, "---", .. After]);

    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        bool quoted = false;
        foreach (char c in text + " ")
        {
            if (c == '"') quoted = !quoted;
            if (c != ' ' || quoted)
            {
                word.Append(c);
                continue;
            }
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }
        if (quoted) throw new MediaException($"the kernel arguments have a quote that does not end: {text}");
        return words;
    }
}
