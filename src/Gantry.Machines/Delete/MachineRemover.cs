using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Delete;

/// <summary>Deletes machines with everything that is only theirs.</summary>
public sealed class MachineRemover(
    MachineCatalog catalog, TemplateCatalog templates, VolumePool volumes, MachineHost host)
{
    /// <summary>Deletes a machine. What clones of it stand on stays, because they are its users too.</summary>
    /// <param name="machine">As it was read.</param>
    /// <param name="stop">End it first when it runs.</param>
    /// <param name="cancellationToken">Stops before the record is gone; after that the rest is finished.</param>
    /// <exception cref="ProblemException">It is protected, or runs.</exception>
    public async Task DeleteAsync(MachineRecord machine, bool stop, CancellationToken cancellationToken)
    {
        using var held = await host.LockAsync(machine.Number, TimeSpan.FromSeconds(10), cancellationToken)
            .ConfigureAwait(false);
        machine = await catalog.GetAsync(machine.Number.ToString(), cancellationToken).ConfigureAwait(false);
        if (machine.Spec.Protected)
        {
            throw new ProblemException(
                ProblemKind.Conflict,
                $"{machine.Spec.Name} is protected from deletion",
                $"if you mean it: gantry set {machine.Spec.Name} --protected=false, then delete it");
        }

        if (host.IsAlive(machine.Number))
        {
            if (!stop)
            {
                throw new ProblemException(
                    ProblemKind.Conflict,
                    $"{machine.Spec.Name} is running",
                    $"stop it first (gantry shutdown {machine.Spec.Name}), or do both at once: gantry delete --force {machine.Spec.Name}");
            }

            await host.StopAsync(machine, cancellationToken).ConfigureAwait(false);
        }

        await RemoveAsync(machine, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finishes deletions that a crash cut off: folders of machines that are no longer recorded.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var folder in Directory.GetDirectories(volumes.Folders.Machines))
        {
            if (!MachineNumber.TryParse(Path.GetFileName(folder), out var number)
                || MachineLock.TryTake(volumes.Folders, number) is not { } held)
            {
                continue;
            }

            using (held)
            {
                if (await catalog.FindAsync(number, cancellationToken).ConfigureAwait(false) is null && !host.IsAlive(number))
                    RemoveFolders(number);
            }
        }
    }

    private async Task RemoveAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        var uses = UsesOf(machine).ToList();
        List<StateOperation> changes = [.. uses.Select(use => volumes.Unuse(use.Volume, use.User))];
        changes.AddRange(RunningRecords.Forget(machine.Number));
        if (machine.Template is { } template)
            changes.Add(templates.Unuse(template, MachineUsers.Of(machine.Number)));
        if (!await catalog.TryRemoveAsync(machine, [], changes, cancellationToken).ConfigureAwait(false))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{machine.Spec.Name} was changed while it was being deleted", "try again");
        }

        foreach (var (volume, _) in uses)
            await volumes.CollectAsync(volume, CancellationToken.None).ConfigureAwait(false);
        RemoveFolders(machine.Number);
    }

    private void RemoveFolders(MachineNumber number)
    {
        foreach (var folder in new[] { volumes.Folders.MachineRun(number), volumes.Folders.MachineFolder(number) })
        {
            try
            {
                if (Directory.Exists(folder))
                    Directory.Delete(folder, recursive: true);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                // Whoever makes a machine of this number now has put its own lock there. Left over, the next sweep takes it.
            }
        }
    }

    private static IEnumerable<(VolumeId Volume, string User)> UsesOf(MachineRecord machine)
    {
        var own = MachineUsers.Of(machine.Number);
        foreach (var disk in machine.Spec.Disks)
            yield return (disk.Volume, own);
        if (machine.Variables is { } variables)
            yield return (variables, own);
        foreach (var pending in machine.PendingTops)
            yield return (pending, own);
        foreach (var snapshot in machine.Snapshots)
        {
            var user = MachineUsers.Of(machine.Number, snapshot.Name);
            foreach (var disk in snapshot.Disks)
                yield return (disk, user);
            if (snapshot.Variables is { } snapshotVariables)
                yield return (snapshotVariables, user);
        }
    }
}
