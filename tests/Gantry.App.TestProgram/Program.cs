using System.CommandLine;
using Gantry.App.CommandLine;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.Model;
using Gantry.Storage;

// The same frame as the real program's, around commands that behave badly in the ways that tests are about.
using var terminal = new SystemTerminal();
using var interruption = new Interruption();
var context = new CommandContext
{
    Terminal = terminal,
    Time = TimeProvider.System,
    Entropy = SystemEntropy.Instance,
    Environment = Environment.GetEnvironmentVariable,
    CrashFolder = () => DataFolders.FromEnvironment().Crashes,
};
interruption.LastWords = () => context.CurrentView?.Abandon();
interruption.Listen();
CommandEntry[] commands =
[
    new("work", CommandGroup.Host, "Show progress until interrupted", Work),
    new("stubborn", CommandGroup.Host, "Show progress and never stop", Stubborn),
    new("break", CommandGroup.Host, "Fail in a way nobody expected", Break),
];
return await new CommandRunner(context, commands, interruption).RunAsync(args);

static Command Work(CommandContext context)
{
    var command = new Command("work");
    command.SetAction(async (_, cancel) =>
    {
        using var view = context.StartProgress();
        view.Activity("Warming up");
        view.Activity("Copying a disk");
        view.Amount(30 << 20, 120 << 20, "bytes");
        view.GuestLine("\e[31mguest \e[2Jsays hello\r\n");
        view.Note("a note that stays");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, context.Time, cancel);
        }
        finally
        {
            // Long enough for the view to be drawn several times more.
            await Task.Delay(TimeSpan.FromSeconds(1), context.Time, CancellationToken.None);
            if (context.Environment("GANTRY_HOME") is { } folder)
                await File.WriteAllTextAsync(Path.Combine(folder, "cleaned"), "", CancellationToken.None);
        }
    });
    return command;
}

static Command Stubborn(CommandContext context)
{
    var command = new Command("stubborn");
    command.SetAction(async (_, _) =>
    {
        using var view = context.StartProgress();
        view.Activity("Ignoring everybody");
        await Task.Delay(Timeout.InfiniteTimeSpan, context.Time, CancellationToken.None);
    });
    return command;
}

static Command Break(CommandContext context)
{
    var secret = new Argument<string>("secret");
    var command = new Command("break") { secret };
    command.SetAction(void (_) => throw new InvalidOperationException("the wheels came off"));
    return command;
}
