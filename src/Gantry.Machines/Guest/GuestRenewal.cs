using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

/// <summary>
/// Makes a guest that was loaded from memory fit to go on: its clock is set, and its random numbers become its own. Two
/// guests loaded from one memory would otherwise draw the same ones.
/// </summary>
public static class GuestRenewal
{
    /// <summary>
    /// The clock may be off by as much as the message was old when it was certainly set. A guest that took longer was
    /// stalled, and it is told the time once more.
    /// </summary>
    internal static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(0.5);

    /// <summary>
    /// Where the program lies while it runs. Nobody in the guest can guess it, and put there what root then runs.
    /// </summary>
    internal static string NewProgramPath(IEntropy entropy) => $"/tmp/.gantry-{entropy.NewHex(8)}";

    /// <summary>Runs the program and takes it away.</summary>
    internal static string RunProgram(string path) => $"{path}; code=$?; rm -f {path}; exit $code";

    /// <summary>Over SSH: sets the clock, and mixes in 256 bits with a forced reseed; whether all was done.</summary>
    public static async Task<bool> RunAsync(
        GuestShell shell, string user, Isa isa, IEntropy entropy, TimeProvider time, CancellationToken cancellationToken)
    {
        var (done, age) = await TryAsync(shell, user, isa, entropy, time, cancellationToken).ConfigureAwait(false);
        if (done && age > LongestWay)
            (done, _) = await TryAsync(shell, user, isa, entropy, time, cancellationToken).ConfigureAwait(false);
        return done;
    }

    private static async Task<(bool Done, TimeSpan Age)> TryAsync(
        GuestShell shell, string user, Isa isa, IEntropy entropy, TimeProvider time, CancellationToken cancellationToken)
    {
        var command = $"perl -e '{RenewalProgram.Perl(isa)}'";
        if (RenewalProgram.For(isa) is { } program)
        {
            var path = NewProgramPath(entropy);
            await UploadAsync(shell, program, path, cancellationToken).ConfigureAwait(false);
            command = RunProgram(path);
        }

        await using var input = new RenewalInput(entropy, time);
        var status = await shell.ExecuteAsync(
            new GuestCommand { Text = RootShell.As(user, $"sh -c {ShellText.Quote(command)}"), Input = input },
            line =>
            {
                if (line.Kind == OutputKind.Standard)
                    input.Ready();
            },
            cancellationToken).ConfigureAwait(false);
        return (status.IsSuccess, input.Age);
    }

    private static Task UploadAsync(
        GuestShell shell, byte[] program, string path, CancellationToken cancellationToken) =>
        shell.UploadAsync(
            new MemoryStream(program),
            path,
            new TransferOptions
            {
                Method = TransferMethod.Shell,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            },
            cancellationToken);
}
