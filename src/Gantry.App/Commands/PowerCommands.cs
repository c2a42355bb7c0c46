using System.CommandLine;
using System.Text.Json;
using Gantry.App.Client;
using Gantry.App.Hosting;
using Gantry.Engines;
using Gantry.Model.Machines;
using Gantry.Model.Running;

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

    private static Option<int> Timeout => new("--timeout")
    {
        HelpName = "SECONDS",
        Description = "How long to wait for the guest",
        DefaultValueFactory = _ => PowerIntent.UsualPatience,
    };

    public static Command BuildStart(CommandContext context) =>
        MakeAsked(context, "start", StartSummary, "Starting", null, LaunchCommand.WriteStarted);

    public static Command BuildShutdown(CommandContext context)
    {
        var machines = CommonArguments.Machines(context, optional: true);
        var timeout = new Option<int?>("--timeout")
        {
            HelpName = "SECONDS",
            Description =
                $"How long to wait for the guest ({PowerIntent.UsualPatience}; with --all 180 for all of them)",
        };
        var all = new Option<bool>("--all")
        {
            Description =
                "All machines, as when the host goes down: those that start last first; ends them at the time-out",
        };
        var command = new Command("shutdown", ShutdownSummary) { machines, timeout, all };
        command.Validators.Add(result =>
        {
            if (result.GetValue(all) == result.GetValue(machines) is { Length: > 0 })
                result.AddError("give the machines' names, or --all");
        });
        command.SetAction((parse, token) => parse.GetValue(all)
            ? ShutDownAllAsync(context, parse.GetValue(timeout), token)
            : AskAsync(
                context, parse.GetValue(machines)!, "shutdown", "Shutting down",
                parse.GetValue(timeout) ?? PowerIntent.UsualPatience,
                (_, machine) => WriteName(context, machine, "is shut down"), token));
        return command;
    }

    public static Command BuildStop(CommandContext context) =>
        MakeAsked(
            context, "stop", StopSummary, "Stopping", null, (_, machine) => WriteName(context, machine, "is stopped"));

    public static Command BuildRestart(CommandContext context) =>
        MakeAsked(context, "restart", RestartSummary, "Restarting", Timeout, LaunchCommand.WriteStarted);

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

    /// <summary>A verb that the node carries out.</summary>
    private static Command MakeAsked(
        CommandContext context, string verb, string summary, string activity, Option<int>? timeout,
        Action<CommandContext, JsonElement> write)
    {
        var machines = CommonArguments.Machines(context);
        var command = new Command(verb, summary) { machines };
        if (timeout is not null)
            command.Add(timeout);
        command.SetAction((parse, token) => AskAsync(
            context, parse.GetValue(machines)!, verb, activity, timeout is null ? null : parse.GetValue(timeout), write,
            token));
        return command;
    }

    private static async Task<int> AskAsync(
        CommandContext context, string[] names, string verb, string activity, int? timeout,
        Action<CommandContext, JsonElement> write, CancellationToken token)
    {
        using var node = await NodeStarter.ConnectAsync(context, token);
        // All names first: a slip in the last one must not leave half of it done.
        foreach (var name in names)
            await node.GetAsync("machines/" + Uri.EscapeDataString(name), token);
        foreach (var name in names)
        {
            using var view = context.StartProgress();
            view.Activity($"{activity} {name}");
            var machine = await PowerClient.AskAsync(node, name, verb, timeout, token);
            view.Complete();
            write(context, machine);
        }

        return ExitCodes.Ok;
    }

    private static async Task<int> ShutDownAllAsync(CommandContext context, int? timeout, CancellationToken token)
    {
        using var node = await NodeStarter.ConnectAsync(context, token);
        using var view = context.StartProgress();
        view.Activity("Shutting down all machines");
        var answer = await node.PostAsync("node/shutdown-guests", PowerClient.Body(timeout), token);
        view.Complete();
        var failed = false;
        foreach (var machine in answer.GetProperty("items").EnumerateArray())
        {
            var outcome = machine.GetProperty("outcome").GetString();
            failed |= outcome == "failed";
            var done = outcome switch
            {
                "shutdown" => "is shut down",
                "killed" => "did not shut down in time, and was ended",
                _ => "still runs",
            };
            context.Terminal.Out.Write($"{machine.GetProperty("machine").GetString()} {done}\n");
        }

        return failed ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static void WriteName(CommandContext context, JsonElement machine, string done) =>
        context.Terminal.Out.Write($"{machine.GetProperty("name").GetString()} {done}\n");

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
