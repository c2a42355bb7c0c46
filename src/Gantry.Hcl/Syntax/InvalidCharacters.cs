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
            '\'' => ("Invalid character", "Single quotes are not valid. Use double quotes (\") to enclose strings."),
            '`' => ("Invalid character",
                "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, like \"<<EOT\"."),
            ';' => ("Invalid character",
                "The \";\" character is not valid. Use newlines to separate definitions, and commas to separate items."),
            '&' => ("Unsupported operator", "Bitwise operators are not supported. Did you mean boolean AND (\"&&\")?"),
            '|' => ("Unsupported operator", "Bitwise operators are not supported. Did you mean boolean OR (\"||\")?"),
            '^' or '~' => ("Unsupported operator", "Bitwise operators are not supported."),
            '\u201C' or '\u201D' => ("Invalid character",
                "\"Curly quotes\" are not valid here. These can sometimes be inadvertently introduced when sharing code via "
                + "documents or discussion forums. It might help to replace the character with a \"straight quote\"."),
            '\uFFFD' => ("Invalid character", "This is not valid UTF-8. Save the file with UTF-8 encoding."),
            < ' ' or '\u007F' => ("Invalid character", $"The control character U+{(int)text[0]:X4} is not valid here."),
            _ => ("Invalid character", $"The character \"{text}\" cannot be used here."),
        };
    }
}
