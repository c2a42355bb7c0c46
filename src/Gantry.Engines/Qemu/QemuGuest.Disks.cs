using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.CommandLine;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;

namespace Gantry.Engines.Qemu;

/// <summary>Disks, CDs and block jobs.</summary>
public sealed partial class QemuGuest
{
    private static readonly TimeSpan JobPoll = TimeSpan.FromMilliseconds(100);

    public async Task<IReadOnlyDictionary<string, string>> TopNodesAsync(CancellationToken cancellationToken = default)
    {
        var blocks = await RunAsync("query-block", null, cancellationToken).ConfigureAwait(false);
        var nodes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var block in blocks.EnumerateArray())
        {
            if (!block.TryGetProperty("inserted"u8, out var inserted)
                || !inserted.TryGetProperty("node-name"u8, out var node))
                continue;
            var path = block.TryGetProperty("qdev"u8, out var qdev) ? qdev.GetString()! : "";
            if (DriveOf(path) is { } drive)
                nodes[drive] = node.GetString()!;
        }
        return nodes;
    }

    /// <summary>
    /// A device's name from what <c>query-block</c> calls it: the id where the drive is the device's own, else the
    /// place in QEMU's object tree. null for what is no drive of ours.
    /// </summary>
    private static string? DriveOf(string path)
    {
        const string devices = "/machine/peripheral/";
        if (path is "/machine/system.flash1" or "/machine/virt.flash1")
            return "efivars";
        if (path.Length > 0 && path[0] != '/')
            return path;
        return path.StartsWith(devices, StringComparison.Ordinal)
            ? path[devices.Length..].Replace("/virtio-backend", "", StringComparison.Ordinal)
            : null;
    }

    public async Task SnapshotDisksAsync(
        IReadOnlyList<DiskOverlay> overlays, CancellationToken cancellationToken = default)
    {
        if (overlays.Count == 0)
            return;
        var options = await NodeOptionsAsync(cancellationToken).ConfigureAwait(false);
        var added = new List<string>();
        try
        {
            var actions = new JsonArray();
            foreach (var overlay in overlays)
            {
                if (!options.TryGetValue(overlay.Node, out var option))
                    throw new ProblemException(ProblemKind.NotFound, $"the machine has no block node '{overlay.Node}'");
                var node = BlockNodes.Overlay(
                    overlay.NewNode, overlay.Path, option.Cache, overlay.Discard, option.DetectZeroes);
                await RunAsync("blockdev-add", node, cancellationToken).ConfigureAwait(false);
                added.Add(overlay.NewNode);
                actions.Add((JsonNode)new JsonObject
                {
                    ["type"] = "blockdev-snapshot",
                    ["data"] = new JsonObject { ["node"] = overlay.Node, ["overlay"] = overlay.NewNode },
                });
            }
            await RunAsync("transaction", new JsonObject { ["actions"] = actions }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch
        {
            // Nodes that a snapshot took are in use and refuse to go; the others must not keep their files open.
            foreach (var name in added)
                await TryRemoveNodeAsync(name).ConfigureAwait(false);
            throw;
        }
    }

    public async Task ChangeCdromAsync(string drive, string path, CancellationToken cancellationToken = default)
    {
        var names = await NodeOptionsAsync(cancellationToken).ConfigureAwait(false);
        var number = 0;
        string name;
        do
            name = $"{drive}-media{(number == 0 ? "" : $"-{number}")}";
        while (names.ContainsKey(name) && ++number < 1000);
        await RunAsync("blockdev-add", BlockNodes.ReadOnly(name, path), cancellationToken).ConfigureAwait(false);
        try
        {
            await EjectAsync(drive, cancellationToken).ConfigureAwait(false);
            await RunWithOpenTrayAsync(
                drive, "blockdev-insert-medium", () => new() { ["id"] = drive, ["node-name"] = name },
                cancellationToken).ConfigureAwait(false);
            await RunAsync("blockdev-close-tray", new JsonObject { ["id"] = drive }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch
        {
            await TryRemoveNodeAsync(name).ConfigureAwait(false);
            throw;
        }
    }

    public async Task EjectAsync(string drive, CancellationToken cancellationToken = default)
    {
        var tops = await TopNodesAsync(cancellationToken).ConfigureAwait(false);
        await RunWithOpenTrayAsync(
            drive, "blockdev-remove-medium", () => new() { ["id"] = drive }, cancellationToken).ConfigureAwait(false);
        if (tops.TryGetValue(drive, out var node))
            await TryRemoveNodeAsync(node).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens the tray and runs a command that needs it open. Firmware and guests that look for a medium close an open
    /// tray (START STOP UNIT), also between the two commands, so both are then tried again.
    /// </summary>
    private async Task RunWithOpenTrayAsync(
        string drive, string command, Func<JsonObject> arguments, CancellationToken cancellationToken)
    {
        const int attempts = 100;
        for (var attempt = 1; ; attempt++)
        {
            await RunAsync(
                "blockdev-open-tray", new JsonObject { ["id"] = drive, ["force"] = true }, cancellationToken)
                .ConfigureAwait(false);
            try
            {
                await RunAsync(command, arguments(), cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ProblemException e) when (
                attempt < attempts && e.InnerException is QmpException { Message: var text }
                && text.Contains("is not open", StringComparison.Ordinal))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), _clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public Task ResizeDiskAsync(string node, long bytes, CancellationToken cancellationToken = default) => RunAsync(
        "block_resize", new JsonObject { ["node-name"] = node, ["size"] = bytes }, cancellationToken);

    public async Task<IReadOnlyDictionary<string, string>> NodesByFileAsync(
        CancellationToken cancellationToken = default)
    {
        var answer = await RunAsync(
            "query-named-block-nodes", new JsonObject { ["flat"] = true }, cancellationToken).ConfigureAwait(false);
        var nodes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in answer.EnumerateArray())
        {
            // The file beneath NODE is NODE-file, see BlockNodes. The format's own node may describe itself in JSON.
            const string suffix = "-file";
            var name = node.GetProperty("node-name"u8).GetString()!;
            if (node.GetProperty("drv"u8).ValueEquals("file"u8) && name.EndsWith(suffix, StringComparison.Ordinal))
                nodes[node.GetProperty("file"u8).GetString()!] = name[..^suffix.Length];
        }
        return nodes;
    }

    public async Task StreamAsync(
        string node, string? baseNode, string? baseName = null, IProgress<JobProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var arguments = new JsonObject { ["device"] = node };
        if (baseNode is not null)
            arguments["base-node"] = baseNode;
        if (baseNode is not null && baseName is not null)
            arguments["backing-file"] = baseName;
        var between = await ChainAsync(node, baseNode, cancellationToken).ConfigureAwait(false);
        await RunJobAsync("block-stream", $"stream-{node}", arguments, progress, cancellationToken)
            .ConfigureAwait(false);
        await ReleaseAsync(between.Skip(1)).ConfigureAwait(false);
    }

    public async Task CommitAsync(
        string rootNode, string topNode, string baseNode, IProgress<JobProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var arguments = new JsonObject { ["device"] = rootNode, ["top-node"] = topNode, ["base-node"] = baseNode };
        var committed = await ChainAsync(topNode, baseNode, cancellationToken).ConfigureAwait(false);
        await RunJobAsync("block-commit", $"commit-{topNode}", arguments, progress, cancellationToken)
            .ConfigureAwait(false);
        await ReleaseAsync(committed).ConfigureAwait(false);
    }

    /// <summary>Closes nodes that left a chain, the upper first: they would keep their files open and locked.</summary>
    private async Task ReleaseAsync(IEnumerable<string> nodes)
    {
        foreach (var node in nodes)
            await TryRemoveNodeAsync(node).ConfigureAwait(false);
    }

    /// <summary>The nodes from <paramref name="top"/> down to, without, <paramref name="end"/>.</summary>
    /// <exception cref="ProblemException">There is no such chain.</exception>
    private async Task<List<string>> ChainAsync(string top, string? end, CancellationToken cancellationToken)
    {
        // Marked as unstable, but the only answer that names the nodes of a chain; the same from QEMU 4.0 on.
        var graph = await RunAsync("x-debug-query-block-graph", null, cancellationToken).ConfigureAwait(false);
        var names = new Dictionary<long, string>();
        foreach (var node in graph.GetProperty("nodes"u8).EnumerateArray())
        {
            if (node.GetProperty("type"u8).ValueEquals("block-driver"u8))
                names[node.GetProperty("id"u8).GetInt64()] = node.GetProperty("name"u8).GetString()!;
        }
        var below = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var edge in graph.GetProperty("edges"u8).EnumerateArray())
        {
            if (edge.GetProperty("name"u8).ValueEquals("backing"u8)
                && names.TryGetValue(edge.GetProperty("parent"u8).GetInt64(), out var parent)
                && names.TryGetValue(edge.GetProperty("child"u8).GetInt64(), out var child))
                below[parent] = child;
        }
        var chain = new List<string>();
        for (var node = top; node != end; node = below[node])
        {
            chain.Add(node);
            if (below.ContainsKey(node))
                continue;
            return end is null ? chain : throw new ProblemException(
                ProblemKind.InvalidInput, $"the block node '{end}' is not beneath '{top}'");
        }
        return chain;
    }

    /// <summary>Starts a job, sees it through, and takes its outcome. A cancelled wait cancels the job.</summary>
    private async Task RunJobAsync(
        string command, string job, JsonObject arguments, IProgress<JobProgress>? progress,
        CancellationToken cancellationToken)
    {
        arguments["job-id"] = job;
        // Kept after its end until its outcome was read here.
        arguments["auto-dismiss"] = false;
        await RunAsync(command, arguments, cancellationToken).ConfigureAwait(false);
        var id = new JsonObject { ["id"] = job };
        try
        {
            var isCompleting = false;
            while (true)
            {
                var state = await JobAsync(job, cancellationToken).ConfigureAwait(false);
                progress?.Report(new JobProgress(
                    state.GetProperty("current-progress"u8).GetInt64(),
                    state.GetProperty("total-progress"u8).GetInt64()));
                var status = state.GetProperty("status"u8).GetString();
                if (status == "concluded")
                {
                    if (state.TryGetProperty("error"u8, out var error))
                    {
                        var text = error.GetString() ?? "";
                        throw new ProblemException(QemuFailures.KindOf(text), $"{command} failed: {text}");
                    }

                    return;
                }
                if (status == "ready" && !isCompleting)
                {
                    isCompleting = true;
                    await RunAsync("job-complete", (JsonObject)id.DeepClone(), cancellationToken).ConfigureAwait(false);
                    continue;
                }
                await Task.Delay(JobPoll, _clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await CancelJobAsync(job, id).ConfigureAwait(false);
            throw;
        }
        finally
        {
            try
            {
                await _monitor.ExecuteAsync("job-dismiss", (JsonObject)id.DeepClone(), CancellationToken.None)
                    .ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or QmpException or TimeoutException)
            {
                // Gone with the machine, or never concluded; the outcome was told already.
            }
        }
    }

    private async Task CancelJobAsync(string job, JsonObject id)
    {
        try
        {
            await _monitor.ExecuteAsync("job-cancel", (JsonObject)id.DeepClone(), CancellationToken.None)
                .ConfigureAwait(false);
            var started = _clock.GetTimestamp();
            while (_clock.GetElapsedTime(started) < QuitPatience)
            {
                var state = await JobAsync(job, CancellationToken.None).ConfigureAwait(false);
                if (state.GetProperty("status"u8).GetString() == "concluded")
                    return;
                await Task.Delay(JobPoll, _clock, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or QmpException or TimeoutException or ProblemException)
        {
            // The machine is gone, or the job is: nothing is left to cancel.
        }
    }

    private async Task<JsonElement> JobAsync(string job, CancellationToken cancellationToken)
    {
        var jobs = await RunAsync("query-jobs", null, cancellationToken).ConfigureAwait(false);
        foreach (var candidate in jobs.EnumerateArray())
        {
            if (candidate.GetProperty("id"u8).GetString() == job)
                return candidate;
        }
        throw new ProblemException(ProblemKind.Failed, $"QEMU no longer knows the job {job}");
    }

    private async Task<Dictionary<string, (BlockNodes.Cache Cache, string DetectZeroes)>> NodeOptionsAsync(
        CancellationToken cancellationToken)
    {
        var answer = await RunAsync(
            "query-named-block-nodes", new JsonObject { ["flat"] = true }, cancellationToken).ConfigureAwait(false);
        var nodes = new Dictionary<string, (BlockNodes.Cache, string)>(StringComparer.Ordinal);
        foreach (var node in answer.EnumerateArray())
        {
            var cache = node.GetProperty("cache"u8);
            nodes[node.GetProperty("node-name"u8).GetString()!] = (
                new BlockNodes.Cache(
                    cache.GetProperty("direct"u8).GetBoolean(), cache.GetProperty("no-flush"u8).GetBoolean(), true),
                node.GetProperty("detect_zeroes"u8).GetString() ?? "off");
        }
        return nodes;
    }

    private async Task TryRemoveNodeAsync(string name)
    {
        try
        {
            await _monitor.ExecuteAsync("blockdev-del", new JsonObject { ["node-name"] = name }, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or QmpException or TimeoutException)
        {
            // In use, or gone with the machine.
        }
    }
}
