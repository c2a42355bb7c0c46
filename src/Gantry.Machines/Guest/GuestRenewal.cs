using System.Globalization;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

/// <summary>
/// Makes a guest that was loaded from memory fit to go on: its clock is set, and its random numbers become its own. Two
/// guests loaded from one memory would otherwise draw the same ones.
/// </summary>
public static class GuestRenewal
{
    private const int EntropyBytes = 32;
    private const string ProgramPath = "/tmp/.gantry-renew";

    /// <summary>Sets the clock, and mixes in 256 bits with a forced reseed; whether all of it was done.</summary>
    public static async Task<bool> RunAsync(
        GuestShell shell, string user, Isa isa, IEntropy entropy, TimeProvider time, CancellationToken cancellationToken)
    {
        var seed = new byte[EntropyBytes];
        entropy.Fill(seed);
        // struct rand_pool_info (linux/random.h): bits of entropy, bytes that follow, the bytes.
        byte[] pool = [.. BitConverter.GetBytes(EntropyBytes * 8), .. BitConverter.GetBytes(EntropyBytes), .. seed];
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var clock = string.Create(CultureInfo.InvariantCulture, $"date -u -s @{(now + 500) / 1000} > /dev/null");
        if (ReseedProgram.For(isa) is not { } program)
            return await WithInterpreterAsync(shell, user, clock, pool, cancellationToken).ConfigureAwait(false);
        await shell.UploadAsync(
            new MemoryStream(program),
            ProgramPath,
            new TransferOptions { Method = TransferMethod.Shell, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute },
            cancellationToken).ConfigureAwait(false);
        var command = $"{clock} && {ProgramPath}; code=$?; rm -f {ProgramPath}; exit $code";
        return await ExecuteAsync(shell, user, command, pool, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Where we have no program for the ISA, an interpreter of the guest's makes the same two calls.</summary>
    private static Task<bool> WithInterpreterAsync(
        GuestShell shell, string user, string clock, byte[] pool, CancellationToken cancellationToken)
    {
        // RNDADDENTROPY, RNDRESEEDCRNG; POWER has other bits for the direction of an ioctl.
        const string Perl =
            "read(STDIN,$p,40)==40 or exit 1; open(R,\"+>/dev/urandom\") or exit 1; "
            + "$w=`uname -m`=~/^ppc/?0x80085203:0x40085203; $n=`uname -m`=~/^ppc/?0x20005207:0x5207; "
            + "ioctl(R,$w,$p) or exit 1; ioctl(R,$n,0) or exit 1; exit 0";
        return ExecuteAsync(shell, user, $"{clock} && perl -e '{Perl}'", pool, cancellationToken);
    }

    private static async Task<bool> ExecuteAsync(
        GuestShell shell, string user, string command, byte[] input, CancellationToken cancellationToken)
    {
        var status = await shell.ExecuteAsync(
            new GuestCommand { Text = RootShell.As(user, $"sh -c {ShellText.Quote(command)}"), Input = new MemoryStream(input) },
            null,
            cancellationToken).ConfigureAwait(false);
        return status.IsSuccess;
    }
}
