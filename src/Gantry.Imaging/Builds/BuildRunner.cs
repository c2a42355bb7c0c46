using System.Collections.Concurrent;
using Gantry.Engines.Qemu;
using Gantry.Imaging.Definitions;
using Gantry.Machines;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Steps.Jobs;

namespace Gantry.Imaging.Builds;

/// <summary>
/// Runs builds, each as one job of durable steps: killed at any of them, the next command takes away what it left. What
/// is in flight within one process is in its <see cref="BuildSession"/>; what undoing has to know is in the journal.
/// </summary>
public sealed class BuildRunner
{
    private readonly BuildServices _services;
    private readonly BuildPreparer _preparer;
    private readonly ConcurrentDictionary<string, BuildSession> _sessions = new(StringComparer.Ordinal);

    public BuildRunner(BuildServices services, IMachineHardware hardware, QemuHost host)
    {
        _services = services;
        _preparer = new BuildPreparer(services, hardware, host);
        Kind = new JobKind<BuildState>(
            "build",
            version: 2,
            () => BuildJson.Default.BuildState,
            CrashPolicy.Undo,
            [
                Step("prepare", (session, token) => session.PrepareAsync(_preparer, token), ForgetFilesAsync),
                Step("machine", (session, token) => session.CreateMachineAsync(token), RemoveMachineAsync),
                Step("install", (session, token) => session.InstallAsync(token)),
                Step("provision", (session, token) => session.ProvisionAsync(token)),
                Step("shut-down", (session, token) => session.ShutDownAsync(token)),
                Step("artifacts", (session, token) => session.MakeArtifactsAsync(token), RemoveOutputsAsync),
                Step("post-process", (session, token) => session.PostProcessAsync(token)),
                JobStep.Of<BuildState>("remove-machine", RemoveAtEndAsync, (_, _, _) => ValueTask.CompletedTask),
            ]);
    }

    /// <summary>For the registry of what can be repaired after a crash.</summary>
    public JobKind<BuildState> Kind { get; }

    /// <summary>Runs one build to its end.</summary>
    /// <exception cref="ProblemException">It failed; what it left was taken away, or kept where that was asked for.</exception>
    public async Task<BuildResult> RunAsync(
        BuildDefinition definition, BuildOptions options, IReadOnlyList<string> secrets, IProgressSink view, CancellationToken cancellationToken)
    {
        var id = _services.Entropy.NewHex(4);
        await using var session = new BuildSession(_services, definition, options, id, view);
        foreach (var secret in secrets)
            session.Log.Secrets.Add(secret);
        _sessions[id] = session;
        try
        {
            await _services.Jobs.RunUnwrappedAsync(Kind, session.InitialState(), Model.NoProgress.Instance, cancellationToken).ConfigureAwait(false);
            return session.Result();
        }
        finally
        {
            _sessions.TryRemove(id, out _);
        }
    }

    private IJobStep<BuildState> Step(
        string name,
        Func<BuildSession, CancellationToken, Task> work,
        Func<BuildState, CancellationToken, Task>? undo = null) => JobStep.Of<BuildState>(
            name,
            async (state, _, token) =>
            {
                var session = _sessions[state.BuildId];
                await session.RunPartAsync(name, work, token).ConfigureAwait(false);
                return state;
            },
            async (state, _, token) =>
            {
                if (undo is not null)
                    await undo(state, token).ConfigureAwait(false);
            });

    /// <summary>The machine goes, unless the person wants to look at it.</summary>
    private async Task RemoveMachineAsync(BuildState state, CancellationToken cancellationToken)
    {
        var session = _sessions.GetValueOrDefault(state.BuildId);
        if (session is not null)
            await session.DisconnectAsync().ConfigureAwait(false);
        if (await _services.Machines.FindAsync(state.MachineName, cancellationToken).ConfigureAwait(false) is not { } machine)
            return;
        if (session is { KeepsMachine: true })
        {
            await _services.Machines.UpdateAsync(
                machine.Number, record => record with { Role = MachineRole.Ordinary }, cancellationToken)
                    .ConfigureAwait(false);
            await session.TellHowToOpenAsync(machine, cancellationToken).ConfigureAwait(false);
            return;
        }

        await _services.Remover.DeleteAsync(machine, stop: true, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<BuildState> RemoveAtEndAsync(BuildState state, StepRun run, CancellationToken cancellationToken)
    {
        await RemoveMachineAsync(state, cancellationToken).ConfigureAwait(false);
        await ForgetFilesAsync(state, cancellationToken).ConfigureAwait(false);
        return state;
    }

    /// <summary>Takes away claims on outputs that killed builds left.</summary>
    public void SweepClaims() => FileClaim.Sweep(_services.Folders.Builds);

    /// <summary>Of the build's folder only the log and the picture of a failure stay.</summary>
    private Task ForgetFilesAsync(BuildState state, CancellationToken cancellationToken)
    {
        if (_sessions.GetValueOrDefault(state.BuildId) is not { KeepsMachine: true })
            BuildFolders.Clean(_services.Folders, state.BuildId);
        return Task.CompletedTask;
    }

    private Task RemoveOutputsAsync(BuildState state, CancellationToken cancellationToken)
    {
        // The names that unfinished media have: MediaFileOutput's, which hold the writer's process number.
        foreach (var output in state.Outputs.Where(one => Directory.Exists(Path.GetDirectoryName(one))))
        {
            foreach (var entry in new DirectoryInfo(Path.GetDirectoryName(output)!).GetFileSystemInfos(Path.GetFileName(output) + ".*.partial*"))
            {
                if (entry is DirectoryInfo staging)
                    staging.Delete(recursive: true);
                else
                    entry.Delete();
            }
        }

        foreach (var folder in state.PartFolders.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);

        return Task.CompletedTask;
    }
}
