using System.CommandLine;
using System.Text;
using Gantry.App.Hosting;
using Gantry.App.Progress;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>How commands log in to a guest: their options, and the connection that comes of them.</summary>
internal sealed class GuestLogin
{
    private const int LongestPassword = 1024;

    /// <summary>A guest's first boot puts the key in after its SSH server is up; a wrong login must end soon.</summary>
    private const int LoginAttempts = 5;

    private readonly Option<string> _user = new("--user", "-u")
    {
        HelpName = "USER",
        Description = "Who logs in; otherwise cloud-init's user, the template's, or root",
    };

    private readonly Option<bool> _password = new("--password")
    {
        Description = "Ask for a password, for a guest that does not know Gantry's key",
    };

    private readonly Option<string> _key = new("--key", "-i")
    {
        HelpName = "FILE",
        Description = "A private key's file instead of Gantry's own key",
    };

    private readonly Option<string> _timeout = new("--timeout")
    {
        HelpName = "TIME",
        Description = "How long to wait for the guest's SSH, such as 30s or 5m (60s)",
    };

    private readonly Option<bool> _newHostKey = new("--new-host-key")
    {
        Description = "Forget the guest's SSH host key, and remember the one that it shows now",
    };

    private GuestLogin()
    {
    }

    public static GuestLogin AddTo(Command command)
    {
        var login = new GuestLogin();
        command.Add(login._user);
        command.Add(login._password);
        command.Add(login._key);
        command.Add(login._timeout);
        command.Add(login._newHostKey);
        return login;
    }

    /// <summary>Logs in; waits for a guest that is still booting.</summary>
    /// <exception cref="ProblemException">The machine does not run, publishes no port for SSH, or lets nobody in.</exception>
    public async Task<GuestShell> ConnectAsync(
        CommandContext context, GantryNode node, MachineRecord machine, ParseResult parse,
        CancellationToken cancellationToken)
    {
        var patience = DurationText.Parse(parse.GetValue(_timeout) ?? "60s");
        await RequireRunningAsync(node, machine, cancellationToken);
        if (parse.GetValue(_newHostKey))
            KnownHostKey.Forget(node.Folders, machine.Number);
        var target = await node.Login.TargetAsync(
            machine, parse.GetValue(_user), parse.GetValue(_key), cancellationToken);
        if (parse.GetValue(_password))
            target = target with { Password = await AskAsync(context.Terminal, target, cancellationToken) };
        target = target with { HandshakeAttempts = LoginAttempts };
        IProgressView? view = null;
        try
        {
            var shell = await node.Login.ConnectAsync(machine, target, patience, met =>
            {
                // Nothing is shown for a guest that lets one in at once.
                if (met is not SshObservation.Connected && view is null)
                {
                    view = context.StartProgress();
                    view.Activity($"Waiting for SSH of {machine.Spec.Name} as {target.User}");
                }
            }, cancellationToken);
            view?.Complete();
            return shell;
        }
        finally
        {
            view?.Dispose();
        }
    }

    /// <summary>A paused guest never answers, and one would wait for it in vain.</summary>
    private static async Task RequireRunningAsync(
        GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        await using var guest = await node.Host.GetRunningAsync(machine, cancellationToken);
        if (await guest.PhaseAsync(cancellationToken) == MachinePhase.Paused)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{machine.Spec.Name} is paused",
                $"let it go on: gantry resume {machine.Spec.Name}");
        }
    }

    /// <summary>From the keyboard without showing it, or the first line of a pipe.</summary>
    private static async Task<string> AskAsync(
        ITerminal terminal, SshTarget target, CancellationToken cancellationToken)
    {
        if (terminal.InIsTerminal)
            terminal.Error.Write($"Password of {target.User}: ");
        await using var input = RawTerminal.OpenInput();
        using var raw = terminal.InIsTerminal ? RawTerminal.TryOpen() : null;
        var bytes = new List<byte>();
        var one = new byte[1];
        while (await input.ReadAsync(one, cancellationToken) > 0 && one[0] is not ((byte)'\r' or (byte)'\n'))
        {
            const byte Interrupt = 3, Backspace = 8, Delete = 127;
            if (raw is not null && one[0] == Interrupt)
                throw new ProblemException(ProblemKind.InvalidInput, "no password was given");
            if (raw is not null && one[0] is Backspace or Delete)
            {
                if (bytes.Count > 0)
                    bytes.RemoveAt(bytes.Count - 1);
            }
            else if (bytes.Count < LongestPassword)
            {
                bytes.Add(one[0]);
            }
        }

        if (raw is not null)
            terminal.Error.Write("\r\n");
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
