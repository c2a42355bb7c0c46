using System.Globalization;
using System.Text.Json;
using Gantry.App.Commands;
using Gantry.Model;

namespace Gantry.App.Client;

/// <summary>Asks the node for a change of a machine's power, and waits until it has come about.</summary>
internal static class PowerClient
{
    /// <summary>Seconds that one request waits; another follows.</summary>
    private const int Wait = 60;

    /// <param name="node">Who is asked.</param>
    /// <param name="machine">A name or number.</param>
    /// <param name="verb">start, shutdown, stop or restart.</param>
    /// <param name="timeout">Seconds that the guest has to shut down; null for the usual.</param>
    /// <param name="cancellationToken">Ends the wait; what was asked for goes on.</param>
    /// <returns>The machine as it is then, in the API's words.</returns>
    /// <exception cref="ProblemException">It was refused, or given up.</exception>
    public static async Task<JsonElement> AskAsync(
        NodeClient node, string machine, string verb, int? timeout, CancellationToken cancellationToken)
    {
        var answer = await node.PostAsync(
            $"machines/{Uri.EscapeDataString(machine)}/{verb}", Body(timeout), cancellationToken);
        var number = answer.GetProperty("machine").GetInt32();
        var sequence = answer.GetProperty("sequence").GetInt64();
        while (true)
        {
            var found = await node.GetAsync(
                string.Create(CultureInfo.InvariantCulture, $"machines/{number}?settled={sequence}&wait={Wait}"),
                cancellationToken);
            var status = found.GetProperty("status");
            if (status.GetProperty("settled").GetInt64() < sequence)
                continue;
            if (status.TryGetProperty("problem", out var problem) && problem.ValueKind == JsonValueKind.Object)
                throw ProblemOf(problem);
            return found;
        }
    }

    /// <summary>Starts a machine and shows what it waits for.</summary>
    public static async Task<JsonElement> StartAsync(
        CommandContext context, string machine, CancellationToken cancellationToken)
    {
        using var view = context.StartProgress();
        view.Activity($"Starting {machine}");
        using var node = await NodeStarter.ConnectAsync(context, cancellationToken);
        var started = await AskAsync(node, machine, "start", timeout: null, cancellationToken);
        view.Complete();
        return started;
    }

    /// <summary>A request's body that says no more than a time-out; null where that is the usual.</summary>
    public static string? Body(int? timeout) => timeout is { } seconds
        ? string.Create(CultureInfo.InvariantCulture, $$"""{"timeout":{{seconds}}}""") : null;

    private static ProblemException ProblemOf(JsonElement problem) => new(
        Enum.TryParse<ProblemKind>(problem.GetProperty("kind").GetString(), ignoreCase: true, out var kind)
            ? kind : ProblemKind.Failed,
        problem.GetProperty("summary").GetString()!,
        problem.GetProperty("remedy").GetString()!,
        problem.GetProperty("detail").GetString()!);
}
