using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Fake;
using Gantry.Model;

namespace Gantry.Machines.Tests.Guest;

/// <summary>A guest agent whose programs end at the second look, with the exit code that it is told.</summary>
internal sealed class FakeAgent
{
    private readonly Dictionary<long, int> _looks = [];

    /// <summary>Commands that it lacks, or that its guest forbids.</summary>
    public HashSet<string> Forbidden { get; } = [];

    public int ExitCode { get; set; }

    /// <summary>Answers that are no objects, as a guest that means harm may send.</summary>
    public bool Nonsense { get; set; }

    /// <summary>The programs that ran: their words, and what they read.</summary>
    public List<(string[] Words, byte[] Input)> Programs { get; } = [];

    public DateTimeOffset? Clock { get; private set; }

    public void Serve(FakeMachine machine) => machine.GuestAgent = Answer;

    private JsonElement Answer(string command, JsonObject? arguments)
    {
        if (Forbidden.Contains(command))
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the guest agent refused '{command}': Command {command} has been disabled");
        }

        return Nonsense ? JsonElement.Parse("7") : command switch
        {
            "guest-ping" => JsonElement.Parse("{}"),
            "guest-set-time" => SetTime(arguments!["time"]!.GetValue<long>()),
            "guest-exec" => Execute(arguments!),
            "guest-exec-status" => Status(arguments!["pid"]!.GetValue<long>()),
            _ => throw new InvalidOperationException(command),
        };
    }

    private JsonElement SetTime(long nanoseconds)
    {
        Clock = DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
        return JsonElement.Parse("{}");
    }

    private JsonElement Execute(JsonObject arguments)
    {
        Programs.Add((
            [arguments["path"]!.GetValue<string>(), .. arguments["arg"]!.AsArray().Select(word => word!.GetValue<string>())],
            Convert.FromBase64String(arguments["input-data"]!.GetValue<string>())));
        return JsonElement.Parse(string.Create(CultureInfo.InvariantCulture, $$"""{"pid":{{Programs.Count}}}"""));
    }

    private JsonElement Status(long pid)
    {
        _looks[pid] = _looks.GetValueOrDefault(pid) + 1;
        return JsonElement.Parse(_looks[pid] == 1
            ? """{"exited":false}"""
            : string.Create(CultureInfo.InvariantCulture, $$"""{"exited":true,"exitcode":{{ExitCode}}}"""));
    }
}
