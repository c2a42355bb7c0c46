using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Tests.Syntax;

public sealed class ParserTests
{
    [Fact]
    public void Body_AttributesAndBlocks_KeepOrderLabelsAndSpans()
    {
        var body = Hcl.Parse("""
            # comment
            a = 1 // one
            source "qemu" web-1 { /* x */
              b = "x"
              inner {}
              one { c = 2 }
            }

            z = null
            """);
        Assert.Equal(["a", "z"], body.Attributes.Select(attribute => attribute.Name));
        var block = Assert.Single(body.Blocks);
        Assert.Equal("source", block.Type);
        Assert.Equal(["qemu", "web-1"], block.Labels.Select(label => label.Text));
        Assert.Equal("source \"qemu\" web-1", block.HeaderSpan.Text);
        Assert.Equal("test.hcl:3:1", block.Span.ToString());
        Assert.Equal(7, block.Span.End.Line);
        Assert.Equal(["inner", "one"], block.Body.Blocks.Select(inner => inner.Type));
        Assert.Equal("b = \"x\"", block.Body.Attribute("b")!.Span.Text);
        Assert.NotNull(block.Body.Blocks[1].Body.Attribute("c"));
    }

    [Theory]
    [InlineData("<<EOT\n  a\n b\nEOT\n", "  a\n b\n")]
    [InlineData("<<-EOT\n    one\n\n      two\n    EOT\n", "one\n\n  two\n")]
    [InlineData("<<-EOT\n    a\n  ${1}b\n    EOT\n", "  a\n1b\n")]
    [InlineData("<<-EOT\n\ta\n\t\tb\nEOT\n", "a\n\tb\n")]
    [InlineData("<<-EOT\n  a ${\"x\n", null)]
    [InlineData("<<EOT\nEOT\n", "")]
    [InlineData("<<EOT\n\\n $${a} %%{b}\nEOT\n", "\\n ${a} %{b}\n")]
    [InlineData("<<EOT\n%{ for x in [1, 2] ~}\n- ${x}\n%{ endfor ~}\nend\nEOT\n", "- 1\n- 2\nend\n")]
    [InlineData("<<EOT\n%{ if true }\nyes\n%{ else }\nno\n%{ endif }\nEOT\n", "\nyes\n\n")]
    [InlineData("<<EOT\na EOT\nEOTX\nEOT\n", "a EOT\nEOTX\n")]
    [InlineData("<<A\n${<<B\nx\nB\n}A\nA\n", "x\nA\n")]
    [InlineData("<<EOT\r\na\r\nEOT\r\n", "a\r\n")]
    public void Heredoc_Content_IsWhatPackerMakesOfIt(string source, string? expected)
    {
        var result = HclParser.ParseFile(new SourceFile("h.hcl", "h = " + source + "after = 1\n"));
        Assert.Equal(expected is null, result.Diagnostics.HasErrors);
        if (expected is null)
            return;
        Assert.Equal(2, result.Body.Attributes.Length);
        var value = Gantry.Hcl.Evaluation.Evaluator.Evaluate(result.Body.Attributes[0].Expression, Hcl.Scope, result.Diagnostics);
        Assert.Equal(expected, value.AsString());
    }

    [Fact]
    public void Errors_InOneFile_AreAllReportedAndTheRestIsUsable()
    {
        var result = HclParser.ParseFile(new SourceFile("e.hcl", """
            good = 1
            bad = [1, 2 3]
            block {
              also_bad = {
                x = @
                y = 1
              }
              fine = 2
            }
            worse = (1
            last = 3
            """));
        Assert.Equal([2, 5, 11], result.Diagnostics.Select(diagnostic => diagnostic.Span!.Value.Start.Line));
        Assert.Equal(["good", "bad", "worse", "last"], result.Body.Attributes.Select(attribute => attribute.Name));
        Assert.NotNull(result.Body.Blocks[0].Body.Attribute("fine"));
    }

    [Fact]
    public void Newlines_InsideBrackets_AreBlanks()
    {
        var body = Hcl.Parse("a = [\n  1,\n  # c\n  2,\n]\nb = (1\n  + 2)\nc = max(\n  1,\n  2,\n)\nd = {\n  x = [\n  ]\n}\ne = \"${\n  1\n}\"\n");
        Assert.Equal(5, body.Attributes.Length);
    }

    public static TheoryData<string> DeepTexts() =>
    [
        new string('(', 20_000), new string('[', 20_000), "a = " + new string('{', 20_000), string.Concat(Enumerable.Repeat("a{\n", 20_000)),
        new string('-', 20_000) + "1", new string('!', 20_000) + "true", string.Concat(Enumerable.Repeat("\"${", 20_000)),
        "1" + string.Concat(Enumerable.Repeat("+1", 20_000)), "a" + string.Concat(Enumerable.Repeat(".b", 20_000)),
        "a" + string.Concat(Enumerable.Repeat("[*]", 20_000)), "a" + string.Concat(Enumerable.Repeat("[0]", 20_000)),
        string.Concat(Enumerable.Repeat("a?", 20_000)), string.Concat(Enumerable.Repeat("%{if true}", 20_000)),
        string.Concat(Enumerable.Repeat("f(", 20_000)), string.Concat(Enumerable.Repeat("[for x in ", 20_000)),
        string.Concat(Enumerable.Repeat("a = <<A\n${", 20_000)), string.Concat(Enumerable.Repeat("/*", 20_000)), new string('"', 20_001),
    ];

    [Theory]
    [MemberData(nameof(DeepTexts))]
    public void DeepNesting_IsADiagnostic(string text)
    {
        var file = new SourceFile("deep.hcl", text);
        Assert.True(HclParser.ParseExpression(file).Diagnostics.HasErrors);
        HclParser.ParseTemplate(file);
        HclParser.ParseFile(file);
        HclParser.ParseFile(new SourceFile("deep.hcl", "x = " + text + "\n"));
    }

    [Fact]
    public void Source_TooLarge_IsADiagnostic()
    {
        var result = HclParser.ParseFile(new SourceFile("big.hcl", "a = 1234567"), new HclLimits { MaxSourceLength = 10 });
        Assert.Contains("Source text too large", Assert.Single(result.Diagnostics).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[for a in range(1000): [for b in range(1000): [for c in range(1000): c]]]", "takes too long")]
    [InlineData("try([for a in range(1000): [for b in range(1000): [for c in range(1000): c]]], 1)", "takes too long")]
    [InlineData("format(\"%100000s\", join(\"\", [for i in range(170): format(\"%100000s\", \"\")]))", "longer than")]
    [InlineData("replace(join(\"\", [for i in range(160): format(\"%100000s\", \"\")]), \" \", \"xx\")", "longer than")]
    [InlineData("setproduct(range(1000), range(1000))", "more than 200000 elements")]
    [InlineData("1e6001", "too large")]
    [InlineData("1e6000 * 1e6000", "too large")]
    public void HostileExpression_IsADiagnostic(string expression, string expected)
    {
        var scope = new EvaluationScope(functions: Hcl.Functions(), limits: new HclLimits { MaxSteps = 50_000 });
        var (_, diagnostics) = Hcl.TryEval(expression, scope);
        Assert.Contains(expected, Hcl.Messages(diagnostics), StringComparison.Ordinal);
    }
}
