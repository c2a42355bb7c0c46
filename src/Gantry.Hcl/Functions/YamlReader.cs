using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gantry.Hcl.Values;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gantry.Hcl.Functions;

/// <summary>Values from YAML 1.1 as HCL's <c>yamldecode</c> reads it, over the parser's events.</summary>
internal sealed partial class YamlReader
{
    private const int MaxDepth = 100;
    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, HclValue> _anchors = [];
    private int _depth;

    private YamlReader(string text) => _parser = new Parser(new Scanner(new StringReader(text)));

    /// <exception cref="HclException">The text is not one YAML document.</exception>
    public static HclValue Read(string text)
    {
        try
        {
            return new YamlReader(text).ReadDocument();
        }
        catch (YamlException exception)
        {
            throw new HclException(
                0,
                $"invalid YAML on line {exception.Start.Line}, column {exception.Start.Column}: {exception.Message}");
        }
    }

    private HclValue ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
            return HclValue.Null(HclType.Any);
        _parser.Consume<DocumentStart>();
        var value = ReadNode();
        _parser.Consume<DocumentEnd>();
        if (!_parser.Accept<StreamEnd>(out _))
            throw new HclException(0, "a second YAML document follows; only one can be read");
        return value;
    }

    private HclValue ReadNode()
    {
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value, out var known)
                ? known
                : throw new HclException(
                    0, $"line {alias.Start.Line}: the anchor \"{alias.Value}\" is unknown, or refers to itself");
        }
        if (++_depth > MaxDepth)
            throw new HclException(0, $"YAML may be nested at most {MaxDepth} deep");
        var node = _parser.Current as NodeEvent ?? throw new HclException(0, "a YAML value was expected");
        HclValue value;
        if (_parser.TryConsume<Scalar>(out var scalar))
            value = ReadScalar(scalar);
        else if (_parser.TryConsume<SequenceStart>(out _))
            value = ReadSequence();
        else
            value = ReadMapping();
        if (!node.Anchor.IsEmpty)
            _anchors[node.Anchor] = value;
        _depth--;
        return value;
    }

    private HclValue ReadSequence()
    {
        var items = new List<HclValue>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
            items.Add(ReadNode());
        return HclValue.Tuple(items);
    }

    private HclValue ReadMapping()
    {
        _parser.Consume<MappingStart>();
        var entries = new Dictionary<string, HclValue>(StringComparer.Ordinal);
        var merged = new Dictionary<string, HclValue>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var isMerge = _parser.Accept<Scalar>(out var plain) && plain is { Value: "<<", Style: ScalarStyle.Plain };
            var line = _parser.Current!.Start.Line;
            var key = ReadNode();
            var value = ReadNode();
            if (isMerge)
                Merge(merged, value, line);
            else if (key.IsNull || !HclConversion.TryConvert(key, HclType.String, out var name, out _))
                throw new HclException(0, $"line {line}: only texts, numbers and bools can be keys");
            else
                entries[name.AsString()] = value;
        }
        foreach (var (name, value) in merged)
            entries.TryAdd(name, value);
        return HclValue.Object(entries);
    }

    // An own key wins over a merged one, an earlier merged one over a later.
    private static void Merge(Dictionary<string, HclValue> into, HclValue value, long line)
    {
        var sources = value.Type.Kind == HclTypeKind.Tuple && !value.IsNull ? value.AsItems().AsEnumerable() : [value];
        foreach (var source in sources)
        {
            if (source.IsNull || source.Type.Kind != HclTypeKind.Object)
                throw new HclException(0, $"line {line}: a merge key (<<) needs a mapping, or a sequence of them");
            foreach (var (name, item) in source.AsEntries())
                into.TryAdd(name, item);
        }
    }

    private static HclValue ReadScalar(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Tag.IsEmpty)
            return scalar.Style == ScalarStyle.Plain ? Resolve(text) : text.ToValue();
        return scalar.Tag.Value switch
        {
            "tag:yaml.org,2002:str" or "!" => text.ToValue(),
            "tag:yaml.org,2002:binary" => text.ReplaceLineEndings("").ToValue(),
            "tag:yaml.org,2002:null" => HclValue.Null(HclType.Any),
            "tag:yaml.org,2002:bool" when Resolve(text) is { } value && value.Type == HclType.Bool => value,
            "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" when Resolve(text) is { } value && value.Type == HclType.Number => value,
            "tag:yaml.org,2002:timestamp" when Timestamp(text) is { } time => time,
            _ => throw new HclException(
                0,
                $"line {scalar.Start.Line}: unsupported tag \"{scalar.Tag.Value}\", or a value that does not fit it"),
        };
    }

    private static HclValue Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return HclValue.Null(HclType.Any);
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return HclValue.True;
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return HclValue.False;
            case ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" or "-.inf" or "-.Inf" or "-.INF" or ".nan" or ".NaN" or ".NAN":
                throw new HclException(0, $"floating point {text} is not supported");
            default:
                break;
        }
        if (NumberPattern().IsMatch(text))
        {
            var plain = text.Replace("_", "", StringComparison.Ordinal);
            var sign = plain[0] is '-' or '+' ? plain[..1] : "";
            var digits = plain[sign.Length..].TrimEnd('.');
            digits = digits.Replace(".e", ".0e", StringComparison.OrdinalIgnoreCase);
            if (HclNumber.TryParse(sign + (digits.StartsWith('.') ? "0" + digits : digits), out var number))
                return HclValue.Number(number);
        }
        return Timestamp(text) ?? text.ToValue();
    }

    // Times become RFC 3339 texts.
    private static HclValue? Timestamp(string text)
    {
        if (!TimePattern().IsMatch(text))
            return null;
        string[] formats =
        [
            "yyyy-M-d", "yyyy-M-d'T'H:m:s.FFFFFFFK", "yyyy-M-d't'H:m:s.FFFFFFFK", "yyyy-M-d H:m:s.FFFFFFF",
        ];
        return DateTimeOffset.TryParseExact(
            text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? TimeFormats.Rfc3339(time).ToValue()
            : null;
    }

    [GeneratedRegex(@"^[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?\z")]
    private static partial Regex NumberPattern();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")]
    private static partial Regex TimePattern();
}
