using System.CommandLine;
using Gantry.App.Demo;

namespace Gantry.App.Commands;

/// <summary><c>gantry demo</c>: the whole way on this host, from an installer ISO to a machine that answers.</summary>
internal static class DemoCommand
{
    public const string Summary = "Show the whole way: an installer ISO, a template, a machine that serves a page";

    public static Command Build(CommandContext context)
    {
        var once = new Option<bool>("--once") { Description = "Stop the machine at the end" };
        var reset = new Option<bool>("--reset") { Description = "Take away what the demo made" };
        var command = new Command("demo", Summary) { once, reset };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var demo = new DemoRun(context);
            if (parse.GetValue(reset))
                await demo.ResetAsync(cancellationToken);
            else
                await demo.RunAsync(parse.GetValue(once), cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }
}
