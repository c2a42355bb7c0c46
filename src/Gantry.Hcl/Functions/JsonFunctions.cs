using System.Text;
using System.Text.Json;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>JSON texts.</summary>
internal static class JsonFunctions
{
    public static IEnumerable<HclFunction> All =>
    [
        Function("jsondecode", Any, call => JsonValues.Parse(call.Text(0)), Of("str", Text)),
        new HclFunction(
            "jsonencode", [new FunctionParameter("val", Any) { AllowsNull = true }], Text, call => Encode(call[0]).ToValue()),
    ];

    /// <summary>A value as JSON, as Go writes it: no blanks, names sorted, characters that HTML minds escaped.</summary>
    public static string Encode(HclValue value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    private static void Append(StringBuilder text, HclValue value)
    {
        CheckLength(text.Length);
        if (!value.IsKnown)
            throw new HclException("the value is not known yet");
        if (value.IsNull)
        {
            text.Append("null");
            return;
        }
        switch (value.Type.Kind)
        {
            case HclTypeKind.String:
                AppendText(text, value.AsString());
                break;
            case HclTypeKind.Number:
                text.Append(value.AsNumber());
                break;
            case HclTypeKind.Bool:
                text.Append(value.AsBool() ? "true" : "false");
                break;
            case HclTypeKind.Map or HclTypeKind.Object:
                var separator = '{';
                foreach (var (name, item) in value.AsEntries())
                {
                    text.Append(separator);
                    AppendText(text, name);
                    text.Append(':');
                    Append(text, item);
                    separator = ',';
                }
                text.Append(separator == '{' ? "{}" : "}");
                break;
            default:
                text.Append('[');
                foreach (var (i, item) in value.AsItems().Index())
                {
                    if (i > 0)
                        text.Append(',');
                    Append(text, item);
                }
                text.Append(']');
                break;
        }
    }

    private static void AppendText(StringBuilder text, string content)
    {
        text.Append('"');
        foreach (var c in content)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '<' or '>' or '&' or '\u2028' or '\u2029' or < ' ' => text.Append($"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }
}
