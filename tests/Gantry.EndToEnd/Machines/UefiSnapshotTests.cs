using Gantry.App.Hosting;
using Gantry.EndToEnd.Engines;
using Gantry.Machines.Create;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.EndToEnd.Machines;

/// <summary>A machine with UEFI variables, a TPM and two disks: all of it is of one moment.</summary>
public sealed class UefiSnapshotTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-e2e-uefi-").FullName;
    private GantryNode _node = null!;
    private MachineRecord _machine = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        _node = await GantryNode.OpenAsync(folders, TimeProvider.System, SystemEntropy.Instance, repair: true, Token);
        var linux = await SmallLinux.GetAsync();
        _machine = await _node.Maker.CreateAsync(
            new MachinePlan
            {
                Spec = new MachineSpec
                {
                    Name = "uefi",
                    Isa = Isa.X86_64,
                    MemoryMiB = 256,
                    Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi },
                    Tpm = new TpmSpec(),
                    Kernel = new DirectBoot
                    {
                        Kernel = linux.Kernel,
                        Initrd = linux.Initrd,
                        CommandLine = "console=ttyS0 quiet panic=-1",
                    },
                },
                Disks = [new DiskPlan { Size = TestMachine.DiskBytes }, new DiskPlan { Size = TestMachine.DiskBytes }],
            },
            Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.Remover.DeleteAsync(_machine, stop: true, CancellationToken.None);
        Assert.Empty(Directory.GetFiles(_node.Folders.Volumes));
        await _node.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Snapshot_WithMemory_BringsDisksVariablesAndTpmBack_AndChainsStayShort()
    {
        var number = _machine.Number;
        await using (await _node.Host.StartAsync(number, new StartOptions { Accelerator = "tcg" }, NoProgress.Instance, Token))
        {
        }

        using (var shell = await ShellAsync())
        {
            await shell.ReadyAsync();
            await shell.RunAsync("echo one-a >/dev/vda; echo one-b >/dev/vdb; sync; X=kept");
            await TakeAsync("s1", memory: true);
            await shell.RunAsync("echo two-a >/dev/vda; echo two-b >/dev/vdb; sync; X=lost");
        }

        var tpm = Path.Combine(_node.Folders.MachineFolder(number), "tpm");
        var kept = Path.Combine(SnapshotFiles.Folder(_node.Folders, number, "s1"), "tpm");
        Assert.Equal(StateFiles(tpm), StateFiles(kept));
        Assert.NotEmpty(StateFiles(kept));
        await _node.Reverter.RollBackAsync(
            number, "s1", new RollbackOptions { Unrenewed = true }, NoProgress.Instance, Token);
        using (var shell = await ShellAsync())
        {
            Assert.Equal("kept", await shell.RunAsync("echo $X"));
            await AssertDisksAsync(shell, "one");
            for (var i = 2; i < 12; i++)
            {
                await shell.RunAsync($"dd if=/dev/urandom of=/dev/vda bs=4k seek={i} count=1 2>/dev/null; sync");
                await TakeAsync($"s{i}", memory: false);
                var machine = await _node.Machines.GetAsync("uefi", Token);
                foreach (var top in MachineVolumes.Tops(machine))
                {
                    var chain = await _node.Volumes.ChainAsync(top, Token);
                    Assert.InRange(chain.Length, 2, VolumePool.LongestChain);
                    Assert.All(chain, file => Assert.True(VolumePool.BackingNameOf(file.Path) is var name && name == Path.GetFileName(name)));
                }
            }

            await AssertDisksAsync(shell, "one");
            foreach (var name in new[] { "s3", "s1", "s11" })
                await _node.SnapshotDeleter.DeleteAsync(number, name, NoProgress.Instance, Token);
            await AssertDisksAsync(shell, "one");
        }
    }

    private static async Task AssertDisksAsync(SerialShell shell, string expected)
    {
        await shell.RunAsync("echo 3 >/proc/sys/vm/drop_caches");
        Assert.Equal($"{expected}-a", await shell.RunAsync("head -n 1 /dev/vda"));
        Assert.Equal($"{expected}-b", await shell.RunAsync("head -n 1 /dev/vdb"));
    }

    private static IEnumerable<string> StateFiles(string folder) =>
        Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Where(name => name != ".lock").Order(StringComparer.Ordinal);

    private Task<SerialShell> ShellAsync()
    {
        var paths = _node.Host.PathsOf(_machine.Number);
        return SerialShell.OpenAsync(paths.Serial, paths.SerialLog);
    }

    private Task TakeAsync(string name, bool memory) => _node.Snapshots.TakeAsync(
        _machine.Number, new SnapshotRequest { Name = name, Memory = memory }, NoProgress.Instance, Token);
}
