using System.CommandLine;
using Gantry.Machines.Create;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry set</c> and <c>gantry rename</c>: changes to what a machine should be.</summary>
internal static class SetCommand
{
    public const string Summary = "Change a machine's settings; hardware changes at its next start";
    public const string RenameSummary = "Give a machine another name";

    public static Command Build(CommandContext context)
    {
        var name = CommonArguments.Machine(context);
        var cpus = new Option<int?>("--cpus") { Description = "Virtual CPUs" };
        var memory = new Option<string>("--memory", "-m") { HelpName = "SIZE", Description = "Memory: 512M, 2G" };
        var guarded = new Option<bool?>("--protected", "--protect") { Description = "Refuse to delete it" };
        var notes = new Option<string>("--notes") { HelpName = "TEXT", Description = "Notes for people" };
        var publish = new Option<string[]>("--publish", "-p")
        {
            HelpName = "[ADDRESS:]HOST:GUEST",
            Description = "The ports to publish, instead of those so far",
        };
        var share = new Option<string[]>("--share")
        {
            HelpName = "FOLDER:TAG[:ro]",
            Description = "The folders to share over 9p, instead of those so far",
        };
        var tags = new Option<string[]>("--tag")
        {
            HelpName = "TAG",
            Description = "Its tags, instead of those so far",
        };
        var restart = new Option<string>("--restart")
        {
            HelpName = "never|on-failure|always",
            Description = "Start it again when it ends by itself",
        };
        var autostart = new Option<bool?>("--autostart") { Description = "Start it when the host boots" };
        var order = new Option<int?>("--start-order")
        {
            HelpName = "NUMBER",
            Description = "When, among those that start with the host: lower ones first",
        };
        var delay = new Option<int?>("--start-delay")
        {
            HelpName = "SECONDS",
            Description = "How long the next one waits when this one has started with the host",
        };
        var command = new Command("set", Summary)
        {
            name, cpus, memory, guarded, notes, publish, share, tags, restart, autostart, order, delay,
        };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var machine = await node.Machines.GetAsync(parse.GetValue(name)!, cancellationToken);
            var ports = parse.GetValue(publish) is { Length: > 0 } texts
                ? texts.Select(MachineOptions.Port).ToValueList() : null;
            var shared = parse.GetValue(share) is { Length: > 0 } folders
                ? folders.Select(MachineOptions.Share).ToValueList() : null;
            var policy = parse.GetValue(restart) is { } word ? Policy(word) : (RestartPolicy?)null;
            var boot = (parse.GetValue(autostart), parse.GetValue(order), parse.GetValue(delay));
            var tagged = parse.GetValue(tags) is { Length: > 0 } words ? words.ToValueList() : null;
            var changed = await node.Machines.UpdateAsync(
                machine.Number,
                record => Checked(record, record with
                {
                    Spec = record.Spec with
                    {
                        Cpu = parse.GetValue(cpus) is { } count ? new CpuTopology { Count = count } : record.Spec.Cpu,
                        MemoryMiB = parse.GetValue(memory) is { } size
                            ? (int)(MachineOptions.Size("--memory", size, 1L << 20) >> 20) : record.Spec.MemoryMiB,
                        Protected = parse.GetValue(guarded) ?? record.Spec.Protected,
                        Notes = parse.GetValue(notes) ?? record.Spec.Notes,
                        NetworkCards = ports is null
                            ? record.Spec.NetworkCards : WithPorts(record.Spec.NetworkCards, ports),
                        SharedFolders = shared ?? record.Spec.SharedFolders,
                        Tags = tagged ?? record.Spec.Tags,
                        Restart = policy is { } chosen
                            ? record.Spec.Restart with { Policy = chosen } : record.Spec.Restart,
                        Autostart = Autostart(record.Spec.Autostart, boot),
                    },
                }),
                cancellationToken);
            var later = node.Host.IsAlive(machine.Number) && changed.Spec != machine.Spec with
            {
                Protected = changed.Spec.Protected,
                Notes = changed.Spec.Notes,
                Tags = changed.Spec.Tags,
                Restart = changed.Spec.Restart,
                Autostart = changed.Spec.Autostart,
            };
            context.Terminal.Out.Write(
                $"{changed.Spec.Name} is changed{(later ? "; it runs on as it was until it is restarted" : "")}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    public static Command BuildRename(CommandContext context)
    {
        var name = CommonArguments.Machine(context);
        var newName = new Argument<string>("new-name") { HelpName = "NEW_NAME", Description = "Its name from now on" };
        var command = new Command("rename", RenameSummary) { name, newName };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var machine = await node.Machines.GetAsync(parse.GetValue(name)!, cancellationToken);
            var wanted = Names.Check(parse.GetValue(newName)!, "machine");
            await node.Machines.UpdateAsync(
                machine.Number, record => record with { Spec = record.Spec with { Name = wanted } }, cancellationToken);
            context.Terminal.Out.Write($"{machine.Spec.Name} is now {wanted}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static AutostartSpec? Autostart(AutostartSpec? before, (bool? On, int? Order, int? Delay) asked)
    {
        if (asked.On == false)
        {
            return asked is { Order: null, Delay: null } ? null : throw new ProblemException(
                ProblemKind.InvalidInput,
                "--start-order and --start-delay say how it starts with the host, and --autostart false that it "
                    + "does not",
                "give one or the other");
        }

        if (asked is { On: null, Order: null, Delay: null })
            return before;
        var spec = before ?? new AutostartSpec();
        return spec with { Order = asked.Order ?? spec.Order, DelaySeconds = asked.Delay ?? spec.DelaySeconds };
    }

    private static RestartPolicy Policy(string word) => word switch
    {
        "never" => RestartPolicy.Never,
        "on-failure" => RestartPolicy.OnFailure,
        "always" => RestartPolicy.Always,
        _ => throw new ProblemException(
            ProblemKind.InvalidInput, $"--restart: expected never, on-failure or always, found '{word}'"),
    };

    private static MachineRecord Checked(MachineRecord before, MachineRecord after)
    {
        SpecCheck.CheckChange(before.Spec, after.Spec);
        return after;
    }

    private static ValueList<NetworkCardSpec> WithPorts(
        ValueList<NetworkCardSpec> cards, ValueList<PublishedPort> ports)
    {
        // The way in for gantry ssh stays, unless the guest's SSH port is published otherwise.
        var ssh = cards.SelectMany(card => card.Published)
            .Where(port => port.GuestPort == 22 && ports.All(one => one.GuestPort != 22));
        return cards.Select((card, i) => card with { Published = i == 0 ? [.. ports, .. ssh] : [] }).ToValueList();
    }
}
