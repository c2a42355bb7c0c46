using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Tests.Evaluation;

public sealed class ExpressionTests
{
    [Theory]
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("10 - 2 - 3", "5")]
    [InlineData("12 / 2 * 3", "18")]
    [InlineData("-2 * -3", "6")]
    [InlineData("- -2", "2")]
    [InlineData("5 % 3.5", "1.5")]
    [InlineData("-5 % 3", "-2")]
    [InlineData("0.1 + 0.2", "0.3")]
    [InlineData("10 / 3 * 3 == 10", "true")]
    [InlineData("1e400 > 1", "true")]
    [InlineData("9007199254740993 + 0", "9007199254740993")]
    [InlineData("1 + 2 == 3 && 4 > 3 || false", "true")]
    [InlineData("true || false && false", "true")]
    [InlineData("!true == false", "true")]
    [InlineData("1 < 2 == true", "true")]
    [InlineData("\"5\" + 1", "6")]
    [InlineData("-\"5\"", "-5")]
    [InlineData("!\"true\"", "false")]
    [InlineData("1 == \"1\"", "false")]
    [InlineData("{a = 1} == {a = 1}", "true")]
    [InlineData("[] == []", "true")]
    [InlineData("null == null", "true")]
    [InlineData("null != 5", "true")]
    [InlineData("false && nothing", "false")]
    [InlineData("true || nothing", "true")]
    public void Operator_Precedence_AndConversions(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("true ? 1 : 2", "1")]
    [InlineData("false ? 1 : true ? 2 : 3", "2")]
    [InlineData("true ? 1 : \"x\"", "\"1\"")]
    [InlineData("true ? [1] : [\"a\", \"b\"]", "[\"1\"]")]
    [InlineData("true ? {a = 1} : {b = \"x\"}", "{a = \"1\"}")]
    [InlineData("true ? null : 5", "null")]
    [InlineData("true ? 1 : nothing", "1")]
    [InlineData("length([]) > 0 ? [][0] : \"none\"", "\"none\"")]
    public void Conditional_Branches_UnifyAndOnlyTheChosenFails(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("[for x in {a = 1}: x]", "[1]")]
    [InlineData("[for k, v in {b = 1, a = 2}: \"${k}=${v}\"]", "[\"a=2\", \"b=1\"]")]
    [InlineData("[for i, v in [\"x\", \"y\"]: i if v != \"x\"]", "[1]")]
    [InlineData("{for k, v in {a = 1}: v => k...}", "{\"1\" = [\"a\"]}")]
    [InlineData("{for v in [\"a\", \"b\", \"a\"]: v => upper(v)...}", "{a = [\"A\", \"A\"], b = [\"B\"]}")]
    [InlineData("{for v in convert([\"b\", \"a\", \"b\"], set(string)): v => 1}", "{a = 1, b = 1}")]
    [InlineData("[for x in [[1, 2], [3]]: [for y in x: y * 2]]", "[[2, 4], [6]]")]
    [InlineData("[\n  for x in [1, 2] :\n  x\n  if x > 1\n]", "[2]")]
    public void For_Expressions_MakeTuplesAndObjects(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("[{a = 1}, {a = 2}][*].a", "[1, 2]")]
    [InlineData("[{a = 1}, {a = 2}].*.a", "[1, 2]")]
    [InlineData("{a = 1}[*].a", "[1]")]
    [InlineData("null[*]", "[]")]
    [InlineData("5.*", "[5]")]
    [InlineData("[{a = [1, 2]}, {a = [3, 4]}][*].a[0]", "[1, 3]")]
    [InlineData("[{a = [1, 2]}, {a = [3, 4]}].*.a[0]", "[1, 2]")]
    [InlineData("[{a = [{b = 1}]}, {a = [{b = 2}, {b = 3}]}][*].a[*].b", "[[1], [2, 3]]")]
    [InlineData("[[1, 2], [3, 4]].1.0", "3")]
    [InlineData("[[1, 2], [3, 4]][1][0]", "3")]
    [InlineData("{a = {b = [5]}}.a[\"b\"][0]", "5")]
    [InlineData("[1, 2][\"1\"]", "2")]
    public void Access_IndexAttributeAndSplat(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("\"a${1 + 1}b\"", "\"a2b\"")]
    [InlineData("\"${[1, 2]}\"", "[1, 2]")]
    [InlineData("\"${\"${true}\"}\"", "true")]
    [InlineData("\"${\"\"}${true}\"", "\"true\"")]
    [InlineData("\"hello ${~ \"world\" }\"", "\"helloworld\"")]
    [InlineData("\"%{ if true ~} hello %{~ endif }\"", "\"hello\"")]
    [InlineData("\"%{ if false }x%{ else }y%{ endif }\"", "\"y\"")]
    [InlineData("\"%{ if false }x%{ endif }\"", "\"\"")]
    [InlineData("\"%{ for i, v in [\"a\", \"b\"] ~} ${i}${v} %{ endfor ~}\"", "\"0a 1b \"")]
    [InlineData("\"%{ for v in [true] }${v}%{ endfor }\"", "\"true\"")]
    [InlineData("\"\\n\\r\\t\\\"\\\\\\u00e9\\U0001F600\"", "\"\\n\\r\\t\\\"\\\\é😀\"")]
    [InlineData("\"${1/4}\"", "0.25")]
    [InlineData("\"x${1e30}\"", "\"x1000000000000000000000000000000\"")]
    [InlineData("\"${null == null ? \"n\" : \"\"}x\"", "\"nx\"")]
    public void Template_Quoted_FollowsTheSpec(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Fact]
    public void Template_DoubledDollars_AreWhatPackerMakesOfThem() =>
        Assert.Equal("$${x}|$$|${x}|%{|%", Hcl.Eval("\"$$${x}|$$|$${x}|%%{|%\"").AsString());

    [Theory]
    [InlineData("{(upper(\"a\")) = 1}", "{A = 1}")]
    [InlineData("{\"a b\" = 1}", "{\"a b\" = 1}")]
    [InlineData("{\"k${1}\" : 2, true = 3, 5 = 6}", "{\"5\" = 6, k1 = 2, true = 3}")]
    [InlineData("{\n a = 1\n\n b = 2, # c\n}", "{a = 1, b = 2}")]
    [InlineData("{for = 1}", null)]
    [InlineData("{a.b = 1}", null)]
    [InlineData("[1, 2,]", "[1, 2]")]
    [InlineData("[1 2]", null)]
    public void Constructor_KeysAndSeparators(string expression, string? expected)
    {
        var (value, diagnostics) = Hcl.TryEval(expression);
        Assert.Equal(expected is null, diagnostics.HasErrors);
        if (expected is not null)
            Assert.Equal(expected, value.ToString());
    }

    [Theory]
    [InlineData("{a = 1}.b", "This object does not have an attribute named \"b\".")]
    [InlineData("{name = 1}.nmae", "Did you mean \"name\"?")]
    [InlineData("[1][5]", "the index is 5, but there are 1 elements")]
    [InlineData("[][0]", "the collection has no elements")]
    [InlineData("[1][1.5]", "has a fractional part")]
    [InlineData("[1][-1]", "a negative number is not a valid index")]
    [InlineData("\"x\".y", "Can't access attributes on a value of type string")]
    [InlineData("null.x", "This value is null, so it does not have any attributes")]
    [InlineData("1 + null", "a number is required, but this is null")]
    [InlineData("1 + \"x\"", "a number is required, but this is a string")]
    [InlineData("!5", "a bool is required, but this is a number")]
    [InlineData("1 / 0", "Division by zero")]
    [InlineData("\"x${null}\"", "The value is null, which has no text")]
    [InlineData("\"x${[]}\"", "a string is required, but this is a tuple")]
    [InlineData("{for v in [\"a\", \"a\"]: v => 1}", "Two different items produced the key \"a\"")]
    [InlineData("[for x in 5: x]", "A value of type number cannot be gone through")]
    [InlineData("true ? 1 : []", "must convert to one type")]
    [InlineData("null ? 1 : 2", "The condition of a conditional is null")]
    [InlineData("\"yes\" ? 1 : 2", "must be of type bool")]
    [InlineData("nofunc()", "There is no function named \"nofunc\".")]
    [InlineData("max(5...)", "must be of a tuple, list, or set type")]
    public void Expression_Errors_SayWhatIsWrong(string expression, string expected) =>
        Assert.Contains(expected, Hcl.Error(expression));

    [Fact]
    public void Variable_Unknown_SuggestsTheNearest()
    {
        var scope = Hcl.With(("local", HclValue.EmptyObject), ("var", HclValue.EmptyObject));
        Assert.Equal("test.hcl:1:1: error: Unknown variable; There is no variable named \"locals\". Did you mean \"local\"?", Hcl.Error("locals.a", scope));
    }

    [Theory]
    [InlineData("u + 1", "number")]
    [InlineData("u == 1", "bool")]
    [InlineData("\"a${u}\"", "string")]
    [InlineData("false && u", null)]
    [InlineData("u ? 1 : 2", "number")]
    [InlineData("[u, 1][1]", null)]
    [InlineData("upper(s)", "string")]
    [InlineData("length([u, u])", null)]
    [InlineData("merge({a = u}, {b = 1}).b", null)]
    [InlineData("[for x in u: x]", "any")]
    [InlineData("u.a.b[0][*].c", "any")]
    [InlineData("try(u.a, 1)", "any")]
    [InlineData("can(u.a)", "bool")]
    [InlineData("jsonencode({a = u})", "string")]
    [InlineData("{a = u}.a", "any")]
    [InlineData("o.n", "number")]
    [InlineData("s == 5", null)]
    public void Unknown_Values_Propagate(string expression, string? typeOfUnknown)
    {
        var scope = Hcl.With(
            ("u", HclValue.UnknownOfAnyType),
            ("s", HclValue.Unknown(HclType.String)),
            ("o", HclValue.Unknown(HclType.Object([KeyValuePair.Create("n", HclType.Number)]))));
        var value = Hcl.Eval(expression, scope);
        Assert.Equal(typeOfUnknown is null, value.IsKnown);
        if (typeOfUnknown is not null)
            Assert.Equal(typeOfUnknown, value.Type.ToString());
    }

    [Theory]
    [InlineData("secret", true)]
    [InlineData("\"a${secret}\"", true)]
    [InlineData("upper(secret)", true)]
    [InlineData("[secret, 1]", true)]
    [InlineData("[secret, 1][1]", false)]
    [InlineData("{a = secret}.a", true)]
    [InlineData("secret == \"x\" ? 1 : 2", true)]
    [InlineData("jsonencode({a = secret})", true)]
    [InlineData("[for x in [secret]: \"y\"]", false)]
    [InlineData("try(secret, 1)", true)]
    [InlineData("secret != \"\" && true", true)]
    public void Sensitive_Marks_FollowTheValue(string expression, bool expected)
    {
        var scope = Hcl.With(("secret", HclValue.String("hunter2").AsSensitive()));
        var value = Hcl.Eval(expression, scope);
        Assert.Equal(expected, value.IsSensitive);
        Assert.DoesNotContain("hunter2", value.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("var.a + local.b[0].c + [for x in data.y: x.z + var.q][0]", "var.a local.b[0].c data.y var.q")]
    [InlineData("\"${var.a[\"k\"]} %{ for i in local.x }${i}${j}%{ endfor }\"", "var.a.k local.x j")]
    [InlineData("a[b.c].d", "a b.c")]
    [InlineData("{x = y, (z) = 1}", "y z")]
    [InlineData("convert(v, list(string))", "v")]
    [InlineData("a.*.b", "a")]
    [InlineData("1 + length(\"x\")", "")]
    public void References_Of_AreTheRootTraversals(string expression, string expected)
    {
        var parsed = Gantry.Hcl.Syntax.HclParser.ParseExpression(expression);
        Assert.Equal(expected, string.Join(' ', References.Of(parsed.Expression)));
    }
}
