using Gantry.App.CommandLine;
using Gantry.App.Hosting;
using Gantry.App.Progress;
using Gantry.Imaging.Builds;

namespace Gantry.App.Commands;

/// <summary>Asks the person at the terminal what to do about a build's failure (<c>-on-error=ask</c>).</summary>
internal static class FailurePrompt
{
    public static async Task<FailureAnswer> AskAsync(
        ITerminal terminal, IProgressView view, FailureQuestion question, CancellationToken cancellationToken)
    {
        using var quiet = view.Suspend();
        new ErrorWriter(terminal.Error, TextStyle.Plain).Write(question.Problem);
        var choices = question.CanRetry
            ? "[c] clean up and end, [a] end and keep the machine, [r] run the step again: "
            : "[c] clean up and end, [a] end and keep the machine: ";
        while (true)
        {
            terminal.Error.Write(choices);
            terminal.Error.Flush();
            // Reading a terminal can't be called off, so a thread is left to it when the person presses Ctrl-C.
            var line = await Task.Run(terminal.In.ReadLine, cancellationToken).WaitAsync(cancellationToken);
            switch (line?.Trim().ToLowerInvariant())
            {
                case null or "c" or "clean" or "cleanup":
                    return FailureAnswer.Cleanup;
                case "a" or "abort":
                    return FailureAnswer.Abort;
                case "r" or "retry" when question.CanRetry:
                    return FailureAnswer.Retry;
            }
        }
    }
}
