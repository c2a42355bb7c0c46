using System.Collections.Immutable;
using System.Globalization;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>
/// Reads a block's attributes as durations, sizes, paths and the like; what is wrong is said at its place.
/// </summary>
internal sealed class Attributes(DecodedBody body, string root, DiagnosticBag diagnostics)
{
    public string? Text(string name) => body.Text(name) is { Length: > 0 } text ? text : null;

    public string TextOr(string name, string otherwise) => Text(name) ?? otherwise;

    public bool Flag(string name, bool otherwise = false) => body.Bool(name) ?? otherwise;

    public bool? MaybeFlag(string name) => body.Bool(name);

    public bool IsSet(string name) => body.Attributes.ContainsKey(name);

    public int Number(string name, int otherwise, int min, int max)
    {
        if (body.Integer(name) is not { } value)
        {
            // A fraction, or more than any whole number that is meant here.
            if (body[name] is { IsWhollyKnown: true, IsNull: false })
                Error(name, $"Expected a whole number from {min} to {max}.");
            return otherwise;
        }

        if (value >= min && value <= max)
            return (int)value;
        Error(name, $"Expected a whole number from {min} to {max}, found {value}.");
        return otherwise;
    }

    /// <summary>A number as it stands, where its range is another's business.</summary>
    public long? Peek(string name) => body.Integer(name);

    public ValueList<string> Texts(string name) => body.Texts(name) is { } texts ? [.. texts] : [];

    public ValueList<int> Integers(string name) =>
        body[name] is { IsWhollyKnown: true } value
            ? value.AsItems().Select(item => (int)Math.Clamp(double.Parse(item.AsNumber().ToString(), CultureInfo.InvariantCulture), 0, 255)).ToValueList()
            : [];

    /// <summary>Go's notation: <c>1m30s</c>.</summary>
    public TimeSpan? Duration(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (GoDuration.TryParse(text, out var duration))
            return duration;
        Error(name, $"Expected a duration such as \"30s\" or \"1m30s\", found \"{text}\".");
        return null;
    }

    /// <summary>Bytes; a bare number counts MiB, as Packer's do.</summary>
    public long? Size(string name) => Text(name) is { } text ? SizeOf(name, text) : null;

    public long? SizeOf(string name, string text)
    {
        if (Sizes.TryParse(text, 1L << 20, out var bytes) && bytes > 0)
            return bytes;
        Error(name, $"Expected a size such as \"10G\" or \"512M\", found \"{text}\".");
        return null;
    }

    /// <summary>Relative to where the command is run, as Packer takes them.</summary>
    public string? FilePath(string name) => Text(name) is { } text ? Absolute(text) : null;

    public ValueList<string> FilePaths(string name) => Texts(name).Select(Absolute).ToValueList();

    public string Absolute(string path) => System.IO.Path.GetFullPath(
        path.StartsWith("~/", StringComparison.Ordinal)
            ? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..])
            : path);

    /// <summary>The template's own folder.</summary>
    public string Root => root;

    /// <summary>A map of paths to contents.</summary>
    public ValueList<ContentFile> Contents(string name) =>
        Entries(name).Select(pair => new ContentFile(pair.Key, pair.Value)).ToValueList();

    public ImmutableArray<KeyValuePair<string, string>> Entries(string name) =>
        body[name] is { IsWhollyKnown: true } value
            ? [.. value.AsEntries().Where(pair => !IsNull(name, pair.Value))
                .Select(pair => KeyValuePair.Create(pair.Key, pair.Value.AsString()))]
            : [];

    /// <summary>A list of lists of strings.</summary>
    public IEnumerable<ImmutableArray<string>> Lists(string name) =>
        body[name] is { IsWhollyKnown: true } value
            ? value.AsItems().Where(item => !IsNull(name, item)).Select(
                item => item.AsItems().Where(part => !IsNull(name, part)).Select(part => part.AsString()).ToImmutableArray())
            : [];

    /// <summary>Within a list or a map null stands for nothing that could be meant.</summary>
    private bool IsNull(string name, HclValue value)
    {
        if (value.IsNull)
            Error(name, "Expected texts, found null among them.");
        return value.IsNull;
    }

    public void Error(string name, string detail)
    {
        SourceSpan? span = body.Attributes.TryGetValue(name, out var attribute) ? attribute.Definition.Expression.Span : null;
        diagnostics.Error(span ?? body.Source.Span, $"Invalid value for \"{name}\"", detail);
    }

    public void Missing(string name, string detail, SourceSpan at) =>
        diagnostics.Error(at, $"Missing \"{name}\"", detail);

    /// <summary>One of a few words.</summary>
    public T Choice<T>(string name, T otherwise, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        if (Text(name) is not { } text)
            return otherwise;
        foreach (var (word, value) in choices)
        {
            if (word == text)
                return value;
        }

        var words = new List<string>();
        foreach (var (word, _) in choices)
            words.Add($"\"{word}\"");
        Error(name, $"Expected one of {string.Join(", ", words)}, found \"{text}\".");
        return otherwise;
    }
}

/// <summary>Sizes as people write them.</summary>
public static class Sizes
{
    /// <summary>Reads <c>10G</c>, <c>512M</c>, <c>1T</c>, <c>64K</c>, <c>100b</c>; powers of 1024.</summary>
    /// <param name="text">The size.</param>
    /// <param name="bareUnit">What a number without a unit counts, in bytes.</param>
    /// <param name="bytes">The size in bytes.</param>
    public static bool TryParse(string text, long bareUnit, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        var unit = text[digits..].Trim().ToUpperInvariant() switch
        {
            "" => bareUnit,
            "B" => 1,
            "K" or "KB" or "KIB" => 1L << 10,
            "M" or "MB" or "MIB" => 1L << 20,
            "G" or "GB" or "GIB" => 1L << 30,
            "T" or "TB" or "TIB" => 1L << 40,
            _ => 0,
        };
        // Divided, because the product of two numbers that fit need not fit itself.
        if (unit == 0 || number > long.MaxValue / 2 / unit)
            return false;
        bytes = (long)(number * unit);
        return true;
    }
}
