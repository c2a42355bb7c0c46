using System.Diagnostics;
using Gantry.Agent.Tasks;
using Gantry.Model;
using Gantry.Model.Tasks;

namespace Gantry.App.Serving;

/// <summary>
/// Does a node's tasks. A build is a program of its own, this one again: it has a folder to work in, an environment and
/// scripts of its user's, none of which should be the node's. It ends, and takes back what it made, when the node does.
/// </summary>
internal sealed class NodeWork(ITaskWorker machines, TimeProvider time) : ITaskWorker
{
    /// <summary>How long a build that is cancelled may take to clean up.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(1);

    public Task<TaskResult> DoAsync(TaskWork work, IProgressSink progress, CancellationToken cancellationToken) =>
        work is TaskWork.Build build
            ? BuildAsync(build, progress, cancellationToken) : machines.DoAsync(work, progress, cancellationToken);

    private async Task<TaskResult> BuildAsync(
        TaskWork.Build build, IProgressSink progress, CancellationToken cancellationToken)
    {
        progress.Activity($"Building {build.Path}");
        using var process = Process.Start(CommandOf(build))
            ?? throw new ProblemException(ProblemKind.Failed, "the build's program did not start");
        TaskState? report = null;
        // Standard input is only held: where it ends, so does the build.
        await using var tell = cancellationToken.Register(process.StandardInput.Close);
        var output = ReadAsync(process.StandardOutput, line =>
        {
            if (BuildReport.Read(line) is { } end)
                report = end;
            else
                progress.Note(line);
        });
        var error = ReadAsync(process.StandardError, progress.Note);
        await EndAsync(process, cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(output, error).ConfigureAwait(false);
        if (report is { Phase: TaskPhase.Done, Result: { } result })
            return result;
        cancellationToken.ThrowIfCancellationRequested();
        if (report?.Problem is { } problem)
            throw new ProblemException(problem.Kind, problem.Summary, problem.Remedy, problem.Detail);
        throw new ProblemException(
            ProblemKind.Failed, $"the build ended with {process.ExitCode} and did not say why", "its log may");
    }

    private async Task EndAsync(Process process, CancellationToken cancellationToken)
    {
        try
        {
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            using var limit = new CancellationTokenSource(Farewell, time);
            try
            {
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The next repair takes back what it made.
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private static ProcessStartInfo CommandOf(TaskWork.Build build)
    {
        var start = new ProcessStartInfo(ThisProgram.Path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // Paths in a template are relative to where its user is, who is nowhere: its own folder is the nearest.
            WorkingDirectory = Directory.Exists(build.Path) ? build.Path : Path.GetDirectoryName(build.Path),
        };
        start.Environment["NO_COLOR"] = "1";
        // Not as arguments, which all users of the host can see.
        foreach (var variable in build.Variables)
            start.Environment["PKR_VAR_" + variable.Name] = variable.Value;
        foreach (var argument in (string[])["build", "--for-node", "--on-error", "cleanup"])
            start.ArgumentList.Add(argument);
        if (build.NoCache)
            start.ArgumentList.Add("--no-cache");
        if (build.Force)
            start.ArgumentList.Add("--force");
        foreach (var pattern in build.Only)
            start.ArgumentList.Add("--only=" + pattern);
        foreach (var pattern in build.Except)
            start.ArgumentList.Add("--except=" + pattern);
        start.ArgumentList.Add("--");
        start.ArgumentList.Add(build.Path);
        return start;
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> onLine)
    {
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (line.Length > 0)
                onLine(line);
        }
    }
}
