using System.Text.Json;

namespace Gantry.Hcl.Values;

/// <summary>Values from JSON: objects become objects, arrays tuples.</summary>
public static class JsonValues
{
    private const int MaxJsonDepth = 200;

    /// <summary>Reads a JSON text.</summary>
    /// <exception cref="HclException">It is not JSON, or nested deeper than 200; the message says where.</exception>
    public static HclValue Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxJsonDepth });
            return FromJson(document.RootElement);
        }
        catch (JsonException exception)
        {
            var line = (exception.LineNumber ?? 0) + 1;
            throw new HclException(
                0,
                $"invalid JSON on line {line}, byte {(exception.BytePositionInLine ?? 0) + 1}: {Reason(exception)}",
                exception);
        }
    }

    /// <summary>The value of a JSON element.</summary>
    /// <exception cref="HclException">A number in it is out of range.</exception>
    public static HclValue FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => HclValue.String(Text(element)),
        JsonValueKind.Number => HclNumber.TryParse(element.GetRawText(), out var number)
            ? HclValue.Number(number)
            : throw new HclException($"the number {element.GetRawText()} is out of range"),
        JsonValueKind.True => HclValue.True,
        JsonValueKind.False => HclValue.False,
        JsonValueKind.Array => HclValue.Tuple(element.EnumerateArray().Select(FromJson).ToList()),
        JsonValueKind.Object => HclValue.Object(
            element.EnumerateObject().Select(property =>
                KeyValuePair.Create(property.Name, FromJson(property.Value))).ToList()),
        _ => HclValue.Null(HclType.Any),
    };

    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new HclException("a text holds half of a surrogate pair");
        }
    }

    // The exception's own text ends with the position, which is said already.
    private static string Reason(JsonException exception)
    {
        var end = exception.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? exception.Message : exception.Message[..end]).TrimEnd('.');
    }
}
