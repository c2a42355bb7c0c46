using System.Text;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Tests.Golden;

public sealed class DiagnosticGoldenTests
{
    // Each line group is one file; the golden file holds all that is said about it.
    private static readonly string[] Broken =
    [
        "a = 'single'\nb = \"ok\"\nc = [1, 2 3]\nd = 5 5\n",
        "block \"x\" {\n  a = 1\n  b 2\n  c = {\n    d = @\n    e = 1\n  }\n  f = \"unterminated\n}\nlast = (1\n",
        "list = [\n  1,\n  2\nnext = 5\nother = 6 +\n",
        "source \"qemu\" \"x\" {\n  a = 1\n",
        "}\na = 1\na = 2\n\"q\" = 5\n",
        "x = \"${a\"\ny = \"${foo:bar}\"\nz = \"\\q\"\nw = \"\\u12\"\n",
        "h = <<EOT\nnever closed\n",
        "i = \"%{ if true }x\"\nj = \"%{ endif }\"\nk = \"%{ unless }\"\n",
        "block = \"x\" {\n}\nblock x y = {\n}\none { a = 1, b = 2 }\ntwo { a = 1 } b\n",
        "a = 1 & 2\nb = 1; c = 2\nd = `x`\ne = \u201Cx\u201D\n/* never closed",
        "a = [for x in y]\nb = {for x in y : x}\nc = [for x in y : x => 1]\nd = [for 5 in y: 1]\ne = f(1 2)\ng = f(a..., b)\n",
        "label \"a${b}\" {}\n\tt = \"日本語\" @ 5\n",
        "emoji = \"👩‍👩‍👧\" \"e\u0301\" }\n",
        "a.b = 1\nif\nx = 1 ? 2\ny = a.\nz = a[1\n",
        "x = {\n  a = 1 b = 2\n  c\n}\ny = {a.b = 1}\n",
    ];

    [Fact]
    public void SyntaxErrors_AreAllReported_WithPlaceAndMark()
    {
        var text = new StringBuilder();
        foreach (var (number, source) in Broken.Index())
        {
            var result = HclParser.ParseFile(new SourceFile($"file{number}.hcl", source));
            Assert.True(result.Diagnostics.HasErrors);
            text.Append($"=== {number}\n{source}\n---\n").Append(new DiagnosticRenderer().Render(result.Diagnostics));
        }
        GoldenFile.Check("syntax-errors.golden", text.ToString());
    }

    [Fact]
    public void EvaluationErrors_AreAllReported_WithPlaceAndMark()
    {
        const string Source = """
            a = upper(5, "x")
            b = lower(missing.thing)
            c = [for k in ["x", "x"] : k]
            d = "${nope(1)}"
            e = {
              first  = 1 / 0
              second = [1, 2][7]
            }
            f = regex("(", "x")
            g = convert("x", list(strng))
            """;
        var body = Hcl.Parse(Source);
        var diagnostics = new DiagnosticBag();
        var scope = Hcl.With(("var", Gantry.Hcl.Values.HclValue.EmptyObject));
        foreach (var attribute in body.Attributes)
            Evaluator.Evaluate(attribute.Expression, scope, diagnostics);
        GoldenFile.Check("evaluation-errors.golden", new DiagnosticRenderer().Render(diagnostics));
    }

    [Fact]
    public void Renderer_Color_MarksSeverityAndPlace()
    {
        var diagnostics = HclParser.ParseFile(new SourceFile("a.hcl", "x = = 1\n")).Diagnostics;
        Assert.Equal(
            "\e[1ma.hcl:1:5\e[0m: \e[1;31merror\e[0m: \e[1mInvalid expression\e[0m\n"
            + " 1 | x = = 1\n   |     \e[1;31m^\e[0m\n"
            + "  A value is expected here: a literal, a name, a function call, or something in brackets.\n",
            new DiagnosticRenderer { UsesColor = true }.Render(diagnostics));
    }

    [Fact]
    public void Renderer_EscapeSequencesInSource_NeverReachTheTerminal()
    {
        var diagnostics = HclParser.ParseFile(new SourceFile("a.hcl", "x = \e[2J\n")).Diagnostics;
        Assert.DoesNotContain('\e', new DiagnosticRenderer().Render(diagnostics));
    }

    [Fact]
    public void Renderer_VeryLongLine_ShowsAWindow()
    {
        var source = $"x = [{new string(' ', 5000)}@{new string(' ', 5000)}]\n";
        var rendered = new DiagnosticRenderer().Render(HclParser.ParseFile(new SourceFile("a.hcl", source)).Diagnostics);
        var lines = rendered.Split('\n');
        Assert.True(lines[1].Length < 200);
        Assert.Equal(lines[1].IndexOf('@'), lines[2].IndexOf('^'));
    }
}
