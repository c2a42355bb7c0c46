using Gantry.App.CommandLine;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.Model;
using Gantry.Storage;

// The composition root: what commands get from the outside world is chosen here and nowhere else.
using var terminal = new SystemTerminal();
using var interruption = new Interruption();
var context = new CommandContext
{
    Terminal = terminal,
    Time = TimeProvider.System,
    Entropy = SystemEntropy.Instance,
    Environment = Environment.GetEnvironmentVariable,
    CrashFolder = () => DataFolders.FromEnvironment().Crashes,
    Names = new StoredNames(() => DataFolders.FromEnvironment().StateFile),
};
interruption.LastWords = () =>
{
    context.CurrentView?.Abandon();
    RawTerminal.RestoreAll();
};
interruption.Listen();
return await new CommandRunner(context, CommandTable.All, interruption).RunAsync(args);
