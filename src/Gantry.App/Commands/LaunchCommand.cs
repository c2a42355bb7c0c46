using System.CommandLine;
using System.Text.Json;
using Gantry.App.Client;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>
/// <c>gantry launch</c>: a new machine of a template or of a kernel, started; and <c>gantry create</c>, the same not
/// started.
/// </summary>
internal static class LaunchCommand
{
    public const string Summary = "Make a machine from a template or a kernel and start it";

    public const string CreateSummary = "Make a machine from a template or a kernel";

    public static Command Build(CommandContext context) => Make(context, "launch", Summary, start: true);

    public static Command BuildCreate(CommandContext context) => Make(context, "create", CreateSummary, start: false);

    /// <summary>Says where a machine that was started can be reached.</summary>
    public static void WriteStarted(CommandContext context, JsonElement machine)
    {
        var name = machine.GetProperty("name").GetString();
        context.Terminal.Out.Write($"{name} ({machine.GetProperty("number")}) is running\n");
        foreach (var port in machine.GetProperty("status").GetProperty("ports").EnumerateArray())
        {
            var what = port.GetProperty("guestPort").GetInt32() == 22
                ? $"gantry ssh {name}" : $"port {port.GetProperty("guestPort")}";
            var address = port.GetProperty("address").GetString();
            context.Terminal.Out.Write($"  {address}:{port.GetProperty("hostPort")} → {what}\n");
        }
    }

    /// <summary>A machine that was made only to be started goes again when it can't be.</summary>
    private static async Task StartNewAsync(
        CommandContext context, GantryNode node, MachineRecord machine, bool quietly,
        CancellationToken cancellationToken)
    {
        try
        {
            var started = await PowerClient.StartAsync(context, machine.Number.ToString(), cancellationToken);
            if (!quietly)
                WriteStarted(context, started);
        }
        catch (Exception e) when (e is ProblemException or OperationCanceledException)
        {
            // Protected or not: nobody has it yet.
            machine = await node.Machines.UpdateAsync(
                machine.Number,
                record => record with { Spec = record.Spec with { Protected = false } },
                CancellationToken.None);
            await node.Remover.DeleteAsync(machine, stop: true, CancellationToken.None);
            throw;
        }
    }

    private static Command Make(CommandContext context, string verb, string summary, bool start)
    {
        var template = CommonArguments.Template(context, "The template's name; none with --kernel");
        template.Arity = ArgumentArity.ZeroOrOne;
        var options = new MachineOptions();
        var kernel = new KernelOptions();
        var command = new Command(verb, summary) { template };
        options.AddTo(command);
        kernel.AddTo(command);
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var what = kernel.Of(parse, parse.GetValue(template));
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var found = what is null
                ? await node.Templates.GetAsync(parse.GetValue(template)!, cancellationToken) : null;
            var key = await NodeKey.GetAsync(node.Folders, cancellationToken);
            var wishes = await options.WishesAsync(node, parse, found?.LoginUser, key.PublicKey, cancellationToken);
            var machine = what is null
                ? await node.Launcher.FromTemplateAsync(found!, wishes, cancellationToken)
                : await node.Launcher.FromKernelAsync(what, wishes, cancellationToken);
            var quietly = output.Of(parse) != OutputFormat.Table;
            if (start)
                await StartNewAsync(context, node, machine, quietly, cancellationToken);
            if (quietly)
                await ListCommand.WriteAsync(context, node, machine, output.Of(parse), cancellationToken);
            else if (!start)
                context.Terminal.Out.Write(
                    $"{machine.Spec.Name} ({machine.Number}) is made: gantry start {machine.Spec.Name}\n");
            return ExitCodes.Ok;
        });
        return command;
    }
}
