using System.Text;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Values;

/// <summary>Writes values as HCL expressions, for messages and consoles.</summary>
internal static class ValueText
{
    private const int MaxLength = 1 << 20;

    public static string Write(HclValue value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    /// <summary>A text as a quoted template that means just that text.</summary>
    public static string Quote(string content)
    {
        var text = new StringBuilder(content.Length + 2).Append('"');
        for (var i = 0; i < content.Length; i++)
        {
            var c = content[i];
            _ = c switch
            {
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '$' or '%' when i + 1 < content.Length && content[i + 1] == '{' => text.Append(c).Append(c),
                _ when char.IsControl(c) => text.Append($"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        return text.Append('"').ToString();
    }

    private static void Append(StringBuilder text, HclValue value)
    {
        if (text.Length > MaxLength)
            return;
        if (value.Marks.Contains(HclValue.Sensitive))
            text.Append("(sensitive)");
        else if (!value.IsKnown)
            text.Append("(unknown)");
        else if (value.IsNull)
            text.Append("null");
        else
            AppendKnown(text, value);
    }

    private static void AppendKnown(StringBuilder text, HclValue value)
    {
        switch (value.Type.Kind)
        {
            case HclTypeKind.String:
                text.Append(Quote(value.AsString()));
                break;
            case HclTypeKind.Number:
                text.Append(value.AsNumber());
                break;
            case HclTypeKind.Bool:
                text.Append(value.AsBool() ? "true" : "false");
                break;
            case HclTypeKind.Map or HclTypeKind.Object:
                AppendEntries(text, value);
                break;
            default:
                AppendItems(text, value);
                break;
        }
    }

    private static void AppendItems(StringBuilder text, HclValue value)
    {
        text.Append('[');
        var separator = "";
        foreach (var item in value.AsItems())
        {
            text.Append(separator);
            Append(text, item);
            separator = ", ";
        }
        text.Append(']');
    }

    private static void AppendEntries(StringBuilder text, HclValue value)
    {
        text.Append('{');
        var separator = "";
        foreach (var (name, item) in value.AsEntries())
        {
            text.Append(separator).Append(Identifiers.IsValid(name) ? name : Quote(name)).Append(" = ");
            Append(text, item);
            separator = ", ";
        }
        text.Append('}');
    }
}
