using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gantry.App.Output;

/// <summary>Writes a JSON document as YAML 1.2 in blocks, such that YAML 1.1 readers see the same values.</summary>
internal static partial class YamlWriter
{
    // Words that one version of YAML or the other reads as something else than text.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n",
    };

    public static void Write(TextWriter writer, JsonElement root)
    {
        if (IsBlock(root))
            WriteBlock(writer, root, indent: 0, firstLineOpen: false);
        else
            writer.Write(Scalar(root) + "\n");
    }

    private static bool IsBlock(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Any(),
        JsonValueKind.Array => element.GetArrayLength() > 0,
        _ => false,
    };

    /// <param name="firstLineOpen">The first line's indentation has been written, behind a list's hyphen.</param>
    private static void WriteBlock(TextWriter writer, JsonElement element, int indent, bool firstLineOpen)
    {
        void Begin()
        {
            if (!firstLineOpen)
                writer.Write(new string(' ', indent));
            firstLineOpen = false;
        }

        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                Begin();
                writer.Write(Text(property.Name) + ":");
                if (IsBlock(property.Value))
                {
                    writer.Write("\n");
                    WriteBlock(writer, property.Value, indent + 2, firstLineOpen: false);
                }
                else
                    writer.Write(" " + Scalar(property.Value) + "\n");
            }

            return;
        }

        foreach (var item in element.EnumerateArray())
        {
            Begin();
            writer.Write("- ");
            if (IsBlock(item))
                WriteBlock(writer, item, indent + 2, firstLineOpen: true);
            else
                writer.Write(Scalar(item) + "\n");
        }
    }

    private static string Scalar(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "{}",
        JsonValueKind.Array => "[]",
        JsonValueKind.String => Text(element.GetString()!),
        _ => element.GetRawText(),
    };

    private static string Text(string text)
    {
        if (Plain().IsMatch(text) && !Reserved.Contains(text))
            return text;
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            quoted.Append(rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                '\r' => "\\r",
                < 0x20 or (>= 0x7F and <= 0xA0) or 0x2028 or 0x2029 or 0xFEFF or 0xFFFE or 0xFFFF =>
                    string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
                _ => rune.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Text that needs no quotes: it begins with a letter, so it is no number and no date.</summary>
    [GeneratedRegex(@"\A[A-Za-z_/]([A-Za-z0-9_./@+ -]*[A-Za-z0-9_./@+-])?\z")]
    private static partial Regex Plain();
}
