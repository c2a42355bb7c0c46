using System.CommandLine;
using Gantry.App.Commands;
using Gantry.App.Output;
using Gantry.App.Tests.Fakes;
using Gantry.App.Tests.Scripts;

namespace Gantry.App.Tests.CommandLine;

public sealed class CompletionTests
{
    private static readonly CommandEntry[] Commands =
    [
        new("start", CommandGroup.Machines, "Start machines", context => new Command("start") { CommonArguments.Machines(context) }),
        new("stop", CommandGroup.Machines, "Stop a machine", Stop),
        new("image", CommandGroup.Builds, "Images", Image),
        new("snapshot", CommandGroup.Machines, "Snapshots", SnapshotCommand.Build),
        new("__hidden", CommandGroup.Host, "", _ => new Command("__hidden"), Hidden: true),
    ];

    [Theory]
    [InlineData("start stop image snapshot", "")]
    [InlineData("start stop", "st")]
    [InlineData("", "x")]
    [InlineData("web web-2 db", "start", "")]
    [InlineData("web web-2", "start", "db", "we")]
    [InlineData("web web-2 db", "stop", "--force", "")]
    [InlineData("", "stop", "web", "")]
    [InlineData("--help --force --key --output", "stop", "-")]
    [InlineData("--output", "stop", "--o")]
    [InlineData("json", "stop", "-o", "j")]
    [InlineData(":files", "stop", "--key", "")]
    [InlineData("list remove", "image", "")]
    [InlineData("mini", "image", "remove", "m")]
    [InlineData("list delete web web-2 db", "snapshot", "")]
    [InlineData("web web-2 db", "snapshot", "list", "")]
    [InlineData("nightly warm", "snapshot", "delete", "web", "")]
    [InlineData("web web-2 db", "help", "start", "")]
    [InlineData("web web-2 db", "stop", "--", "")]
    public void Candidates_AreWhatFitsAtTheCursor(string expected, params string[] words)
    {
        var context = Contexts.With(new FakeTerminal(), names: new Names());
        var found = CompleteCommand.Candidates(words, Commands, context).Select(candidate => candidate.Value);
        Assert.Equal(expected, string.Join(' ', found));
    }

    [Theory]
    [InlineData("gantry com", "completion")]
    [InlineData("gantry completion ", "bash zsh fish")]
    [InlineData("gantry version -o=j", "json")]
    [InlineData("gantry version --out", "--output")]
    [InlineData("gantry nonsense ", "")]
    public async Task Bash_CompletesThroughTheRealProgram(string line, string expected)
    {
        // Bash's own splitting of the line: an equals sign is a word of its own.
        var words = line.Replace("=", " = ", StringComparison.Ordinal).Split(' ');
        var script = $"""
            PATH="{AppContext.BaseDirectory}:$PATH"
            source <(gantry completion bash)
            COMP_WORDS=({string.Join(' ', words.Select(word => $"'{word}'"))}) COMP_CWORD={words.Length - 1}
            _gantry
            echo "${"{COMPREPLY[*]}"}"
            """;
        var (code, output, error) = await Shell.RunAsync(["bash", "-c", script]);
        Assert.Equal((0, expected + "\n", ""), (code, output, error));
    }

    [Fact]
    public async Task Zsh_CompletesThroughTheRealProgram()
    {
        // _describe only works inside the completion system: what it is given is what counts.
        var script = $$"""
            PATH="{{AppContext.BaseDirectory}}:$PATH"
            source <(gantry completion zsh)
            _describe() { print -l -- ${(P)2} }
            words=(gantry version -o '') CURRENT=4
            _gantry
            words=(gantry ver) CURRENT=2
            _gantry
            """;
        var (code, output, error) = await Shell.RunAsync(["zsh", "-f", "-c", script]);
        Assert.Equal((0, $"table\njson\nyaml\nversion:{VersionCommand.Summary}\n", ""), (code, output, error));
    }

    [Fact]
    public async Task Fish_CompletesThroughTheRealProgram()
    {
        var script = $"""
            set PATH {AppContext.BaseDirectory} $PATH
            gantry completion fish | source
            complete -C 'gantry version -o j'
            complete -C 'gantry vers'
            """;
        var (code, output, error) = await Shell.RunAsync(["fish", "--no-config", "-c", script]);
        Assert.Equal((0, $"json\nversion\t{VersionCommand.Summary}\n", ""), (code, output, error));
    }

    private static Command Stop(CommandContext context)
    {
        var command = new Command("stop")
        {
            CommonArguments.Machine(context), new Option<bool>("--force"), new Option<string>("--key", "-k"),
        };
        OutputOption.AddTo(command);
        return command;
    }

    private static Command Image(CommandContext context) => new("image")
    {
        new Command("list"), new Command("remove") { CommonArguments.Template(context) },
    };

    private sealed class Names : INameSource
    {
        public IEnumerable<string> Machines() => ["web", "web-2", "db"];

        public IEnumerable<string> Templates() => ["debian", "mini"];

        public IEnumerable<string> Snapshots() => ["nightly", "warm"];
    }
}
