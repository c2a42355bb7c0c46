using System.Text;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary><c>csvdecode</c>: RFC 4180, the first row names the columns.</summary>
internal static class CsvFunctions
{
    public static IEnumerable<HclFunction> All => [Function("csvdecode", Any, Decode, Of("str", Text))];

    private static HclValue Decode(FunctionCall call)
    {
        var rows = Rows(call.Text(0)).GetEnumerator();
        if (!rows.MoveNext())
            throw new HclException(0, "the first row, which names the columns, is missing");
        var (_, names) = rows.Current;
        var repeated = names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1);
        if (repeated is not null)
            throw new HclException(0, $"two columns have the name \"{repeated.Key}\"");
        var result = new List<HclValue>();
        while (rows.MoveNext())
        {
            var (line, fields) = rows.Current;
            if (fields.Count != names.Count)
                throw new HclException(
                    0,
                    $"error on line {line}: wrong number of fields: {fields.Count} where the header has "
                        + $"{names.Count}");
            if (result.Count >= call.Scope.Limits.MaxElements)
                throw new HclException(0, $"more than {call.Scope.Limits.MaxElements} rows");
            result.Add(HclValue.Object(names.Zip(fields, (name, field) => KeyValuePair.Create(name, field.ToValue()))));
        }
        return HclValue.List(HclType.Object(names.Select(name => KeyValuePair.Create(name, Text))), result);
    }

    // Rows with the number of the line on which each starts; empty lines are left out.
    private static IEnumerable<(int Line, List<string> Fields)> Rows(string text)
    {
        var line = 1;
        for (var at = 0; at < text.Length;)
        {
            var start = line;
            if (text[at] == '\n' || (text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n'))
            {
                at += text[at] == '\n' ? 1 : 2;
                line++;
                continue;
            }
            var fields = new List<string>();
            do
                fields.Add(Field(text, ref at, ref line));
            while (at < text.Length && text[at++] == ',');
            line++;
            yield return (start, fields);
        }
    }

    // One field; leaves the comma or line end behind it, a CR taken.
    private static string Field(string text, ref int at, ref int line)
    {
        if (at >= text.Length || text[at] != '"')
        {
            var start = at;
            while (at < text.Length && text[at] is not (',' or '\n'))
            {
                if (text[at] == '"')
                    throw new HclException(
                        0, $"error on line {line}: a quote stands within a field that does not begin with one");
                at++;
            }
            return text[start..at].TrimEnd('\r');
        }
        var content = new StringBuilder();
        for (at++; ; at++)
        {
            if (at >= text.Length)
                throw new HclException(0, $"error on line {line}: a quoted field is not closed");
            if (text[at] == '"' && at + 1 < text.Length && text[at + 1] == '"')
                at++;
            else if (text[at] == '"')
                break;
            else if (text[at] == '\n')
                line++;
            content.Append(text[at]);
        }
        at++;
        if (at < text.Length && text[at] == '\r')
            at++;
        return at >= text.Length || text[at] is ',' or '\n'
            ? content.ToString()
            : throw new HclException(0, $"error on line {line}: a quoted field does not end where it should");
    }
}
