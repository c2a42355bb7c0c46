namespace Gantry.Hcl.Syntax;

/// <summary>Explains what can stand nowhere in HCL, by what people coming from other languages meant with it.</summary>
internal static class InvalidCharacters
{
    public static (string Summary, string Detail) Explain(string text)
    {
        if (text.StartsWith("/*", StringComparison.Ordinal))
            return ("Unterminated comment", "A comment that starts with /* must end with */.");
        return text[0] switch
        {
            '\'' => ("Invalid character", "Strings are written in double quotes (\"), not in single ones."),
            '`' => ("Invalid character",
                "Backquotes are not used here. A string of several lines is written as a heredoc, which starts with \"<<EOT\"."),
            ';' => ("Invalid character",
                "Definitions are separated by newlines and items by commas, never by semicolons."),
            '&' => ("Unsupported operator", "There are no operators on bits. Logical AND is written \"&&\"."),
            '|' => ("Unsupported operator", "There are no operators on bits. Logical OR is written \"||\"."),
            '^' or '~' => ("Unsupported operator", "There are no operators on bits."),
            '\u201C' or '\u201D' => ("Invalid character",
                "This is a typographic quote, as word processors make them. Write a straight one (\") instead."),
            '\uFFFD' => ("Invalid character", "This is not valid UTF-8. Save the file with UTF-8 encoding."),
            < ' ' or '\u007F' => ("Invalid character", $"The control character U+{(int)text[0]:X4} is not valid here."),
            _ => ("Invalid character", $"The character \"{text}\" cannot be used here."),
        };
    }
}
