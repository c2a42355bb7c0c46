using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.Engines;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>The verbs that change whether machines run: each takes one machine or more.</summary>
internal static class PowerCommands
{
    public const string StartSummary = "Start machines";
    public const string ShutdownSummary = "Ask machines to shut down, and wait until they have";
    public const string StopSummary = "End machines at once, as if their plugs were pulled";
    public const string RestartSummary = "Shut machines down and start them again";
    public const string PauseSummary = "Hold machines where they are";
    public const string ResumeSummary = "Let paused machines go on";

    private static Option<int> Timeout => new("--timeout") { HelpName = "SECONDS", Description = "How long to wait for the guest", DefaultValueFactory = _ => 60 };

    public static Command BuildStart(CommandContext context) =>
        Make(context, "start", StartSummary, (node, machine, token) =>
        LaunchCommand.StartAsync(context, node, machine, token));

    public static Command BuildShutdown(CommandContext context)
    {
        var timeout = Timeout;
        return Make(context, "shutdown", ShutdownSummary, timeout, async (node, machine, seconds, token) =>
        {
            await node.Host.ShutdownAsync(machine, TimeSpan.FromSeconds(seconds), token);
            context.Terminal.Out.Write($"{machine.Spec.Name} is shut down\n");
        });
    }

    public static Command BuildStop(CommandContext context) =>
        Make(context, "stop", StopSummary, async (node, machine, token) =>
    {
        await node.Host.StopAsync(machine, token);
        context.Terminal.Out.Write($"{machine.Spec.Name} is stopped\n");
    });

    public static Command BuildRestart(CommandContext context)
    {
        var timeout = Timeout;
        return Make(context, "restart", RestartSummary, timeout, async (node, machine, seconds, token) =>
        {
            if (node.Host.IsAlive(machine.Number))
                await node.Host.ShutdownAsync(machine, TimeSpan.FromSeconds(seconds), token);
            await LaunchCommand.StartAsync(context, node, machine, token);
        });
    }

    public static Command BuildPause(CommandContext context) =>
        Make(context, "pause", PauseSummary, (node, machine, token) =>
        WithGuestAsync(context, node, machine, "is paused", (guest, inner) => guest.PauseAsync(inner), token));

    public static Command BuildResume(CommandContext context) =>
        Make(context, "resume", ResumeSummary, (node, machine, token) =>
        WithGuestAsync(context, node, machine, "goes on", (guest, inner) => guest.ResumeAsync(inner), token));

    private static async Task WithGuestAsync(
        CommandContext context, GantryNode node, MachineRecord machine, string done,
        Func<IMachineGuest, CancellationToken, Task> act, CancellationToken token)
    {
        await using var guest = await node.Host.GetRunningAsync(machine, token);
        await act(guest, token);
        context.Terminal.Out.Write($"{machine.Spec.Name} {done}\n");
    }

    private static Command Make(
        CommandContext context, string verb, string summary,
        Func<GantryNode, MachineRecord, CancellationToken, Task> act)
    {
        var machines = CommonArguments.Machines(context);
        var command = new Command(verb, summary) { machines };
        command.SetAction((parse, token) => ForEachAsync(context, parse.GetValue(machines)!, act, token));
        return command;
    }

    private static Command Make(
        CommandContext context, string verb, string summary, Option<int> timeout,
        Func<GantryNode, MachineRecord, int, CancellationToken, Task> act)
    {
        var machines = CommonArguments.Machines(context);
        var command = new Command(verb, summary) { machines, timeout };
        command.SetAction((parse, token) => ForEachAsync(
            context, parse.GetValue(machines)!,
            (node, machine, inner) => act(node, machine, parse.GetValue(timeout), inner), token));
        return command;
    }

    private static async Task<int> ForEachAsync(
        CommandContext context, string[] names,
        Func<GantryNode, MachineRecord, CancellationToken, Task> act, CancellationToken token)
    {
        await using var node = await context.OpenNodeAsync(repair: true, token);
        // All names first: a slip in the last one must not leave half of it done.
        var found = new List<MachineRecord>();
        foreach (var name in names)
            found.Add(await node.Machines.GetAsync(name, token));
        foreach (var machine in found)
            await act(node, machine, token);
        return ExitCodes.Ok;
    }
}
