using System.Collections.Immutable;
using Gantry.Engines.Qemu;
using Gantry.Machines.Catalog;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Volumes;
using Gantry.Storage;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Create;

/// <summary>
/// Makes machines. The record, its volumes' records and a pending mark are one transaction; the files follow, and then
/// the mark goes. Making a file again does no harm, so whoever finds the mark without its maker finishes the work.
/// </summary>
public sealed class MachineMaker(
    IStateStore store,
    MachineCatalog catalog,
    TemplateCatalog templates,
    VolumePool volumes,
    IMachineHardware hardware,
    QemuImg images,
    TimeProvider time,
    IEntropy entropy)
{
    private const string PendingPrefix = "machines-pending/";

    /// <summary>How long others may be ahead of us with every number that we try.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Whoever holds a number records it after a write to the disk, or lets it go.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private DataFolders Folders => volumes.Folders;

    /// <exception cref="ProblemException">The name is taken, or what the plan stands on is gone.</exception>
    public async Task<MachineRecord> CreateAsync(MachinePlan plan, CancellationToken cancellationToken)
    {
        SpecCheck.Check(plan.Spec);
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < Patience)
        {
            var number = await catalog.NextNumberAsync(cancellationToken).ConfigureAwait(false);
            if (MachineLock.TryTake(Folders, number) is not { } held)
            {
                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
                continue;
            }

            using (held)
            {
                if (await TryRecordAsync(plan, number, cancellationToken).ConfigureAwait(false) is { } machine)
                {
                    await FinishAsync(machine, cancellationToken).ConfigureAwait(false);
                    return machine;
                }
            }

            await CheckStillThereAsync(plan, cancellationToken).ConfigureAwait(false);
        }

        throw new ProblemException(ProblemKind.Conflict, "too many machines are being made at once", "try again");
    }

    /// <summary>Finishes machines whose maker died. Those of a living maker are left to it.</summary>
    public async Task RepairAsync(CancellationToken cancellationToken)
    {
        var pending = await store.RangeAsync(PendingPrefix, StateLimits.MaxRange, null, cancellationToken)
            .ConfigureAwait(false);
        foreach (var entry in pending.Entries)
        {
            if (!MachineNumber.TryParse(entry.Key[PendingPrefix.Length..], out var number)
                || MachineLock.TryTake(Folders, number) is not { } held)
            {
                continue;
            }

            using (held)
            {
                if (await catalog.FindAsync(number, cancellationToken).ConfigureAwait(false) is { } machine)
                    await FinishAsync(machine, cancellationToken).ConfigureAwait(false);
                else
                    await ClearPendingAsync(number, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A random address in the range that QEMU's users share (52:54:00).</summary>
    public string NewMac()
    {
        Span<byte> bytes = stackalloc byte[3];
        entropy.Fill(bytes);
        return $"52:54:00:{bytes[0]:x2}:{bytes[1]:x2}:{bytes[2]:x2}";
    }

    public string NewInstanceId() => "i-" + entropy.NewHex(8);

    private async Task<MachineRecord?> TryRecordAsync(
        MachinePlan plan, MachineNumber number, CancellationToken cancellationToken)
    {
        var user = MachineUsers.Of(number);
        var planned = new List<VolumeRecord>();
        var disks = new List<DiskSpec>();
        foreach (var disk in plan.Disks)
        {
            var volume = await PlanDiskAsync(disk, number, disks.Count, cancellationToken).ConfigureAwait(false);
            planned.Add(volume);
            disks.Add(disk.Attachment with { Volume = volume.Id });
        }

        var spec = hardware.Resolve(plan.Spec);
        VolumeRecord? variables = null;
        if (hardware.Firmware(spec) is { } firmware)
        {
            var size = plan.Variables is { } beneath
                ? (await volumes.GetAsync(beneath, cancellationToken).ConfigureAwait(false)).VirtualSize
                : await images.VirtualSizeAsync(firmware.VariablesTemplate, FormatOf(firmware), cancellationToken)
                    .ConfigureAwait(false);
            variables = volumes.Plan($"UEFI variables of machine {number}", size, plan.Variables);
            planned.Add(variables);
        }

        var machine = new MachineRecord
        {
            Number = number,
            Uuid = plan.Uuid ?? entropy.NewUuid(),
            InstanceId = plan.InstanceId ?? NewInstanceId(),
            Created = time.GetUtcNow(),
            Role = plan.Role,
            Template = plan.Template,
            Provenance = plan.Provenance,
            Variables = variables?.Id,
            Spec = spec with
            {
                Disks = [.. disks],
                NetworkCards = spec.NetworkCards
                    .Select(card => card.Mac.Length > 0 ? card : card with { Mac = NewMac() }).ToValueList(),
            },
        };
        List<StateCompare> conditions = [.. planned.SelectMany(volumes.AdoptConditions)];
        List<StateOperation> changes =
        [
            .. planned.SelectMany(volume => volumes.Adopt(volume, user)),
            new StateOperation.Put(PendingKey(number), "1"u8.ToArray()),
        ];
        if (plan.Template is { } template)
        {
            conditions.Add(templates.Exists(template));
            changes.Add(templates.Use(template, user));
        }

        return await catalog.TryAddAsync(machine, conditions, changes, cancellationToken).ConfigureAwait(false)
            ? machine : null;
    }

    private async Task<VolumeRecord> PlanDiskAsync(
        DiskPlan disk, MachineNumber number, int index, CancellationToken cancellationToken)
    {
        var size = disk.Size;
        if (disk.Backing is { } backing)
        {
            var beneath = await volumes.GetAsync(backing, cancellationToken).ConfigureAwait(false);
            if (!beneath.Frozen)
                throw new InvalidOperationException($"volume {backing} is still written to, so nothing can stand on it");
            if (size < beneath.VirtualSize)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"disk {index} can't be made smaller than what it starts from ({FileSpace.Words(beneath.VirtualSize)})",
                    "give a larger size, or none");
            }

            size ??= beneath.VirtualSize;
        }

        return volumes.Plan(
            $"disk {index} of machine {number}",
            size ?? throw new InvalidOperationException("an empty disk needs a size"),
            disk.Backing);
    }

    private async Task FinishAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        foreach (var disk in machine.Spec.Disks)
            volumes.CreateFile(await volumes.GetAsync(disk.Volume, cancellationToken).ConfigureAwait(false));
        if (machine.Variables is { } id)
        {
            var variables = await volumes.GetAsync(id, cancellationToken).ConfigureAwait(false);
            if (variables.Backing is not null)
                volumes.CreateFile(variables);
            else
                await ImportVariablesAsync(machine, variables, cancellationToken).ConfigureAwait(false);
        }

        await ClearPendingAsync(machine.Number, cancellationToken).ConfigureAwait(false);
    }

    private Task ImportVariablesAsync(
        MachineRecord machine, VolumeRecord variables, CancellationToken cancellationToken)
    {
        var firmware = hardware.Firmware(machine.Spec)
            ?? throw new InvalidOperationException($"machine {machine.Number} has UEFI variables and no UEFI");
        return volumes.ImportAsync(
            variables, firmware.VariablesTemplate, FormatOf(firmware), images, null, cancellationToken);
    }

    private static DiskImageFormat FormatOf(FirmwareFiles firmware) =>
        firmware.VariablesFormat == VolumeFormat.Qcow2 ? DiskImageFormat.Qcow2 : DiskImageFormat.Raw;

    private async Task ClearPendingAsync(MachineNumber number, CancellationToken cancellationToken) =>
        await store.CommitAsync(
            new StateTransaction { Then = [new StateOperation.Delete(PendingKey(number))] }, cancellationToken)
                .ConfigureAwait(false);

    private async Task CheckStillThereAsync(MachinePlan plan, CancellationToken cancellationToken)
    {
        foreach (var backing in plan.Disks.Select(disk => disk.Backing).Append(plan.Variables).OfType<VolumeId>())
            await volumes.GetAsync(backing, cancellationToken).ConfigureAwait(false);
        if (plan.Template is { } id && await templates.FindByIdAsync(id, cancellationToken).ConfigureAwait(false) is null)
            throw new ProblemException(
                ProblemKind.Conflict, "the template was deleted in the meantime", "choose another one");
    }

    private static string PendingKey(MachineNumber number) => PendingPrefix + number;
}

/// <summary>How a machine is named as the user of volumes and templates.</summary>
public static class MachineUsers
{
    public static string Of(MachineNumber number) => $"machine-{number}";

    public static string Of(MachineNumber number, string snapshot) => $"machine-{number}-snapshot-{snapshot}";
}
