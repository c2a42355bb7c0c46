using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Tests.Keyboard;

/// <summary>A monitor played by the test: commands go to a function, events are raised by hand.</summary>
internal sealed class FakeMonitor : IQemuMonitor
{
    private readonly List<QmpSubscription> _subscriptions = [];
    private long _lastEvent;

    /// <summary>Gives a command's answer as JSON; null is an empty object.</summary>
    public Func<string, JsonObject?, string?> Answer { get; set; } = (_, _) => null;

    /// <summary>Gives what the human monitor prints for a line.</summary>
    public Func<string, string> Print { get; set; } = _ => "";

    /// <summary>Called after a command was executed and before its answer is seen.</summary>
    public Action<string> Answered { get; set; } = _ => { };

    public List<string> Commands { get; } = [];

    public Task<QmpAnswer> ExecuteInOrderAsync(
        string command, JsonObject? arguments = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Commands.Add(command);
        var answer = new QmpAnswer(JsonElement.Parse(Answer(command, arguments) ?? "{}"), _lastEvent);
        Answered(command);
        return Task.FromResult(answer);
    }

    public async Task<JsonElement> ExecuteAsync(
        string command, JsonObject? arguments = null, CancellationToken cancellationToken = default) =>
        (await ExecuteInOrderAsync(command, arguments, cancellationToken)).Value;

    public Task<string> HumanMonitorAsync(string line, CancellationToken cancellationToken = default)
    {
        Commands.Add(line);
        return Task.FromResult(Print(line));
    }

    public Task<QmpFdSetEntry> AddDescriptorAsync(
        SafeHandle file, int? fdset = null, string? note = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public QmpSubscription Subscribe(params ReadOnlySpan<string> names)
    {
        var subscription = new QmpSubscription(100, names, s => _subscriptions.Remove(s));
        _subscriptions.Add(subscription);
        return subscription;
    }

    public void Raise(string name)
    {
        var happened = new QmpEvent { Name = name, Number = ++_lastEvent, Data = JsonElement.Parse("{}"), At = null };
        foreach (var subscription in _subscriptions)
            subscription.Offer(happened);
    }
}
