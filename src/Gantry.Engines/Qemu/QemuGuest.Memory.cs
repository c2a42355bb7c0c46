using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engines.Qemu;

/// <summary>Memory to a file and back, and published ports.</summary>
public sealed partial class QemuGuest
{
    private const string MemoryDescriptor = "gantry-memory";

    /// <summary>QEMU's highest; a file needs no courtesy towards a network.</summary>
    private const long Unlimited = long.MaxValue / 4;

    private static readonly TimeSpan MigrationPoll = TimeSpan.FromMilliseconds(10);

    public async Task SaveMemoryAsync(
        string path, IProgress<JobProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        await PauseAsync(cancellationToken).ConfigureAwait(false);
        var part = path + ".part";
        try
        {
            using (var file = Open(part, FileMode.Create, FileAccess.Write))
            {
                await PrepareMigrationAsync(cancellationToken).ConfigureAwait(false);
                await PassAsync(file, cancellationToken).ConfigureAwait(false);
                await RunAsync("migrate", new JsonObject { ["uri"] = $"fd:{MemoryDescriptor}" }, cancellationToken)
                    .ConfigureAwait(false);
                await WaitForMigrationAsync("saving", progress, cancellationToken).ConfigureAwait(false);
                RandomAccess.FlushToDisk(file);
            }
            File.Move(part, path, overwrite: true);
        }
        catch (Exception e)
        {
            if (e is OperationCanceledException)
                await TryCancelMigrationAsync().ConfigureAwait(false);
            File.Delete(part);
            throw;
        }
    }

    public async Task LoadMemoryAsync(
        string path, IProgress<JobProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var file = Open(path, FileMode.Open, FileAccess.Read);
        await PrepareMigrationAsync(cancellationToken).ConfigureAwait(false);
        await PassAsync(file, cancellationToken).ConfigureAwait(false);
        await RunAsync("migrate-incoming", new JsonObject { ["uri"] = $"fd:{MemoryDescriptor}" }, cancellationToken)
            .ConfigureAwait(false);
        await WaitForMigrationAsync("loading", progress, cancellationToken).ConfigureAwait(false);
    }

    public async Task AddPublishedPortAsync(LaunchPort port, CancellationToken cancellationToken = default)
    {
        var said = await ForwardAsync("hostfwd_add", port, CommandLine.NetworkArguments.Forward(port), cancellationToken)
            .ConfigureAwait(false);
        if (said.Length == 0)
            return;
        throw said.Contains("Could not set up", StringComparison.Ordinal)
            ? new ProblemException(
                ProblemKind.Unavailable,
                $"the host's port {port.HostPort} is in use, or may not be used by this user",
                "publish another port, or end what listens there (ss -ltnp shows it)", said)
            : new ProblemException(ProblemKind.Failed, $"port {port.HostPort} could not be published: {said}");
    }

    public async Task RemovePublishedPortAsync(LaunchPort port, CancellationToken cancellationToken = default)
    {
        var rule = $"{(port.Udp ? "udp" : "tcp")}:{port.Address}:{port.HostPort}";
        var said = await ForwardAsync("hostfwd_remove", port, rule, cancellationToken).ConfigureAwait(false);
        if (!said.EndsWith(" removed", StringComparison.Ordinal))
        {
            throw new ProblemException(
                said.Contains("not found", StringComparison.Ordinal) ? ProblemKind.NotFound : ProblemKind.Failed,
                $"the published port {port.HostPort} could not be removed: {said}");
        }
    }

    /// <summary>The human monitor's command; what it answers to success is empty or says so.</summary>
    private async Task<string> ForwardAsync(
        string command, LaunchPort port, string rule, CancellationToken cancellationToken)
    {
        var said = await ForwardAsync(command, $"net{port.Card}", rule, cancellationToken).ConfigureAwait(false);
        // A template with switches of its own may have named its network as Packer does.
        if (port.Card == 0 && said.Contains("'net0'", StringComparison.Ordinal))
            said = await ForwardAsync(command, "user.0", rule, cancellationToken).ConfigureAwait(false);
        return said;
    }

    private async Task<string> ForwardAsync(
        string command, string backEnd, string rule, CancellationToken cancellationToken)
    {
        var answer = await RunAsync(
            "human-monitor-command",
            new JsonObject { ["command-line"] = $"{command} {backEnd} {rule}" }, cancellationToken)
            .ConfigureAwait(false);
        return (answer.GetString() ?? "").Trim();
    }

    private static SafeFileHandle Open(string path, FileMode mode, FileAccess access)
    {
        try
        {
            return File.OpenHandle(path, mode, access, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the memory file {path} can't be opened: {e.Message}", inner: e);
        }
    }

    private async Task PassAsync(SafeFileHandle file, CancellationToken cancellationToken)
    {
        try
        {
            await _monitor.PassDescriptorAsync(MemoryDescriptor, file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the memory file could not be given to QEMU: {e.Message}", inner: e);
        }
    }

    private Task<JsonElement> PrepareMigrationAsync(CancellationToken cancellationToken) => RunAsync(
        "migrate-set-parameters", new JsonObject { ["max-bandwidth"] = Unlimited }, cancellationToken);

    private async Task WaitForMigrationAsync(
        string doing, IProgress<JobProgress>? progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await RunAsync("query-migrate", null, cancellationToken).ConfigureAwait(false);
            if (state.TryGetProperty("ram"u8, out var ram))
            {
                progress?.Report(new JobProgress(
                    ram.GetProperty("total"u8).GetInt64() - ram.GetProperty("remaining"u8).GetInt64(),
                    ram.GetProperty("total"u8).GetInt64()));
            }
            var status = state.TryGetProperty("status"u8, out var s) ? s.GetString() : null;
            if (status == "completed")
                return;
            if (status is "failed" or "cancelled")
                throw MigrationProblem(doing, state);
            await Task.Delay(MigrationPoll, _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private ProblemException MigrationProblem(string doing, JsonElement state)
    {
        var reason = state.TryGetProperty("error-desc"u8, out var e) ? e.GetString()! : "QEMU gave no reason";
        return new ProblemException(
            ProblemKind.Failed, $"{doing} the machine's memory failed: {reason}",
            reason.Contains("VirtFS", StringComparison.Ordinal)
                ? "unmount the shared folder in the guest first: QEMU can't save its state" : "",
            QemuFailures.Tail(QemuFailures.ReadTail(_run.Log)));
    }

    private async Task TryCancelMigrationAsync()
    {
        try
        {
            await _monitor.ExecuteAsync("migrate_cancel", null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or QmpException or TimeoutException)
        {
            // Gone with the machine.
        }
    }
}
