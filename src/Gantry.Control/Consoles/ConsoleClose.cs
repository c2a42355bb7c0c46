using System.Text;
using Gantry.Control.Api;
using Gantry.Model;
using Gantry.Model.Nodes;

namespace Gantry.Control.Consoles;

/// <summary>How a console's WebSocket is closed.</summary>
/// <param name="Code">RFC 6455's, or one of ours from 4000; 4000 and an HTTP status for what could not be done.</param>
/// <param name="Reason">For a person.</param>
internal sealed record ConsoleClose(int Code, string Reason)
{
    public static ConsoleClose ByClient { get; } = new(1000, "");

    public static ConsoleClose NodeEnds { get; } = new(1001, "the node ends; the machine runs on");

    public static ConsoleClose NoText { get; } = new(1003, "expected binary messages, found text");

    public static ConsoleClose NoSense { get; } = new(1007, "a message that docs/consoles.md does not know");

    public static ConsoleClose Mistake { get; } = new(1011, "the node made a mistake; its log says which");

    public static ConsoleClose MachineStopped { get; } = new(4000, "the machine has stopped");

    public static ConsoleClose TooSlow { get; } = new(4001, "more was said than was received: too slow");

    public static ConsoleClose Idle { get; } = new(4002, "nothing was said or typed for too long");

    public static ConsoleClose Long { get; } = new(4003, "it was open for as long as one may be");

    public static ConsoleClose TakenAway { get; } = new(4004, "the machine closed this console");

    /// <summary>The reason as RFC 6455 has room for it: 123 bytes of UTF-8.</summary>
    public string Text
    {
        get
        {
            const int Most = 123;
            var text = Reason;
            while (Encoding.UTF8.GetByteCount(text) > Most)
                text = text[..^(text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)];
            return text;
        }
    }

    public static ConsoleClose TooLong(int most) => new(1009, $"a message of more than {most} bytes");

    public static ConsoleClose Of(Problem problem) =>
        new(4000 + ProblemResponses.StatusOf(problem.Kind), problem.Summary);

    public static ConsoleClose Of(ConsoleEnd end) => end switch
    {
        ConsoleEnd.Finished => new ConsoleClose(1000, "the command ended"),
        ConsoleEnd.MachineStopped => MachineStopped,
        ConsoleEnd.TooSlow => TooSlow,
        ConsoleEnd.TakenAway => TakenAway,
        ConsoleEnd.NodeEnds => NodeEnds,
        ConsoleEnd.Failed failed => Of(failed.Problem),
        _ => throw new InvalidOperationException($"unknown end {end.GetType().Name}"),
    };
}
