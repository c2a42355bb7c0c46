using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// A configuration file held byte for byte: every byte is one character, so that offsets are byte offsets and what is
/// not edited stays as it is, whatever its encoding. Inserted text is UTF-8.
/// </summary>
internal sealed class TextEdit(string path, byte[] bytes)
{
    private readonly List<(int Start, int Length, string Text)> _edits = [];

    public string Path { get; } = path;

    public string Text { get; } = Encoding.Latin1.GetString(bytes);

    /// <summary>How the file ends its lines.</summary>
    public string NewLine => Text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";

    public bool Changed => _edits.Count > 0;

    /// <summary>UTF-8 text of a value that was read as single bytes.</summary>
    public static string Decode(string text) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(text));

    public void Insert(int at, string text) => Replace(at, 0, text);

    public void Replace(int start, int length, string text) =>
        _edits.Add((start, length, Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text))));

    public byte[] ToBytes()
    {
        var result = new StringBuilder(Text.Length + 256);
        int at = 0;
        // A stable order: insertions come before a replacement at the same place, in the order in which they were made.
        foreach ((int start, int length, string text) in _edits.OrderBy(edit => edit.Start)
            .ThenBy(edit => edit.Length > 0))
        {
            if (start < at) throw new InvalidOperationException($"edits of '{Path}' overlap at {start}");
            result.Append(Text, at, start - at).Append(text);
            at = start + length;
        }
        result.Append(Text, at, Text.Length - at);
        return Encoding.Latin1.GetBytes(result.ToString());
    }
}
