using System.CommandLine;
using Gantry.App.CommandLine;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.App.Tests.Fakes;
using Gantry.Model;

namespace Gantry.App.Tests.CommandLine;

public sealed class CommandRunnerTests : IDisposable
{
    private readonly FakeTerminal _terminal = new();
    private readonly Interruption _interruption = new();
    private readonly string _state = Directory.CreateTempSubdirectory("gantry-app-").FullName;
    private readonly List<string> _ran = [];

    public void Dispose()
    {
        _interruption.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public async Task NoWords_WriteTheOverviewAsAHint_AndEndWithUsage()
    {
        Assert.Equal(ExitCodes.Usage, await RunAsync());
        Assert.Contains("Usage: gantry COMMAND", _terminal.ErrorText.ToString(), StringComparison.Ordinal);
        Assert.Equal("", _terminal.OutText.ToString());
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("help")]
    public async Task Help_ListsEveryShownCommand_OnStandardOutput(string word)
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync(word));
        Assert.Contains("  delete  Delete machines\n", _terminal.OutText.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("__hidden", _terminal.OutText.ToString(), StringComparison.Ordinal);
        Assert.Equal("", _terminal.ErrorText.ToString());
    }

    [Theory]
    [InlineData("delete", "--help")]
    [InlineData("delete", "-help")]
    [InlineData("help", "delete")]
    [InlineData("delete", "a", "-h")]
    public async Task CommandHelp_ShowsUsage_WithoutRunningOrAskingForArguments(params string[] words)
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync(words));
        Assert.StartsWith("Usage: gantry delete [OPTIONS] MACHINE...\n", _terminal.OutText.ToString(), StringComparison.Ordinal);
        Assert.Contains("  -h, --help  Show this help\n", _terminal.OutText.ToString(), StringComparison.Ordinal);
        Assert.Empty(_ran);
    }

    [Fact]
    public async Task UnknownCommand_SuggestsTheNearest_AndEndsWithUsage()
    {
        Assert.Equal(ExitCodes.Usage, await RunAsync("delte", "web"));
        Assert.Equal(
            "gantry: there is no command 'delte'\nDid you mean delete?\nSee 'gantry --help'\n",
            _terminal.ErrorText.ToString());
    }

    [Theory]
    [InlineData("delete", "--forse", "web")]
    [InlineData("delete", "web", "--forse")]
    [InlineData("delete", "--forse=yes", "web")]
    public async Task UnknownOption_NeverBecomesAnArgument(params string[] words)
    {
        Assert.Equal(ExitCodes.Usage, await RunAsync(words));
        Assert.Equal(
            "gantry: 'delete' has no option --forse\nDid you mean --force?\nSee 'gantry delete --help'\n",
            _terminal.ErrorText.ToString());
        Assert.Empty(_ran);
    }

    [Fact]
    public async Task ArgumentBehindTwoHyphens_MayLookLikeAnOption()
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync("delete", "--force", "--", "--odd", "-x"));
        Assert.Equal(["delete force=True --odd -x"], _ran);
    }

    [Fact]
    public async Task OptionsValue_MayLookLikeAnOption_AndALoneHyphenIsAnArgument()
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync("exec", "--user", "-root", "-"));
        Assert.Equal(["exec user=-root -"], _ran);
    }

    [Fact]
    public async Task RemainingWords_OfACommandForTheGuest_AreLeftAlone()
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync("exec", "ls", "-la", "@file"));
        Assert.Equal(["exec user= ls -la @file"], _ran);
    }

    [Fact]
    public async Task PackersOptions_WithOneHyphen_AreNotBundled()
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync("exec", "-user=admin", "id"));
        Assert.Equal(["exec user=admin id"], _ran);
    }

    [Theory]
    [InlineData("'delete' needs a MACHINE", "delete")]
    [InlineData("'image' needs a command behind it", "image")]
    [InlineData("'image' has no command 'lst'", "image", "lst")]
    [InlineData("'image list' was given one word too many: 'x'", "image", "list", "x")]
    public async Task WrongUsage_SaysWhatIsMissingOrTooMuch(string expected, params string[] words)
    {
        Assert.Equal(ExitCodes.Usage, await RunAsync(words));
        Assert.StartsWith($"gantry: {expected}\n", _terminal.ErrorText.ToString(), StringComparison.Ordinal);
        Assert.Empty(_ran);
    }

    [Theory]
    [InlineData(ProblemKind.InvalidInput, 1)]
    [InlineData(ProblemKind.Failed, 1)]
    [InlineData(ProblemKind.NotFound, 3)]
    [InlineData(ProblemKind.Conflict, 4)]
    [InlineData(ProblemKind.Unavailable, 5)]
    [InlineData(ProblemKind.TimedOut, 6)]
    public async Task Problem_BecomesTextAndItsKindsExitCode(ProblemKind kind, int code)
    {
        Assert.Equal(code, await RunAsync("fail", kind.ToString()));
        Assert.Equal(
            "gantry: the machine can't be deleted\n  it is running\n  since noon\nStop it first: gantry stop web\n",
            _terminal.ErrorText.ToString());
    }

    [Fact]
    public async Task UnexpectedException_IsReportedInAFile_WithoutTheArguments()
    {
        Assert.Equal(ExitCodes.Bug, await RunAsync("fail", "hunter2"));
        var report = Assert.Single(Directory.GetFiles(Path.Combine(_state, "reports")));
        Assert.Contains(report, _terminal.ErrorText.ToString(), StringComparison.Ordinal);
        var text = await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken);
        Assert.Contains("command: fail\n", text, StringComparison.Ordinal);
        Assert.Contains("   at Gantry.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnexpectedException_WithoutAPlaceForTheReport_IsShownWhole()
    {
        await File.WriteAllTextAsync(Path.Combine(_state, "reports"), "", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Bug, await RunAsync("fail", "hunter2"));
        Assert.Contains("   at Gantry.", _terminal.ErrorText.ToString(), StringComparison.Ordinal);
    }

    private async Task<int> RunAsync(params string[] words)
    {
        var context = Contexts.With(_terminal, crashFolder: Path.Combine(_state, "reports"));
        CommandEntry[] commands =
        [
            new("delete", CommandGroup.Machines, "Delete machines", Delete),
            new("exec", CommandGroup.Machines, "Run a command in a machine", Exec),
            new("fail", CommandGroup.Host, "Fail", Fail),
            new("image", CommandGroup.Builds, "Images", _ => new Command("image") { new Command("list") }),
            new("__hidden", CommandGroup.Host, "Nothing to see", _ => new Command("__hidden"), Hidden: true),
        ];
        return await new CommandRunner(context, commands, _interruption).RunAsync(words);
    }

    private Command Delete(CommandContext context)
    {
        var machines = CommonArguments.Machines(context);
        var force = new Option<bool>("--force") { Description = "Without asking" };
        var command = new Command("delete", "Delete machines") { machines, force };
        command.SetAction(parse =>
            _ran.Add($"delete force={parse.GetValue(force)} {string.Join(' ', parse.GetValue(machines)!)}"));
        return command;
    }

    private Command Exec(CommandContext context)
    {
        var user = new Option<string>("--user", "-user");
        var words = new Argument<string[]>("words") { CaptureRemainingTokens = true, Arity = ArgumentArity.OneOrMore };
        var command = new Command("exec") { user, words };
        command.SetAction(parse =>
            _ran.Add($"exec user={parse.GetValue(user)} {string.Join(' ', parse.GetValue(words)!)}"));
        return command;
    }

    private static Command Fail(CommandContext context)
    {
        var kind = new Argument<string>("kind");
        var command = new Command("fail") { kind };
        command.SetAction(void (parse) => throw (Enum.TryParse<ProblemKind>(parse.GetValue(kind), out var problem)
            ? new ProblemException(
                problem, "the machine can't be deleted", "stop it first: gantry stop web", "it is running\nsince noon\n")
            : new InvalidOperationException("the wheels came off")));
        return command;
    }
}
