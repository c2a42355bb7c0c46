using System.Text;

namespace Gantry.Machines.Guest;

/// <summary>Runs a script in a guest as root: at once when that is who is logged in, else through sudo.</summary>
public static class RootShell
{
    public static Task<ExitStatus> RunAsync(
        GuestShell shell, string user, string script, Action<string> onLine, CancellationToken cancellationToken) =>
        shell.ExecuteAsync(
            new GuestCommand { Text = As(user, "sh -s"), Input = new MemoryStream(Encoding.UTF8.GetBytes(script + "\n")) },
            line => onLine(line.Text),
            cancellationToken);

    /// <summary>The command as root; without a password, since nobody is there to give one.</summary>
    public static string As(string user, string command) => user == "root" ? command : $"sudo -n {command}";
}
