using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

/// <summary>
/// <see cref="GuestRenewal"/> through QEMU's guest agent, for guests that have one: no network and no login are needed.
/// </summary>
public static class AgentRenewal
{
    /// <summary>A resumed agent answers at once; where none runs, nobody should wait for long.</summary>
    private static readonly TimeSpan PingPatience = TimeSpan.FromSeconds(2);

    /// <summary>Starting a small program, on an emulated guest on a busy host.</summary>
    private static readonly TimeSpan ProgramPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StatusPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Sets the clock, and mixes in 256 bits with a forced reseed. False where that can't be done this way: no agent
    /// answers, it does not run programs (distributions forbid <c>guest-exec</c>), or the program failed.
    /// </summary>
    public static async Task<bool> RunAsync(
        IMachineGuest guest, Isa isa, IEntropy entropy, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await guest.GuestAgentAsync("guest-ping", null, PingPatience, cancellationToken).ConfigureAwait(false);
            await SetTimeAsync(guest, time, cancellationToken).ConfigureAwait(false);
            var (done, age) = await TryAsync(guest, isa, entropy, time, cancellationToken).ConfigureAwait(false);
            if (done && age > GuestRenewal.LongestWay)
                (done, _) = await TryAsync(guest, isa, entropy, time, cancellationToken).ConfigureAwait(false);
            return done;
        }
        catch (ProblemException)
        {
            return false;
        }
    }

    /// <summary>
    /// The agent sets the guest's hardware clock too, for which it needs a program that not every guest has: so its
    /// refusal does not count. The system's clock is set again by our program, which comes after it in any case.
    /// </summary>
    private static async Task SetTimeAsync(IMachineGuest guest, TimeProvider time, CancellationToken cancellationToken)
    {
        var nanoseconds = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        try
        {
            var arguments = new JsonObject { ["time"] = nanoseconds };
            await guest.GuestAgentAsync("guest-set-time", arguments, null, cancellationToken).ConfigureAwait(false);
        }
        catch (ProblemException)
        {
        }
    }

    private static async Task<(bool Done, TimeSpan Age)> TryAsync(
        IMachineGuest guest, Isa isa, IEntropy entropy, TimeProvider time, CancellationToken cancellationToken)
    {
        string[] command = ["perl", "-e", RenewalProgram.Perl(isa)];
        if (RenewalProgram.For(isa) is { } program)
        {
            var path = GuestRenewal.NewProgramPath(entropy);
            string[] write = ["/bin/sh", "-c", $"set -C; umask 077; cat > {path} && chmod 700 {path}"];
            if (!await ExecuteAsync(guest, write, program, time, cancellationToken).ConfigureAwait(false))
                return (false, TimeSpan.Zero);
            command = ["/bin/sh", "-c", GuestRenewal.RunProgram(path)];
        }

        var start = time.GetTimestamp();
        var done = await ExecuteAsync(guest, command, RenewalMessage.Now(entropy, time), time, cancellationToken)
            .ConfigureAwait(false);
        return (done, time.GetElapsedTime(start));
    }

    /// <summary>Runs a program in the guest to its end; whether it succeeded.</summary>
    private static async Task<bool> ExecuteAsync(
        IMachineGuest guest, string[] command, byte[] input, TimeProvider time, CancellationToken cancellationToken)
    {
        var arguments = new JsonObject
        {
            ["path"] = command[0],
            ["arg"] = new JsonArray([.. command.Skip(1).Select(word => (JsonNode)word)]),
            ["input-data"] = Convert.ToBase64String(input),
        };
        var begun = await guest.GuestAgentAsync("guest-exec", arguments, null, cancellationToken).ConfigureAwait(false);
        var start = time.GetTimestamp();
        var pid = Number(begun, "pid");
        while (true)
        {
            var status = await guest.GuestAgentAsync(
                "guest-exec-status", new JsonObject { ["pid"] = pid }, null, cancellationToken).ConfigureAwait(false);
            // Without an exit code a signal ended it.
            if (Property(status, "exited") is { ValueKind: JsonValueKind.True })
                return Property(status, "exitcode") is not null && Number(status, "exitcode") == 0;
            if (time.GetElapsedTime(start) > ProgramPatience)
                return false;
            await Task.Delay(StatusPoll, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static long Number(JsonElement answer, string name) =>
        Property(answer, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number)
            ? number
            : throw new ProblemException(ProblemKind.Failed, $"the guest agent's answer has no number '{name}'");

    /// <summary>The guest may answer what it likes.</summary>
    private static JsonElement? Property(JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var value) ? value : null;
}
