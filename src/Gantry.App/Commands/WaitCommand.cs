using System.CommandLine;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry wait</c>: until a machine, or a service in it, is there.</summary>
internal static class WaitCommand
{
    public const string Summary = "Wait until a machine runs, stops, or answers";

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Reading what was added to a file costs less than asking a guest.</summary>
    private static readonly TimeSpan ReadInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>After which another connection is made beside one that has no answer yet.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(1);

    /// <summary>Enough that one begins each second while an answer may take <see cref="GoalProbe"/>'s ten.</summary>
    private const int MostConnections = 10;

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var goal = new Option<string>("--for")
        {
            HelpName = "GOAL",
            Description = "running, stopped, ssh, port:N, http[:N[/PATH]], or serial:REGEX; N is a port of the guest "
                + "that it publishes, REGEX what a line of its serial console holds",
            Required = true,
        };
        goal.CompletionSources.Add("running", "stopped", "ssh", "port:", "http", "serial:");
        var timeout = new Option<string>("--timeout")
        {
            HelpName = "TIME",
            Description = "When to give up, such as 30s or 5m (60s)",
        };
        var command = new Command("wait", Summary) { machine, goal, timeout };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var wanted = WaitGoal.Parse(parse.GetValue(goal)!);
            var patience = DurationText.Parse(parse.GetValue(timeout) ?? "60s");
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            // Asked before the wait: of a machine that has ended meanwhile it can't be told any more.
            var started = node.Host.Runtime(record.Number)?.Started;
            string? line;
            using (var view = context.StartProgress())
            {
                view.Activity($"Waiting for {record.Spec.Name}: {wanted}");
                line = await WaitAsync(node, record, wanted, patience, context.Time, cancellationToken);
                view.Complete();
            }

            var result = new WaitResult
            {
                Machine = record.Spec.Name,
                Goal = wanted.ToString(),
                SecondsSinceStart = started is { } at
                    ? Math.Round((context.Time.GetUtcNow() - at).TotalSeconds, 2) : null,
                Line = line,
            };
            if (output.Of(parse) != OutputFormat.Table || line is not null)
            {
                context.Output.Write(
                    new Rendered<WaitResult>(
                        result, () => WaitJson.Default.WaitResult, one => new FieldList { { "line", one.Line ?? "" } }),
                    output.Of(parse));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Returns when the goal is reached, with the line of the serial console that reached it.</summary>
    private static async Task<string?> WaitAsync(
        GantryNode node, MachineRecord machine, WaitGoal goal, TimeSpan patience, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var console = goal.Pattern is { } pattern
            ? new SerialGoal(node.Host.PathsOf(machine.Number).SerialLog, pattern) : null;
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
        var probe = new GoalProbe(node, machine, http, console, time);
        using var limit = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var last = "nothing was seen yet";
        try
        {
            var isConnecting = goal.Kind is WaitKind.Http or WaitKind.Ssh or WaitKind.Port;
            var looks = new RepeatedLook(
                console is null ? LookInterval : ReadInterval, Overlap, isConnecting ? MostConnections : 1, time);
            await looks.RunAsync(token => probe.LookAsync(goal, token), seen => last = seen, both.Token);
            return console?.Line;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(
                ProblemKind.TimedOut,
                $"{machine.Spec.Name} was not there within {patience.TotalSeconds:0.#} s ({goal}): {last}",
                $"look what it does: gantry logs {machine.Spec.Name}; or wait longer: --timeout 5m");
        }
    }
}

internal enum WaitKind
{
    Running,
    Stopped,
    Ssh,
    Port,
    Http,
    Serial,
}

/// <summary>What came of a wait.</summary>
internal sealed record WaitResult
{
    public required string Machine { get; init; }

    public required string Goal { get; init; }

    /// <summary>From the start of its QEMU to the goal; null where it was not running when the wait began.</summary>
    public double? SecondsSinceStart { get; init; }

    /// <summary>The line of the serial console that was waited for.</summary>
    public string? Line { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WaitResult))]
internal sealed partial class WaitJson : JsonSerializerContext;

/// <summary>What is waited for.</summary>
/// <param name="Port">The guest's; 0 where none is meant.</param>
/// <param name="Path">Of HTTP, with its slash.</param>
/// <param name="Pattern">Of the serial console's line.</param>
internal sealed record WaitGoal(WaitKind Kind, int Port = 0, string Path = "/", Regex? Pattern = null)
{
    private const int SshPort = 22;
    private const int HttpPort = 80;

    /// <exception cref="ProblemException">It is none.</exception>
    public static WaitGoal Parse(string text)
    {
        switch (text)
        {
            case "running":
                return new WaitGoal(WaitKind.Running);
            case "stopped":
                return new WaitGoal(WaitKind.Stopped);
            case "ssh":
                return new WaitGoal(WaitKind.Ssh, SshPort);
            case "http":
                return new WaitGoal(WaitKind.Http, HttpPort);
        }

        if (text.StartsWith("serial:", StringComparison.Ordinal))
            return new WaitGoal(WaitKind.Serial, Pattern: SerialGoal.Parse(text[7..]));
        if (text.StartsWith("port:", StringComparison.Ordinal) && TryPort(text.AsSpan(5), out var port))
            return new WaitGoal(WaitKind.Port, port);
        if (text.StartsWith("http:", StringComparison.Ordinal))
        {
            var rest = text[5..];
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            var path = slash < 0 ? "/" : rest[slash..];
            if (TryPort(slash < 0
                ? rest : rest.AsSpan(0, slash), out port) && Uri.IsWellFormedUriString(path, UriKind.Relative))
                return new WaitGoal(WaitKind.Http, port, path);
        }

        throw new ProblemException(
            ProblemKind.InvalidInput,
            $"'{text}' is nothing that can be waited for",
            "expected running, stopped, ssh, port:N, http, http:N, http:N/path or serial:REGEX, "
                + "with a port of the guest from 1 to 65535");
    }

    public override string ToString() => Kind switch
    {
        WaitKind.Running => "running",
        WaitKind.Stopped => "stopped",
        WaitKind.Ssh => "SSH",
        WaitKind.Port => $"port {Port}",
        WaitKind.Http => $"HTTP on port {Port}",
        WaitKind.Serial => $"/{Pattern}/ on the serial console",
    };

    private static bool TryPort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port)
        && port is >= 1 and <= 65535;
}
