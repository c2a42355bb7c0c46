namespace Gantry.Hcl.Syntax;

/// <summary>The kinds of token.</summary>
public enum TokenKind
{
    /// <summary>End of the text; empty.</summary>
    EndOfFile,
    /// <summary>Spaces and tabs, or a byte order mark at the very start.</summary>
    Whitespace,
    /// <summary>LF or CR LF.</summary>
    Newline,
    /// <summary>A comment, without the line end that closes a line comment.</summary>
    Comment,
    /// <summary>A name.</summary>
    Identifier,
    /// <summary>A decimal number without sign.</summary>
    Number,
    /// <summary>The quote that opens a template.</summary>
    OpenQuote,
    /// <summary>The quote that closes a template.</summary>
    CloseQuote,
    /// <summary>Text in a quoted template, escapes not yet decoded.</summary>
    QuotedText,
    /// <summary>Text in a heredoc or a bare template.</summary>
    TemplateText,
    /// <summary>The opening of a heredoc with its marker and line end.</summary>
    OpenHeredoc,
    /// <summary>The closing marker of a heredoc with the blanks before it.</summary>
    CloseHeredoc,
    /// <summary><c>${</c> or <c>${~</c>.</summary>
    OpenInterpolation,
    /// <summary><c>%{</c> or <c>%{~</c>.</summary>
    OpenDirective,
    /// <summary><c>}</c> or <c>~}</c> that closes an interpolation or a directive.</summary>
    CloseSequence,
    /// <summary><c>{</c></summary>
    OpenBrace,
    /// <summary><c>}</c></summary>
    CloseBrace,
    /// <summary><c>[</c></summary>
    OpenBracket,
    /// <summary><c>]</c></summary>
    CloseBracket,
    /// <summary><c>(</c></summary>
    OpenParenthesis,
    /// <summary><c>)</c></summary>
    CloseParenthesis,
    /// <summary><c>,</c></summary>
    Comma,
    /// <summary><c>.</c></summary>
    Dot,
    /// <summary><c>...</c></summary>
    Ellipsis,
    /// <summary><c>=</c></summary>
    Assign,
    /// <summary><c>=&gt;</c></summary>
    FatArrow,
    /// <summary><c>:</c></summary>
    Colon,
    /// <summary><c>::</c></summary>
    DoubleColon,
    /// <summary><c>?</c></summary>
    Question,
    /// <summary><c>==</c></summary>
    Equal,
    /// <summary><c>!=</c></summary>
    NotEqual,
    /// <summary><c>&lt;</c></summary>
    Less,
    /// <summary><c>&lt;=</c></summary>
    LessOrEqual,
    /// <summary><c>&gt;</c></summary>
    Greater,
    /// <summary><c>&gt;=</c></summary>
    GreaterOrEqual,
    /// <summary><c>&amp;&amp;</c></summary>
    And,
    /// <summary><c>||</c></summary>
    Or,
    /// <summary><c>!</c></summary>
    Not,
    /// <summary><c>+</c></summary>
    Plus,
    /// <summary><c>-</c></summary>
    Minus,
    /// <summary><c>*</c></summary>
    Star,
    /// <summary><c>/</c></summary>
    Slash,
    /// <summary><c>%</c></summary>
    Percent,
    /// <summary>A character, or an unterminated comment, that belongs to nothing.</summary>
    Invalid,
}

/// <summary>One token: a kind and the stretch of text that it covers.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Index of its first UTF-16 code unit.</param>
/// <param name="End">Index after its last one.</param>
public readonly record struct Token(TokenKind Kind, int Start, int End)
{
    /// <summary>Length in UTF-16 code units.</summary>
    public int Length => End - Start;
}
