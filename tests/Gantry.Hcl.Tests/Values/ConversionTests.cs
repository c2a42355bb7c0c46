using System.Globalization;
using System.Numerics;
using CsCheck;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Tests.Values;

public sealed class ConversionTests
{
    internal static HclType TypeOf(string text)
    {
        var diagnostics = new DiagnosticBag();
        var type = HclTypeExpression.Read(HclParser.ParseExpression(text).Expression, diagnostics);
        Assert.Equal("", Hcl.Messages(diagnostics));
        return type;
    }

    [Theory]
    [InlineData("5", "string", "\"5\"")]
    [InlineData("true", "string", "\"true\"")]
    [InlineData("\"1e3\"", "number", "1000")]
    [InlineData("\"true\"", "bool", "true")]
    [InlineData("[1, \"a\"]", "list(string)", "[\"1\", \"a\"]")]
    [InlineData("[1, \"1\", 2]", "set(string)", "[\"1\", \"2\"]")]
    [InlineData("[10, 9, 10]", "set(number)", "[9, 10]")]
    [InlineData("{a = 1}", "map(string)", "{a = \"1\"}")]
    [InlineData("{a = 1, b = true, c = \"x\"}", "map(any)", "{a = \"1\", b = \"true\", c = \"x\"}")]
    [InlineData("[[1], [2, 3]]", "list(list(number))", "[[1], [2, 3]]")]
    [InlineData("[1, true]", "tuple([string, string])", "[\"1\", \"true\"]")]
    [InlineData("{a = 1, extra = 2}", "object({a = string})", "{a = \"1\"}")]
    [InlineData("{}", "object({a = optional(string, \"x\"), b = optional(number)})", "{a = \"x\", b = null}")]
    [InlineData("{a = null}", "object({a = optional(string, \"x\")})", "{a = \"x\"}")]
    [InlineData("{}", "object({a = optional(object({b = optional(number, 5)}), {})})", "{a = {b = 5}}")]
    [InlineData("[{n = 1}, {}]", "list(object({n = optional(number, 7)}))", "[{n = 1}, {n = 7}]")]
    [InlineData("null", "list(string)", "null")]
    [InlineData("[]", "list(any)", "[]")]
    [InlineData("[null, \"a\"]", "list(string)", "[null, \"a\"]")]
    public void Value_Converted_IsWhatTheTypeSays(string value, string type, string expected)
    {
        var target = TypeOf(type);
        var converted = HclConversion.Convert(Hcl.Eval(value), target);
        Assert.Equal(expected, converted.ToString());
        if (!type.Contains("any", StringComparison.Ordinal))
            Assert.Equal(target.WithoutOptional(), converted.Type);
    }

    [Theory]
    [InlineData("\"x\"", "number", "a number is required, but this is a string")]
    [InlineData("\"True\"", "bool", "use lowercase \"true\"")]
    [InlineData("5", "bool", "a bool is required, but this is a number")]
    [InlineData("[]", "string", "a string is required, but this is a tuple")]
    [InlineData("[1, []]", "list(string)", "at [1]: a string is required")]
    [InlineData("{a = {b = [0, \"x\"]}}", "object({a = object({b = list(number)})})", "at .a.b[1]: a number is required")]
    [InlineData("{\"a b\" = []}", "map(string)", "at [\"a b\"]: a string is required")]
    [InlineData("{}", "object({a = string, b = string})", "attributes \"a\", \"b\" required")]
    [InlineData("[1]", "tuple([number, number])", "a tuple of 2 elements is required, but this has 1")]
    [InlineData("[1, []]", "list(any)", "all elements must have the same type")]
    [InlineData("\"x\"", "list(string)", "a list of string is required, but this is a string")]
    public void Value_ThatDoesNotFit_SaysWhereAndWhy(string value, string type, string expected)
    {
        Assert.False(HclConversion.TryConvert(Hcl.Eval(value), TypeOf(type), out _, out var error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("string|number", "string")]
    [InlineData("number|bool", null)]
    [InlineData("list(number)|list(string)", "list(string)")]
    [InlineData("tuple([number])|tuple([string, bool])", "list(string)")]
    [InlineData("tuple([number])|tuple([string])", "tuple([string])")]
    [InlineData("object({a=number})|object({a=string})", "object({a = string})")]
    [InlineData("object({a=number})|object({b=string})", "map(string)")]
    [InlineData("map(number)|object({b=bool})", null)]
    [InlineData("set(number)|set(string)", "set(string)")]
    [InlineData("any|string", "any")]
    public void Types_Unified_FindOneForAll(string types, string? expected) =>
        Assert.Equal(expected, HclConversion.Unify(types.Split('|').Select(TypeOf))?.ToString());

    [Theory]
    [InlineData("lst(string)", "Did you mean \"list\"?")]
    [InlineData("list", "like list(string)")]
    [InlineData("\"string\"", "A type specification is")]
    [InlineData("object({a = optional(number, \"x\")})", "This default value is not compatible")]
    [InlineData("optional(string)", "Only the attributes of an object type can be optional")]
    [InlineData("list(string, number)", "requires exactly one argument")]
    public void TypeExpression_Wrong_SaysWhatIsRight(string text, string expected)
    {
        var diagnostics = new DiagnosticBag();
        HclTypeExpression.Read(HclParser.ParseExpression(text).Expression, diagnostics);
        Assert.Contains(expected, Assert.Single(diagnostics).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Number_WrittenAndRead_IsTheSame() => Gen.Select(Gen.Long, Gen.Int[-300, 300], Gen.Long[1, long.MaxValue]).Sample(
        (mantissa, exponent, divisor) =>
        {
            Assert.True(HclNumber.TryParse($"{mantissa}e{exponent}", out var number));
            Assert.True(HclNumber.TryParse(number.ToString(), out var again));
            Assert.Equal(number, again);
            var quotient = (HclNumber)mantissa / divisor;
            Assert.True(HclNumber.TryParse(quotient.ToString(), out again));
            Assert.Equal(quotient, again);
        },
        iter: 500);

    [Fact]
    public void Number_WholeArithmetic_IsExact() => Gen.Select(Gen.Long, Gen.Long).Sample(
        (a, b) =>
        {
            Assert.Equal(HclNumber.FromInteger((BigInteger)a * b), (HclNumber)a * b);
            Assert.Equal(((BigInteger)a + b).ToString(CultureInfo.InvariantCulture), ((HclNumber)a + b).ToString());
            Assert.Equal(a.CompareTo(b), ((HclNumber)a).CompareTo(b));
            if (b != 0)
                Assert.Equal(HclNumber.FromInteger(BigInteger.Remainder(a, b)), (HclNumber)a % b);
        },
        iter: 1_000);

    [Fact]
    public void Json_Read_GivesObjectsAndTuples()
    {
        using var document = System.Text.Json.JsonDocument.Parse("""{"b": [1, 2.50, null, true], "a": "x", "big": 123456789012345678901234567890}""");
        Assert.Equal("{a = \"x\", b = [1, 2.5, null, true], big = 123456789012345678901234567890}", HclValue.FromJson(document.RootElement).ToString());
    }

    [Fact]
    public void Value_DoubledSixtyTimes_IsRefused()
    {
        var value = HclValue.String("x");
        Assert.Throws<HclException>(() =>
        {
            for (var i = 0; i < 60; i++)
                value = HclValue.Tuple([value, value]);
        });
    }
}
