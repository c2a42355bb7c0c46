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

    /// <summary>What <see cref="Write{T}"/> does for a person.</summary>
    void WriteText(ITextBlock text);

    /// <summary>What <see cref="Write{T}"/> does for a program.</summary>
    void WriteData<T>(T value, JsonTypeInfo<T> type, OutputFormat format);
}

internal sealed class TerminalOutput(ITerminal terminal) : IOutput
{
    public void Write<T>(Rendered<T> result, OutputFormat format)
    {
        if (format == OutputFormat.Table)
            WriteText(result.Text(result.Value));
        else
            WriteData(result.Value, result.Json(), format);
    }

    public void WriteText(ITextBlock text)
    {
        // Cut for eyes only: a pipe gets everything.
        text.WriteTo(terminal.Out, terminal.OutIsTerminal ? terminal.Width : null);
        terminal.Out.Flush();
    }

    public void WriteData<T>(T value, JsonTypeInfo<T> type, OutputFormat format)
    {
        var json = ToJson(value, type);
        if (format == OutputFormat.Yaml)
        {
            using var document = JsonDocument.Parse(json);
            YamlWriter.Write(terminal.Out, document.RootElement);
        }
        else
        {
            terminal.Out.WriteLine(json);
        }

        terminal.Out.Flush();
    }

    private static string ToJson<T>(T value, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions
        {
            Indented = true,
            // The default escapes for HTML, which hurts a reader's eyes; nothing here goes into a page.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var writer = new Utf8JsonWriter(buffer, options))
            JsonSerializer.Serialize(writer, value, type);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
