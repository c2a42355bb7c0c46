using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gantry.App.Hosting;

namespace Gantry.App.Output;

/// <summary>Text for a person: a table or a list of fields.</summary>
internal interface ITextBlock
{
    /// <param name="width">Columns to keep within; null for as many as it takes.</param>
    void WriteTo(TextWriter writer, int? width);
}

/// <summary>A result with its machine-readable form and its form for a person; only the one that is asked for is
/// made.</summary>
internal sealed record Rendered<T>(T Value, Func<JsonTypeInfo<T>> Json, Func<T, ITextBlock> Text);

/// <summary>Writes results to standard output.</summary>
internal interface IOutput
{
    void Write<T>(Rendered<T> result, OutputFormat format);
}

internal sealed class TerminalOutput(ITerminal terminal) : IOutput
{
    public void Write<T>(Rendered<T> result, OutputFormat format)
    {
        switch (format)
        {
            case OutputFormat.Table:
                // Cut for eyes only: a pipe gets everything.
                result.Text(result.Value).WriteTo(terminal.Out, terminal.OutIsTerminal ? terminal.Width : null);
                break;
            case OutputFormat.Json:
                terminal.Out.WriteLine(ToJson(result));
                break;
            case OutputFormat.Yaml:
                using (var document = JsonDocument.Parse(ToJson(result)))
                    YamlWriter.Write(terminal.Out, document.RootElement);
                break;
        }

        terminal.Out.Flush();
    }

    private static string ToJson<T>(Rendered<T> result)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions
        {
            Indented = true,
            // The default escapes for HTML, which hurts a reader's eyes; nothing here goes into a page.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var writer = new Utf8JsonWriter(buffer, options))
            JsonSerializer.Serialize(writer, result.Value, result.Json());
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
