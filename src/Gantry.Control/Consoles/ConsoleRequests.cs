using System.Text;
using System.Text.RegularExpressions;
using Gantry.Control.Api;
using Gantry.Control.Api.Machines;
using Gantry.Model;
using Gantry.Model.Nodes;

namespace Gantry.Control.Consoles;

/// <summary>Reads what console somebody wants, and says what is wrong with it.</summary>
internal static partial class ConsoleRequests
{
    private const string UsualTerminal = "xterm-256color";

    /// <exception cref="ProblemException">It makes no sense; the summary names the field.</exception>
    public static ConsoleRequest Read(ConsoleBody body) => body.Kind switch
    {
        ConsoleKind.Serial => ReadSerial(body),
        ConsoleKind.Vnc => ReadVnc(body),
        ConsoleKind.Exec => ReadExec(body),
    };

    private static ConsoleRequest.Serial ReadSerial(ConsoleBody body)
    {
        RefuseExec(body);
        var scrollBack = body.ScrollBack ?? ConsoleRequest.Serial.MostScrollBack;
        if (scrollBack is < 0 or > ConsoleRequest.Serial.MostScrollBack)
            throw ApiInput.Invalid(
                $"scrollBack: expected 0 to {ConsoleRequest.Serial.MostScrollBack} bytes, found {scrollBack}");
        return new ConsoleRequest.Serial { ReadOnly = body.ReadOnly ?? false, ScrollBack = scrollBack };
    }

    private static ConsoleRequest.Vnc ReadVnc(ConsoleBody body)
    {
        RefuseExec(body);
        RefuseSerial(body);
        return new ConsoleRequest.Vnc();
    }

    private static ConsoleRequest.Exec ReadExec(ConsoleBody body)
    {
        RefuseSerial(body);
        if (body.Command is null == body.Terminal is null)
        {
            throw ApiInput.Invalid(
                "command, terminal: expected one of them, found " + (body.Command is null ? "none" : "both"),
                "a command has no terminal; a terminal is for a login shell");
        }

        if (body.Command is { } command
            && (command.Contains('\0')
                || Encoding.UTF8.GetByteCount(command) is 0 or > ConsoleRequest.Exec.LongestCommand))
            throw ApiInput.Invalid(
                $"command: expected 1 to {ConsoleRequest.Exec.LongestCommand} bytes without a zero byte");
        if (body.User is { } user && !User().IsMatch(user))
            throw ApiInput.Invalid("user: expected 1 to 255 characters without blanks and control characters");
        return new ConsoleRequest.Exec
        {
            Command = body.Command,
            Terminal = ReadTerminal(body.Terminal),
            User = body.User,
        };
    }

    private static ConsoleTerminal? ReadTerminal(TerminalBody? body)
    {
        if (body is null)
            return null;
        const int Most = ConsoleTerminal.LongestSide;
        if (body.Columns is < 1 or > Most || body.Rows is < 1 or > Most)
        {
            throw ApiInput.Invalid(
                $"terminal.columns, terminal.rows: expected 1 to {Most}, found {body.Columns} and {body.Rows}");
        }

        var type = body.Type ?? UsualTerminal;
        return TerminalType().IsMatch(type)
            ? new ConsoleTerminal(type, body.Columns, body.Rows)
            : throw ApiInput.Invalid($"terminal.type: expected a name such as {UsualTerminal}");
    }

    private static void RefuseExec(ConsoleBody body)
    {
        if (body.Command is not null || body.Terminal is not null || body.User is not null)
            throw ApiInput.Invalid("command, terminal, user: expected none of them for a console that runs no command");
    }

    private static void RefuseSerial(ConsoleBody body)
    {
        if (body.ReadOnly is not null || body.ScrollBack is not null)
            throw ApiInput.Invalid("readOnly, scrollBack: expected none of them for what is no serial console");
    }

    [GeneratedRegex(@"\A[^\s\p{C}]{1,255}\z")]
    private static partial Regex User();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\z")]
    private static partial Regex TerminalType();
}
