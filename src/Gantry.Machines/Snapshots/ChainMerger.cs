using System.Collections.Immutable;
using Gantry.Engines;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Snapshots;

/// <summary>
/// Keeps the chains of disks short: an upper volume takes over what lies between it and one further down. It is only
/// ever copied upwards, so who else stands on the volumes between sees nothing of it; those that nobody needs go.
/// </summary>
/// <remarks>
/// The record is changed after the file. Cut off between the two, the record still names the layers between, which then
/// show nothing that the upper volume does not hold itself: both chains have the same content.
/// </remarks>
public sealed class ChainMerger(VolumePool volumes, QemuImg images)
{
    /// <summary>What stays beneath a merged top: as much as a template may have of its own.</summary>
    private const int KeptBeneath = 4;

    /// <summary>Whether a disk of the machine has no room for another layer.</summary>
    public async Task<bool> IsFullAsync(MachineRecord machine, CancellationToken cancellationToken) =>
        await LongestAsync(machine, cancellationToken).ConfigureAwait(false) >= VolumePool.LongestChain;

    /// <summary>Whether a disk of the machine consists of more files than it should.</summary>
    public async Task<bool> IsTooLongAsync(MachineRecord machine, CancellationToken cancellationToken) =>
        await LongestAsync(machine, cancellationToken).ConfigureAwait(false) > VolumePool.LongestChain;

    /// <summary>Merges the disks whose chains are full.</summary>
    /// <param name="machine">As it is recorded; the caller holds its lock.</param>
    /// <param name="guest">Its running QEMU; null when it is stopped.</param>
    /// <param name="progress">Told what is done.</param>
    /// <param name="cancellationToken">Stops; every disk then has its old content.</param>
    public async Task MergeAsync(
        MachineRecord machine, IMachineGuest? guest, IProgressSink progress, CancellationToken cancellationToken)
    {
        foreach (var top in MachineVolumes.Tops(machine))
        {
            var chain = await volumes.ChainAsync(top, cancellationToken).ConfigureAwait(false);
            if (chain.Length < VolumePool.LongestChain)
                continue;
            progress.Activity($"Merging {chain.Length - KeptBeneath} layers of {machine.Spec.Name}");
            await AbsorbAsync(top, chain[^KeptBeneath].Id, guest, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Makes a volume hold itself what it now sees of the layers between it and one further down.</summary>
    /// <param name="upper">The volume that grows.</param>
    /// <param name="lower">What it stands on then; null for nothing.</param>
    /// <param name="guest">The running QEMU that has the volume open; null when none has.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops; the volume then has its old content.</param>
    /// <exception cref="ProblemException">Another QEMU has the volume open, or the disk is full.</exception>
    public async Task AbsorbAsync(
        VolumeId upper, VolumeId? lower, IMachineGuest? guest, IProgressSink progress, CancellationToken cancellationToken)
    {
        var chain = await volumes.ChainAsync(upper, cancellationToken).ConfigureAwait(false);
        var end = lower is null ? chain.Length : IndexOf(chain, lower.Value);
        if (end <= 1)
            return; // it stands there already
        RequireSpace(chain, end);
        var nodes = guest is null ? null : await guest.NodesByFileAsync(cancellationToken).ConfigureAwait(false);
        if (nodes is not null && nodes.TryGetValue(chain[0].Path, out var node))
            await StreamAsync(guest!, nodes, node, chain, end, progress, cancellationToken).ConfigureAwait(false);
        else
            await RebaseAsync(chain, end, progress, cancellationToken).ConfigureAwait(false);
        await volumes.ChangeBackingAsync(upper, lower, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task StreamAsync(
        IMachineGuest guest,
        IReadOnlyDictionary<string, string> nodes,
        string node,
        ImmutableArray<VolumeFile> chain,
        int end,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        string? lower = null;
        if (end < chain.Length && !nodes.TryGetValue(chain[end].Path, out lower))
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the machine's QEMU does not have {chain[end].Path} open, which its disk should stand on",
                "restart the machine");
        }

        var name = end < chain.Length ? Path.GetFileName(chain[end].Path) : null;
        await guest.StreamAsync(node, lower, name, new SinkProgress(progress), cancellationToken).ConfigureAwait(false);
    }

    private async Task RebaseAsync(
        ImmutableArray<VolumeFile> chain, int end, IProgressSink progress, CancellationToken cancellationToken)
    {
        await VolumePool.AlignBackingNamesAsync(chain, images, cancellationToken).ConfigureAwait(false);
        var lower = end < chain.Length ? Path.GetFileName(chain[end].Path) : null;
        await images.RebaseAsync(chain[0].Path, lower, part => progress.Amount((long)(part * 1000), 1000, "parts"), cancellationToken)
            .ConfigureAwait(false);
    }

    private void RequireSpace(ImmutableArray<VolumeFile> chain, int end) => FileSpace.Require(
        volumes.Folders.Volumes, chain.Take(end).Skip(1).Sum(file => FileSpace.AllocatedBytes(file.Path)), "merging a disk's layers");

    private async Task<int> LongestAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        var longest = 0;
        foreach (var top in MachineVolumes.Tops(machine))
            longest = Math.Max(longest, (await volumes.ChainAsync(top, cancellationToken).ConfigureAwait(false)).Length);
        return longest;
    }

    private static int IndexOf(ImmutableArray<VolumeFile> chain, VolumeId id)
    {
        for (var i = 0; i < chain.Length; i++)
        {
            if (chain[i].Id == id)
                return i;
        }

        throw new InvalidOperationException($"volume {id} is not beneath {chain[0].Id}");
    }

    private sealed class SinkProgress(IProgressSink sink) : IProgress<JobProgress>
    {
        public void Report(JobProgress value) => sink.Amount(value.Done, value.Total, "bytes");
    }
}
