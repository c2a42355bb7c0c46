using Gantry.Engines;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;

namespace Gantry.EndToEnd.Engines;

public sealed class SnapshotTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DisksAndMemory_SavedTogether_GoOnInAnotherProcessOnAnotherPort()
    {
        await using var machine = await TestMachine.MakeAsync();
        await UseUefiAndTwoDisksAsync(machine);
        var memory = machine.In("memory");
        var firstPort = TestMachine.FreePort();
        machine.Launch = machine.Launch with { Ports = [new LaunchPort(0, "127.0.0.1", firstPort, 80)] };
        var before = machine.Launch;
        await using (var guest = await machine.StartAsync())
        {
            using var shell = await machine.ShellAsync();
            await shell.ReadyAsync();
            await QemuEngineTests.ServeAsync(shell, "served");
            Assert.Equal("served", await QemuEngineTests.FetchAsync(firstPort));
            await shell.RunAsync("X=kept-in-memory");
            await shell.RunAsync("echo before-a >/dev/vda; echo before-b >/dev/vdb; sync");

            await guest.PauseAsync(Cancel);
            await guest.SnapshotDisksAsync(Overlays(machine), Cancel);
            await guest.SaveMemoryAsync(memory, cancellationToken: Cancel);
            await guest.ResumeAsync(Cancel);

            // What is written afterwards goes to the overlays and must not be seen by the restored machine.
            await shell.RunAsync("echo after-aa >/dev/vda; sync");
            Assert.Equal("after-aa", await shell.RunAsync("head -n 1 /dev/vda"));
            Assert.Equal(
                ["disk0 disk0-s1", "disk1 disk1-s1", "efivars efivars-s1"],
                (await guest.TopNodesAsync(Cancel)).Select(n => $"{n.Key} {n.Value}").Order());
            await guest.QuitAsync(Cancel);
        }

        var secondPort = TestMachine.FreePort();
        machine.Launch = Restored(machine, before, secondPort);
        await using var restored = await machine.StartAsync();
        Assert.Equal(MachinePhase.Starting, await restored.PhaseAsync(Cancel));
        await restored.LoadMemoryAsync(memory, cancellationToken: Cancel);
        Assert.Equal(MachinePhase.Paused, await restored.PhaseAsync(Cancel));
        await restored.ResumeAsync(Cancel);
        using var later = await machine.ShellAsync();
        Assert.Equal("kept-in-memory", await later.RunAsync("echo $X"));
        await later.RunAsync("echo 3 >/proc/sys/vm/drop_caches");
        Assert.Equal("before-a", await later.RunAsync("head -n 1 /dev/vda"));
        Assert.Equal("before-b", await later.RunAsync("head -n 1 /dev/vdb"));
        Assert.Equal("served", await QemuEngineTests.FetchAsync(secondPort));
    }

    [Fact]
    public async Task Snapshot_WithOneBadOverlay_ChangesNothingAndKeepsNoFileOpen()
    {
        await using var machine = await TestMachine.MakeAsync();
        machine.Launch = machine.Launch with
        {
            Disks = [Disk(machine.NewDisk("a.qcow2")), Disk(machine.NewDisk("b.qcow2"))],
        };
        await using var guest = await machine.StartAsync();
        machine.NewDisk("a1.qcow2");
        await File.WriteAllTextAsync(machine.In("b1.qcow2"), "no image", Cancel);
        await Assert.ThrowsAsync<ProblemException>(() => guest.SnapshotDisksAsync(
            [
                new DiskOverlay("disk0", machine.In("a1.qcow2"), "disk0-s1"),
                new DiskOverlay("disk1", machine.In("b1.qcow2"), "disk1-s1"),
            ],
            Cancel));
        var tops = await guest.TopNodesAsync(Cancel);
        Assert.Equal("disk0", tops["disk0"]);
        Assert.Equal("disk1", tops["disk1"]);
        // Not held any more: qemu-img may take its lock.
        await new QemuImg().ResizeAsync(machine.In("a1.qcow2"), DiskImageFormat.Qcow2, 32 << 20, Cancel);
    }

    [Fact]
    public async Task Chain_StreamedAndCommitted_KeepsContent()
    {
        await using var machine = await TestMachine.MakeAsync();
        machine.Launch = machine.Launch with
        {
            Disks = [new LaunchDisk { Chain = [machine.NewDisk("top"), machine.NewDisk("middle"), machine.NewDisk("base")] }],
        };
        await using var guest = await machine.StartAsync();
        using var shell = await machine.ShellAsync();
        await shell.ReadyAsync();
        await shell.RunAsync("dd if=/dev/zero bs=64k count=8 2>/dev/null | tr '\\0' 'x' >/dev/vda; sync");
        var sum = await shell.RunAsync("dd if=/dev/vda bs=64k count=8 2>/dev/null | md5sum");
        var seen = new List<JobProgress>();
        await guest.StreamAsync("disk0", "disk0-2", "base", new Collector(seen), Cancel);
        await guest.CommitAsync("disk0", "disk0", "disk0-2", new Collector(seen), Cancel);
        Assert.NotEmpty(seen);
        Assert.Equal("disk0-2", (await guest.TopNodesAsync(Cancel))["disk0"]);
        var open = Directory.GetFiles($"/proc/{guest.Pid}/fd").Select(f => new FileInfo(f).LinkTarget).ToHashSet();
        Assert.Contains(machine.In("base"), open);
        Assert.DoesNotContain(machine.In("middle"), open);
        Assert.DoesNotContain(machine.In("top"), open);
        await guest.ResizeDiskAsync("disk0-2", TestMachine.DiskBytes * 2, Cancel);
        await shell.RunAsync("echo 3 >/proc/sys/vm/drop_caches");
        Assert.Equal(sum, await shell.RunAsync("dd if=/dev/vda bs=64k count=8 2>/dev/null | md5sum"));
        Assert.Equal((TestMachine.DiskBytes * 2 / 512).ToString(), await shell.RunAsync("cat /sys/block/vda/size"));
    }

    [Fact]
    public async Task Cdrom_ChangedAndEjected_ShowsInTopNodes()
    {
        await using var machine = await TestMachine.MakeAsync();
        await File.WriteAllBytesAsync(machine.In("one.iso"), new byte[65536], Cancel);
        await File.WriteAllBytesAsync(machine.In("two.iso"), new byte[65536], Cancel);
        machine.Launch = machine.Launch with
        {
            Spec = machine.Launch.Spec with { Cdroms = [new CdromSpec(), new CdromSpec()] },
            Cdroms = [machine.In("one.iso"), null],
        };
        await using var guest = await machine.StartAsync();
        Assert.Equal("cd0-media", (await guest.TopNodesAsync(Cancel))["cd0"]);
        await guest.ChangeCdromAsync("cd0", machine.In("two.iso"), Cancel);
        await guest.ChangeCdromAsync("cd0", machine.In("one.iso"), Cancel);
        await guest.ChangeCdromAsync("cd1", machine.In("two.iso"), Cancel);
        Assert.Contains("cd1", await guest.TopNodesAsync(Cancel));
        await guest.EjectAsync("cd0", Cancel);
        Assert.DoesNotContain("cd0", await guest.TopNodesAsync(Cancel));
    }

    [Fact]
    public async Task Tpm_Started_EndsWithItsMachine()
    {
        await using var machine = await TestMachine.MakeAsync();
        machine.Launch = machine.Launch with
        {
            Spec = machine.Launch.Spec with { Tpm = new TpmSpec() },
            TpmStateDirectory = machine.In("tpm"),
        };
        await using var guest = await machine.StartAsync();
        using var shell = await machine.ShellAsync();
        await shell.ReadyAsync();
        Assert.Equal("2", await shell.RunAsync("cat /sys/class/tpm/tpm0/tpm_version_major"));
        await guest.QuitAsync(Cancel);
        // It holds its state's lock as long as it lives: a second start needs it gone.
        await using var again = await machine.StartAsync();
        Assert.Equal(MachinePhase.Running, await again.PhaseAsync(Cancel));
    }

    private static async Task UseUefiAndTwoDisksAsync(TestMachine machine)
    {
        var spec = QemuDefaults.Resolve(
            machine.Launch.Spec with
            {
                MachineType = null,
                MemoryMiB = 256,
                Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi },
            },
            machine.Host);
        var firmware = machine.Host.Firmware(Isa.X86_64, spec.Firmware, spec.MachineType!)!;
        await new QemuImg().ConvertAsync(
            firmware.VariablesTemplate, DiskImageFormat.Raw, machine.In("vars.qcow2"), DiskImageFormat.Qcow2,
            null, Cancel);
        machine.Launch = machine.Launch with
        {
            Spec = spec,
            Firmware = firmware,
            Variables = [new ChainLink(machine.In("vars.qcow2"), VolumeFormat.Qcow2)],
            Disks = [Disk(machine.NewDisk("a.qcow2")), Disk(machine.NewDisk("b.qcow2"))],
        };
    }

    private static List<DiskOverlay> Overlays(TestMachine machine)
    {
        machine.NewDisk("a1.qcow2");
        machine.NewDisk("b1.qcow2");
        var size = new FileInfo(machine.Launch.Firmware!.VariablesTemplate).Length;
        machine.NewDisk("vars1.qcow2", size);
        return
        [
            new DiskOverlay("disk0", machine.In("a1.qcow2"), "disk0-s1"),
            new DiskOverlay("disk1", machine.In("b1.qcow2"), "disk1-s1"),
            new DiskOverlay("efivars", machine.In("vars1.qcow2"), "efivars-s1", Discard: false),
        ];
    }

    /// <summary>The same hardware over the frozen files, with new overlays, waiting for memory.</summary>
    private static QemuLaunch Restored(TestMachine machine, QemuLaunch before, int port)
    {
        var size = new FileInfo(before.Firmware!.VariablesTemplate).Length;
        return before with
        {
            Disks =
            [
                new LaunchDisk { Chain = [machine.NewDisk("a2.qcow2"), .. before.Disks[0].Chain] },
                new LaunchDisk { Chain = [machine.NewDisk("b2.qcow2"), .. before.Disks[1].Chain] },
            ],
            Variables = [machine.NewDisk("vars2.qcow2", size), .. before.Variables],
            Ports = [new LaunchPort(0, "127.0.0.1", port, 80)],
            Incoming = true,
        };
    }

    private static LaunchDisk Disk(ChainLink link) => new() { Chain = [link] };

    private sealed class Collector(List<JobProgress> seen) : IProgress<JobProgress>
    {
        public void Report(JobProgress value) => seen.Add(value);
    }
}
