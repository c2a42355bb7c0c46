using Gantry.Engines;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Builds;

/// <summary>A moment of a running build that is to become a layer.</summary>
internal sealed record LayerMoment
{
    public required PreparedBuild Prepared { get; init; }

    public required int Index { get; init; }

    public required MachineRecord Machine { get; init; }

    public required IMachineGuest Guest { get; init; }

    public required BuildRandoms Randoms { get; init; }

    public required FrozenValues Frozen { get; init; }

    public required string Build { get; init; }

    public required Provenance Provenance { get; init; }

    /// <summary>When the first step up to this one that uses the network ran.</summary>
    public DateTimeOffset? NetworkSince { get; init; }
}

/// <summary>Makes layers of a running build, and finds the one to go on from.</summary>
internal sealed class LayerKeeper(BuildServices services, BuildLog log)
{
    private LayerStore Layers => services.Layers;

    /// <summary>The last layer that can be used, and the first provisioner that then has to run.</summary>
    public async Task<(LayerRecord? Layer, int Next)> FindAsync(PreparedBuild prepared, CancellationToken cancellationToken)
    {
        var source = prepared.Definition.Source;
        for (var i = prepared.Keys.Length - 1; i >= 0; i--)
        {
            if (!prepared.Keys[i].Cacheable
                || await Layers.FindAsync(prepared.Keys[i].Key, cancellationToken).ConfigureAwait(false) is not { } layer)
            {
                continue;
            }

            if (source.MaxAge is { } age && layer.NetworkSince is { } since && services.Time.GetUtcNow() - since > age)
            {
                log.Note($"The cached step {layer.Label} used the network longer than max_age ago, so it runs again");
                continue;
            }

            if (layer.Random.HttpPort != 0 && source.Answers.HasHttp && !IsFree(layer.Random.HttpPort, source.Answers))
            {
                log.Note($"The cached step {layer.Label} was told of HTTP port {layer.Random.HttpPort}, which is taken now");
                continue;
            }

            await Layers.TouchAsync(layer.Key, cancellationToken).ConfigureAwait(false);
            return (layer, i);
        }

        return (null, 0);
    }

    public async Task<string?> PrivateKeyAsync(LayerRecord layer, CancellationToken cancellationToken)
    {
        var file = Layers.PrivateKeyFile(layer.Key);
        return File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false) : null;
    }

    /// <summary>Puts the TPM's state of a layer where the new machine's swtpm will look for it.</summary>
    public Task RestoreTpmAsync(LayerRecord layer, MachineRecord machine, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (layer.HasTpm)
            CopyFiles(Layers.TpmFolder(layer.Key), TpmFolder(machine));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Freezes the build's machine as a layer; gives the machine as it is recorded then. A layer that can't be made
    /// costs time later, and is no reason to fail a build now.
    /// </summary>
    public async Task<MachineRecord> FreezeAsync(LayerMoment moment, CancellationToken cancellationToken)
    {
        var key = moment.Prepared.Keys[moment.Index];
        try
        {
            using var writing = FileClaim.TryTake(FileClaim.OfLayer(services.Folders, key.Key));
            if (writing is null || await Layers.FindAsync(key.Key, cancellationToken).ConfigureAwait(false) is not null)
                return moment.Machine; // another build has made it, or is making it
            log.Activity($"Keeping the state after {key.Label}");
            return await WriteAsync(moment, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProblemException or IOException)
        {
            log.Note($"The state after {key.Label} could not be kept, so a later build runs it again: {e.Message}");
            return await services.Machines.GetAsync(moment.Machine.Number.ToString(), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private async Task<MachineRecord> WriteAsync(LayerMoment moment, CancellationToken cancellationToken)
    {
        var key = moment.Prepared.Keys[moment.Index].Key;
        var folder = Layers.BeginFolder(key);
        using var held = await services.Host.LockAsync(moment.Machine.Number, TimeSpan.FromSeconds(10), cancellationToken).ConfigureAwait(false);
        try
        {
            if (moment.Machine.Spec.Tpm is not null)
                CopyFiles(TpmFolder(moment.Machine), Layers.TpmFolder(key));
            if (moment.Randoms.PrivateKey is { } privateKey)
                await PrivateFile.WriteAsync(Layers.PrivateKeyFile(key), privateKey, cancellationToken)
                    .ConfigureAwait(false);
            var (frozen, machine) = await services.Freezer.FreezeAsync(
                moment.Machine, moment.Guest, LayerStore.UserOf(key), Layers.MemoryFile(key), cancellationToken)
                    .ConfigureAwait(false);
            var bytes = await BytesAsync(folder, frozen, cancellationToken).ConfigureAwait(false);
            await Layers.AddAsync(RecordOf(moment, frozen, bytes), cancellationToken).ConfigureAwait(false);
            return machine;
        }
        catch
        {
            // Nobody may go on from half of one, and it is to hold no disk.
            await Layers.DiscardAsync(key, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private LayerRecord RecordOf(LayerMoment moment, Machines.Snapshots.FrozenState frozen, long bytes)
    {
        var key = moment.Prepared.Keys[moment.Index];
        var now = services.Time.GetUtcNow();
        return new LayerRecord
        {
            Key = key.Key,
            Parent = moment.Index > 0 ? moment.Prepared.Keys[moment.Index - 1].Key : null,
            Label = key.Label,
            Build = moment.Build,
            Created = now,
            LastUsed = now,
            NetworkSince = moment.NetworkSince,
            Spec = moment.Machine.Spec with
            {
                Disks = moment.Machine.Spec.Disks.Select((disk, i) => disk with { Volume = frozen.Disks[i] }).ToValueList(),
            },
            Uuid = moment.Machine.Uuid,
            InstanceId = moment.Machine.InstanceId,
            Variables = frozen.Variables,
            HasMemory = true,
            HasTpm = moment.Machine.Spec.Tpm is not null,
            Bytes = bytes,
            Random = new LayerSecrets
            {
                BuildId = moment.Randoms.BuildId,
                HttpPort = moment.Randoms.HttpPort,
                SshPublicKey = moment.Randoms.PublicKey,
                Seed = moment.Frozen.Seed,
            },
            Provenance = moment.Provenance,
            Timestamp = moment.Frozen.Timestamp,
        };
    }

    private async Task<long> BytesAsync(string folder, Machines.Snapshots.FrozenState frozen, CancellationToken cancellationToken)
    {
        var bytes = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(FileSpace.AllocatedBytes);
        foreach (var disk in frozen.Disks)
            bytes += services.Volumes.AllocatedBytes(await services.Volumes.GetAsync(disk, cancellationToken).ConfigureAwait(false));
        return bytes;
    }

    private string TpmFolder(MachineRecord machine) => Path.Combine(services.Folders.MachineFolder(machine.Number), "tpm");

    private static bool IsFree(int port, AnswerOptions answers)
    {
        try
        {
            HostPorts.Choose(answers.HttpBindAddress, port, port, new HashSet<int>());
            return true;
        }
        catch (ProblemException)
        {
            return false;
        }
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }
}
