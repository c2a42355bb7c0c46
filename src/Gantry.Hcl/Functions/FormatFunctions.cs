using System.Globalization;
using System.Numerics;
using System.Text;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary><c>format</c> and <c>formatlist</c>, with the verbs of go-cty.</summary>
internal static class FormatFunctions
{
    private const int MaxWidth = 100_000;

    public static IEnumerable<HclFunction> All =>
    [
        Variadic(
            "format",
            Text,
            new FunctionParameter("args", Any) { AllowsNull = true },
            call => Format(call.Text(0), [.. call.Arguments.Skip(1)]).ToValue(),
            Of("format", Text)),
        Variadic(
            "formatlist",
            Texts,
            new FunctionParameter("args", Any) { AllowsNull = true },
            FormatList,
            Of("format", Text)),
    ];

    private static HclValue FormatList(FunctionCall call)
    {
        var arguments = call.Arguments.Skip(1).ToList();
        var lists = arguments.Select(value =>
            !value.IsNull && value.Type.IsSequence ? value.AsItems().ToList() : null).ToList();
        var lengths = lists.Where(list => list is not null).Select(list => list!.Count).Distinct().ToList();
        if (lengths.Count > 1)
            throw new HclException(
                $"all lists must have the same length, but they have {string.Join(" and ", lengths)} elements");
        var count = lengths.Count == 0 ? 1 : lengths[0];
        return Enumerable.Range(0, count)
            .Select(
                i => Format(
                    call.Text(0), [.. arguments.Select((value, at) => lists[at] is { } list ? list[i] : value)]))
            .ToList()
            .ToTexts();
    }

    // %[flags][width][.precision][[index]]verb
    private sealed record Verb(char Letter, string Text, string Flags, int Width, int Precision)
    {
        public bool Has(char flag) => Flags.Contains(flag);
    }

    internal static string Format(string format, List<HclValue> arguments)
    {
        var result = new StringBuilder();
        var next = 0;
        var highest = 0;
        var anyVerb = false;
        for (var i = 0; i < format.Length;)
        {
            if (format[i] != '%')
            {
                result.Append(format[i++]);
                continue;
            }
            if (i + 1 < format.Length && format[i + 1] == '%')
            {
                result.Append('%');
                i += 2;
                continue;
            }
            var start = i;
            var verb = ReadVerb(format, ref i, ref next);
            anyVerb = true;
            if (next >= arguments.Count)
                throw new HclException(
                    $"not enough arguments for \"{verb.Text}\" at {start}: need index {next + 1} but have "
                        + $"{arguments.Count} total");
            try
            {
                result.Append(Pad(verb, One(verb, arguments[next])));
            }
            catch (HclException exception)
            {
                throw new HclException($"unsupported value for \"{verb.Text}\" at {start}: {exception.Message}");
            }
            CheckLength(result.Length);
            highest = Math.Max(highest, ++next);
        }
        if (highest < arguments.Count)
            throw new HclException(
                anyVerb
                    ? $"the format uses only {highest} of the arguments"
                    : "the format has no verb, so it takes no arguments");
        return result.ToString();
    }

    private static Verb ReadVerb(string format, ref int at, ref int next)
    {
        var start = at++;
        var flags = "";
        while (at < format.Length && format[at] is '#' or '0' or '-' or '+' or ' ')
            flags += format[at++];
        var width = ReadNumber(format, ref at) ?? 0;
        var precision = -1;
        if (at < format.Length && format[at] == '.')
        {
            at++;
            precision = ReadNumber(format, ref at) ?? throw new HclException(
                $"unsupported format: a point needs a precision after it, at {start}");
        }
        if (at < format.Length && format[at] == '[')
        {
            at++;
            var index = ReadNumber(format, ref at);
            if (index is null or < 1 || at >= format.Length || format[at++] != ']')
                throw new HclException($"invalid argument index in the format at {start}");
            next = index.Value - 1;
        }
        if (at >= format.Length)
            throw new HclException($"the format ends within a verb at {start}: {format[start..]}");
        var letter = format[at++];
        return new Verb(letter, format[start..at], flags, width, precision);
    }

    private static int? ReadNumber(string format, ref int at)
    {
        var start = at;
        while (at < format.Length && char.IsAsciiDigit(format[at]))
            at++;
        if (at == start)
            return null;
        return int.TryParse(format.AsSpan(start, at - start), CultureInfo.InvariantCulture, out var number) && number <= MaxWidth
            ? number
            : throw new HclException($"a width or precision may be at most {MaxWidth}");
    }

    private static string One(Verb verb, HclValue value)
    {
        if (value.IsNull && verb.Letter != 'v')
            throw new HclException("null can not be formatted");
        switch (verb.Letter)
        {
            case 'v':
                return Default(verb, value);
            case 's':
                return Cut(HclConversion.Convert(value, Text).AsString(), verb.Precision);
            case 'q':
                return JsonFunctions.Encode(
                    Cut(HclConversion.Convert(value, Text).AsString(), verb.Precision).ToValue());
            case 't':
                return HclConversion.Convert(value, Bool).AsBool() ? "true" : "false";
            case 'b' or 'd' or 'o' or 'x' or 'X':
                return Integer(verb, HclConversion.Convert(value, Number).AsNumber());
            case 'e' or 'E' or 'f' or 'g' or 'G':
                return Decimal(verb, verb.Letter, HclConversion.Convert(value, Number).AsNumber());
            default:
                throw new HclException($"there is no format verb \"{verb.Letter}\"");
        }
    }

    private static string Default(Verb verb, HclValue value)
    {
        if (value.IsNull)
            return "null";
        if (verb.Has('#'))
            return JsonFunctions.Encode(value);
        return value.Type.Kind switch
        {
            HclTypeKind.String => Cut(value.AsString(), verb.Precision),
            HclTypeKind.Number => Decimal(verb, 'g', value.AsNumber()),
            HclTypeKind.Bool => value.AsBool() ? "true" : "false",
            _ => JsonFunctions.Encode(value),
        };
    }

    private static string Cut(string text, int precision) =>
        precision < 0 ? text : string.Concat(StringFunctions.Graphemes(text).Take(precision));

    private static string Signed(Verb verb, bool isNegative, string magnitude) =>
        (isNegative ? "-" : verb.Has('+') && verb.Letter != 'v' ? "+" : verb.Has(' ') ? " " : "") + magnitude;

    private static string Integer(Verb verb, HclNumber number)
    {
        if (!number.IsInteger)
            throw new HclException("a whole number is required");
        var magnitude = BigInteger.Abs(number.Truncate());
        var digits = verb.Letter switch
        {
            'd' => magnitude.ToString(CultureInfo.InvariantCulture),
            'x' => InBase(magnitude, 16),
            'X' => InBase(magnitude, 16).ToUpperInvariant(),
            'o' => InBase(magnitude, 8),
            _ => InBase(magnitude, 2),
        };
        if (verb.Has('#') && verb.Letter is 'x' or 'X')
            digits = "0" + verb.Letter + digits;
        return Signed(verb, number.Sign < 0, digits);
    }

    private static string InBase(BigInteger value, int numberBase)
    {
        if (value.IsZero)
            return "0";
        var digits = new StringBuilder();
        for (; !value.IsZero; value /= numberBase)
            digits.Insert(0, "0123456789abcdef"[(int)(value % numberBase)]);
        return digits.ToString();
    }

    private static string Decimal(Verb verb, char letter, HclNumber number)
    {
        var magnitude = number.Abs();
        var text = letter switch
        {
            'f' => magnitude.ToFixed(verb.Precision < 0 ? 6 : verb.Precision),
            'e' or 'E' => Scientific(magnitude, (verb.Precision < 0 ? 6 : verb.Precision) + 1, letter),
            _ => General(magnitude, verb.Precision, letter),
        };
        return Signed(verb, number.Sign < 0, text);
    }

    private static string Scientific(HclNumber number, int digits, char letter)
    {
        if (number.Sign == 0)
            return (digits > 1 ? "0." + new string('0', digits - 1) : "0") + letter + "+00";
        var (value, scale) = number.Digits(digits);
        var text = value.ToString(CultureInfo.InvariantCulture);
        return Mantissa(text, letter, text.Length - 1 - scale);
    }

    private static string Mantissa(string digits, char letter, int exponent) =>
        $"{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}{letter}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";

    // %e for large and small exponents, %f otherwise; without a precision as many digits as tell the number apart.
    private static string General(HclNumber number, int precision, char letter)
    {
        if (number.Sign == 0)
            return "0";
        string digits;
        int exponent;
        var threshold = precision == 0 ? 1 : precision;
        if (precision < 0)
        {
            var text = number.ToString();
            var point = text.IndexOf('.');
            var whole = point < 0 ? text : text[..point];
            var all = text.Replace(".", "", StringComparison.Ordinal);
            var leading = all.Length - all.TrimStart('0').Length;
            digits = all.Trim('0');
            exponent = whole.Length - 1 - leading;
            threshold = 6;
        }
        else
        {
            var (value, scale) = number.Digits(threshold);
            var text = value.ToString(CultureInfo.InvariantCulture);
            exponent = text.Length - 1 - scale;
            digits = text.TrimEnd('0');
            if (threshold > digits.Length && digits.Length >= exponent + 1)
                threshold = digits.Length;
        }
        if (exponent < -4 || exponent >= threshold)
            return Mantissa(digits, letter is 'G' ? 'E' : 'e', exponent);
        if (exponent < 0)
            return "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1
            ? digits.PadRight(exponent + 1, '0')
            : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    private static string Pad(Verb verb, string text)
    {
        var missing = verb.Width - StringFunctions.Count(text);
        if (missing <= 0)
            return text;
        if (verb.Has('-'))
            return text + new string(' ', missing);
        if (!verb.Has('0'))
            return new string(' ', missing) + text;
        // Zeros go between a sign and the digits.
        var sign = text.Length > 0 && text[0] is '-' or '+' or ' ' && verb.Letter is not ('s' or 'q') ? 1 : 0;
        return text[..sign] + new string('0', missing) + text[sign..];
    }
}
