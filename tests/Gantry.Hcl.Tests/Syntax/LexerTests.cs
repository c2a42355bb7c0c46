using System.Text;
using CsCheck;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Tests.Syntax;

public sealed class LexerTests
{
    // Pieces that mean something, so that random texts reach deep into the grammar.
    private static readonly string[] Pieces =
    [
        "a", "b-c", "for", "in", "if", "else", "endif", "endfor", "true", "null", "1", "2.5", "1e3", "\"", "\"x\"", "${", "%{", "~", "}", "{", "[",
        "]", "(", ")", "=", "==", "=>", ":", "::", "?", "+", "-", "*", "/", "%", "!", "&&", "||", ".", "...", ",", "\n", "\r\n", " ", "\t", "#c",
        "//c", "/*c*/", "/*", "<<EOT\n", "<<-EOT\n", "EOT\n", "\nEOT\n", "\\", "\\n", "$${", "%%{", "$", "é", "日", "\u0301", "\uD800", "\uFFFD", "'",
        "`", ";", "@", "\0", "\uFEFF", "upper(", "[*]", ".*", "\\u0041", "x = ", "block \"l\" {\n", "}\n", "0.0",
    ];

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 60].Select(string.Concat),
        Gen.String[0, 80]);

    [Fact]
    public void Tokens_Concatenated_AreTheText() => Texts.Sample(
        text =>
        {
            foreach (var tokens in new[] { Lexer.Tokenize(text), Lexer.TokenizeTemplate(text) })
            {
                var at = 0;
                foreach (var token in tokens)
                {
                    Assert.Equal(at, token.Start);
                    Assert.True(token.Length > 0 || token.Kind == TokenKind.EndOfFile);
                    at = token.End;
                }
                Assert.Equal(text.Length, at);
            }
        },
        iter: 5_000);

    [Fact]
    public void AnyText_ParsedAndEvaluated_NeverThrows() => Texts.Sample(
        text =>
        {
            var file = new SourceFile("fuzz.hcl", text);
            var results = new[] { HclParser.ParseExpression(file), HclParser.ParseTemplate(file) };
            var body = HclParser.ParseFile(file);
            var diagnostics = new DiagnosticBag();
            diagnostics.AddRange(body.Diagnostics);
            foreach (var expression in results.Select(result => result.Expression).Concat(body.Body.Attributes.Select(a => a.Expression)))
            {
                Evaluator.Evaluate(expression, Hcl.Scope, diagnostics).ToString();
                References.Of(expression);
            }
            new DiagnosticRenderer { UsesColor = true }.Render(diagnostics);
        },
        iter: 3_000);

    [Fact]
    public void AnyBytes_Parsed_NeverThrow() => Gen.Byte.Array[0, 200].Sample(
        bytes =>
        {
            var result = HclParser.ParseFile("fuzz.hcl", bytes);
            new DiagnosticRenderer().Render(result.Diagnostics);
            if (!System.Text.Unicode.Utf8.IsValid(bytes))
                Assert.True(result.Diagnostics.HasErrors);
        },
        iter: 2_000);

    [Theory]
    [InlineData("a-b_c é", "Identifier Whitespace Identifier EndOfFile")]
    [InlineData("\"a${b}c\"", "OpenQuote QuotedText OpenInterpolation Identifier CloseSequence QuotedText CloseQuote EndOfFile")]
    [InlineData("\"${{a=\"}\"}}\"", "OpenQuote OpenInterpolation OpenBrace Identifier Assign OpenQuote QuotedText CloseQuote CloseBrace CloseSequence CloseQuote EndOfFile")]
    [InlineData("<<A\nx\n  A\n", "OpenHeredoc TemplateText CloseHeredoc Newline EndOfFile")]
    [InlineData("<<A\nA", "OpenHeredoc CloseHeredoc EndOfFile")]
    [InlineData("1.5e-3.a", "Number Dot Identifier EndOfFile")]
    [InlineData("1...", "Number Ellipsis EndOfFile")]
    [InlineData("a::b", "Identifier DoubleColon Identifier EndOfFile")]
    [InlineData("\uFEFFa", "Whitespace Identifier EndOfFile")]
    public void Text_Tokenized_HasTheseKinds(string text, string kinds) =>
        Assert.Equal(kinds, string.Join(' ', Lexer.Tokenize(text).Select(token => token.Kind)));

    [Fact]
    public void Position_CountsLinesCharactersAndBytes()
    {
        var file = new SourceFile("p.hcl", "a\n日e\u0301👩‍👩‍👧x\r\n\n");
        var x = file.Text.IndexOf('x');
        Assert.Equal(new SourcePosition(2, 4, 2 + 3 + 3 + Encoding.UTF8.GetByteCount("👩‍👩‍👧")), file.PositionOf(x));
        Assert.Equal(4, file.LineCount);
        Assert.Equal("日e\u0301👩‍👩‍👧x", file.LineText(2));
        Assert.Equal("p.hcl:2:4", file.Span(x, x + 1).ToString());
    }

    [Fact]
    public void Bytes_NotUtf8_ArePlaced()
    {
        var result = HclParser.ParseFile("b.hcl", [(byte)'a', (byte)' ', (byte)'=', (byte)' ', (byte)'1', (byte)'\n', (byte)'#', 0xFF, (byte)'\n']);
        Assert.StartsWith("b.hcl:2:2: error: Invalid character encoding", Assert.Single(result.Diagnostics).ToString(), StringComparison.Ordinal);
    }
}
