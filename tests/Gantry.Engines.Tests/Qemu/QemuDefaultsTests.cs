using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Tests.Qemu;

/// <summary>With the QEMU that the tests need anyway.</summary>
public sealed class QemuDefaultsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");

    private static readonly MachineSpec Plain = new()
    {
        Name = "web",
        Isa = Isa.X86_64,
        Cdroms = [new CdromSpec(), new CdromSpec { Seed = true }],
        NetworkCards = [new NetworkCardSpec { Mac = "52:54:00:00:00:01" }],
        Tpm = new TpmSpec(),
    };

    [Fact]
    public void OpenSpec_IsFilledInAndPinned()
    {
        var spec = Resolve(Plain);
        Assert.Matches("^pc-i440fx-[0-9]+\\.[0-9]+$", spec.MachineType);
        Assert.Equal(FirmwareKind.Bios, spec.Firmware.Kind);
        Assert.Equal([DiskBus.Ide, DiskBus.Ide], spec.Cdroms.Select(c => c.Bus));
        Assert.Equal(("VGA", "virtio-net-pci", "tpm-tis"), (spec.GraphicsAdapter, spec.NetworkCards[0].Device, spec.Tpm!.Device));
        Assert.Null(spec.CpuModel);
    }

    [Fact]
    public void ResolvedSpec_ResolvedAgain_StaysTheSame()
    {
        var spec = Resolve(Plain with { Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi } });
        Assert.StartsWith("pc-q35-", spec.MachineType, StringComparison.Ordinal);
        Assert.Equal([DiskBus.Sata, DiskBus.Scsi], spec.Cdroms.Select(c => c.Bus));
        Assert.Equal(spec, Resolve(spec));
    }

    [Fact]
    public void SeedOnPcWithUefi_IsWhereLinuxSeesIt()
    {
        var spec = Resolve(Plain with { MachineType = "pc", Firmware = new FirmwareSpec { Kind = FirmwareKind.Uefi } });
        Assert.Equal([DiskBus.Ide, DiskBus.Scsi], spec.Cdroms.Select(c => c.Bus));
    }

    [Fact]
    public void SecureBoot_MeansUefiOnQ35()
    {
        var spec = Resolve(Plain with { Firmware = new FirmwareSpec { SecureBoot = true } });
        Assert.Equal(FirmwareKind.Uefi, spec.Firmware.Kind);
        Assert.StartsWith("pc-q35-", spec.MachineType, StringComparison.Ordinal);
        Refuse(Plain with { MachineType = "pc", Firmware = new FirmwareSpec { SecureBoot = true } });
    }

    [Fact]
    public void ArmWithKernel_NeedsNoFirmware()
    {
        var arm = new MachineSpec { Name = "arm", Isa = Isa.Aarch64 };
        Assert.Equal(FirmwareKind.Uefi, Resolve(arm).Firmware.Kind);
        Assert.Equal(FirmwareKind.Default, Resolve(arm with { Kernel = new DirectBoot { Kernel = "/k" } }).Firmware.Kind);
        Refuse(arm with { Firmware = new FirmwareSpec { Kind = FirmwareKind.Bios } });
    }

    [Fact]
    public void ImpossibleSpecs_AreRefused()
    {
        Refuse(Plain with { MachineType = "no-such-machine" });
        Refuse(Plain with { MemoryMiB = 8 });
        Refuse(Plain with { Cpu = new CpuTopology { Count = 0 } });
    }

    private MachineSpec Resolve(MachineSpec spec) => QemuDefaults.Resolve(spec, new QemuHost(_folder.FullName));

    private void Refuse(MachineSpec spec) => Assert.Equal(
        ProblemKind.InvalidInput, Assert.Throws<ProblemException>(() => Resolve(spec)).Problem.Kind);

    public void Dispose() => _folder.Delete(recursive: true);
}
