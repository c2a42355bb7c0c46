using System.Text;
using CsCheck;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage.Appliances;

namespace Gantry.Storage.Tests.Appliances;

public sealed class OvfTests
{
    [Fact]
    public void VMwaresDescriptor_IsMapped_InTheOrderOfItsController_WithItsUsualSize()
    {
        var ovf = Read(SampleOvf.VMware);
        var mapped = OvfHardware.Map(ovf, bus: null);
        Assert.Equal(("Web Server", "Serves pages"), (ovf.Name, mapped.Spec.Notes));
        Assert.Equal(new CpuTopology { Count = 8, Sockets = 2, Cores = 4 }, mapped.Spec.Cpu);
        Assert.Equal((2048, FirmwareKind.Uefi, Isa.X86_64), (mapped.Spec.MemoryMiB, mapped.Spec.Firmware.Kind, mapped.Spec.Isa));
        Assert.Equal([("vmdisk1", DiskBus.Scsi), ("vmdisk2", DiskBus.Scsi)], mapped.Disks.Select(disk => (disk.Disk.Id, disk.Bus)));
        Assert.Equal([1L << 30, 20 << 20], mapped.Disks.Select(disk => disk.Disk.Capacity));
        Assert.Equal(["file1", null], mapped.Disks.Select(disk => disk.Disk.FileId));
        Assert.Equal("vmxnet3", Assert.Single(mapped.Spec.NetworkCards).Device);
        Assert.Equal(
            ["Network adapter 1", "Hard disk 1", "Hard disk 2", "vmci"], mapped.Remarks.Select(remark => remark.Item));
        Assert.All(OvfHardware.Map(ovf, DiskBus.Sata).Disks, disk => Assert.Equal(DiskBus.Sata, disk.Bus));
    }

    [Fact]
    public void VirtualBoxsDescriptor_IsMapped_WithWhatItsOwnSectionSays()
    {
        var mapped = OvfHardware.Map(Read(SampleOvf.VirtualBox), bus: null);
        Assert.Equal((512, FirmwareKind.Uefi), (mapped.Spec.MemoryMiB, mapped.Spec.Firmware.Kind));
        Assert.NotNull(mapped.Spec.Tpm);
        Assert.Equal(DiskBus.Sata, Assert.Single(mapped.Disks).Bus);
        Assert.Equal("e1000", Assert.Single(mapped.Spec.NetworkCards).Device);
        Assert.Null(Assert.Single(mapped.Spec.Cdroms).File);
        Assert.Equal(["cdrom1", "Ethernet adapter on 'NAT'", "usb", "sound"], mapped.Remarks.Select(remark => remark.Item));
    }

    [Fact]
    public void WindowsOnScsi_GoesToSata_AndIsTold()
    {
        var ovf = Read(SampleOvf.VMware.Replace("debian10_64Guest", "windows2019srv_64Guest", StringComparison.Ordinal));
        var mapped = OvfHardware.Map(ovf, bus: null);
        Assert.All(mapped.Disks, disk => Assert.Equal(DiskBus.Sata, disk.Bus));
        Assert.Contains(mapped.Remarks, remark => remark.Reason.Contains("Windows has no driver", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("5", "PIIX4", DiskBus.Ide)]
    [InlineData("6", "lsilogic", DiskBus.Scsi)]
    [InlineData("20", "AHCI", DiskBus.Sata)]
    [InlineData("20", "vmware.sata.ahci", DiskBus.Sata)]
    [InlineData("20", "vmware.nvme.controller", DiskBus.Nvme)]
    [InlineData("20", "VirtioSCSI", DiskBus.Scsi)]
    [InlineData("99", "own", DiskBus.Sata)]
    public void Controller_IsMappedToABus(string type, string subType, DiskBus bus)
    {
        var text = SampleOvf.VirtualBox.Replace("<rasd:ResourceType>20<", $"<rasd:ResourceType>{type}<", StringComparison.Ordinal)
            .Replace("AHCI", subType, StringComparison.Ordinal).Replace("Windows10_64", "Debian_64", StringComparison.Ordinal);
        Assert.Equal(bus, Assert.Single(OvfHardware.Map(Read(text), bus: null).Disks).Bus);
    }

    [Theory]
    [InlineData("ovf:capacity=\"1\"", "ovf:capacity=\"one\"", "no number")]
    [InlineData("ovf:capacity=\"1\"", "ovf:capacity=\"${size}\"", "no number")]
    [InlineData("ovf:capacity=\"1\"", "ovf:capacity=\"-1\"", "no number")]
    [InlineData("ovf:capacity=\"1\"", "ovf:capacity=\"0\"", "impossible size")]
    [InlineData("ovf:capacity=\"1\"", "ovf:capacity=\"9999999999999\"", "impossible size")]
    [InlineData("byte * 2^30", "byte * 2^99", "no unit")]
    [InlineData("byte * 2^30", "furlong", "no unit")]
    [InlineData("byte * 2^30", "hertz * 2^30", "no unit")]
    [InlineData("<rasd:AllocationUnits>byte * 2^20", "<rasd:AllocationUnits>bit * 2^20", "gives the memory in")]
    [InlineData("web-disk1.vmdk", "../web-disk1.vmdk", "only take one of its own package")]
    [InlineData("web-disk1.vmdk", "/etc/passwd", "only take one of its own package")]
    [InlineData("web-disk1.vmdk", "http://example.com/x", "only take one of its own package")]
    [InlineData("ovf:id=\"file1\"/>", "ovf:id=\"file1\" ovf:compression=\"gzip\"/>", "packed (gzip)")]
    [InlineData("ovf:id=\"file1\"/>", "ovf:id=\"file1\" ovf:chunkSize=\"5\"/>", "cut into chunks")]
    [InlineData("ovf:id=\"file1\"/>", "ovf:id=\"other\"/>", "does not name")]
    [InlineData("ovf:diskId=\"vmdisk2\"", "ovf:diskId=\"vmdisk1\"", "twice")]
    [InlineData("ovf:diskId=\"vmdisk2\"", "ovf:diskId=\"vmdisk2\" ovf:parentRef=\"vmdisk1\"", "layer over another disk")]
    [InlineData("ovf:/disk/vmdisk2", "ovf:/disk/other", "does not describe")]
    [InlineData("ovf:/disk/vmdisk2", "ovf:/disk/vmdisk1", "two drives")]
    [InlineData("</VirtualSystem>", "</VirtualSystem><VirtualSystem ovf:id=\"b\"/>", "several machines")]
    [InlineData("<Envelope", "<!DOCTYPE Envelope SYSTEM \"http://example.com/x\"><Envelope", "no XML that can be read")]
    [InlineData("<Envelope", "<!DOCTYPE Envelope [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Envelope", "no XML that can be read")]
    [InlineData("</Envelope>", "", "no XML that can be read")]
    [InlineData("VirtualHardwareSection", "OtherSection", "nothing of the machine's hardware")]
    public void Descriptor_ThatCantBeTaken_IsRefusedWithTheReason(string part, string instead, string said)
    {
        var text = SampleOvf.VMware.Replace(part, instead, StringComparison.Ordinal);
        Assert.NotEqual(SampleOvf.VMware, text);
        var problem = Assert.Throws<ProblemException>(() => OvfHardware.Map(Read(text), bus: null)).Problem;
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains(said, problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Descriptor_OfManyLevels_IsRefused()
    {
        var text = SampleOvf.VMware.Replace(
            "<Info>A machine</Info>", string.Concat(Enumerable.Repeat("<a>", 10_000)) + string.Concat(Enumerable.Repeat("</a>", 10_000)),
            StringComparison.Ordinal);
        Assert.Contains("deep", Assert.Throws<ProblemException>(() => Read(text)).Problem.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 1L)]
    [InlineData("byte", 1L)]
    [InlineData("MegaBytes", 1L << 20)]
    [InlineData("GB", 1L << 30)]
    [InlineData("byte * 2^20", 1L << 20)]
    [InlineData("byte*2^30", 1L << 30)]
    [InlineData("byte * 1024 * 2^10", 1L << 20)]
    [InlineData("byte * 10^9", 1_000_000_000L)]
    [InlineData("byte * 0", null)]
    [InlineData("byte * 3^2", null)]
    [InlineData("byte * 2^61", null)]
    [InlineData("hertz * 10^6", null)]
    public void Unit_IsRead(string? text, long? bytes) => Assert.Equal(bytes, OvfUnits.Parse(text));

    /// <summary>What is exported describes, read again, the same machine.</summary>
    [Fact]
    public void Descriptor_OfOurs_IsReadAsItWasWritten()
    {
        var bus = Gen.Int[0, 2].Select(i => new[] { DiskBus.Ide, DiskBus.Sata, DiskBus.Scsi }[i]);
        var spec = Gen.Select(Gen.Int[1, 8], Gen.Int[1, 4], Gen.Int[16, 1 << 20], Gen.Bool, Gen.Int[0, 3], Gen.String);
        Gen.Select(spec, bus, Gen.Int[1, 4]).Sample((hardware, on, count) =>
        {
            var (sockets, cores, memory, uefi, cards, notes) = hardware;
            var before = new MachineSpec
            {
                Name = "web",
                Isa = Isa.X86_64,
                Cpu = new CpuTopology { Count = sockets * cores, Sockets = sockets, Cores = cores },
                MemoryMiB = memory,
                Firmware = new FirmwareSpec { Kind = uefi ? FirmwareKind.Uefi : FirmwareKind.Bios },
                NetworkCards = Enumerable.Range(0, cards).Select(_ => new NetworkCardSpec { Mac = "", Device = "e1000e" }).ToValueList(),
                Notes = notes,
            };
            var disks = Enumerable.Range(0, count).Select(i => new OvfDiskFile($"web-disk{i}.vmdk", 1000 + i, (i + 1L) << 30, on)).ToList();
            var read = OvfReader.Read(OvfWriter.Write(before, disks), "web.ovf");
            var after = OvfHardware.Map(read, bus: null);
            Assert.Equal((before.Cpu.Count, before.MemoryMiB, before.Firmware.Kind), (after.Spec.Cpu.Count, after.Spec.MemoryMiB, after.Spec.Firmware.Kind));
            Assert.Equal(before.NetworkCards, after.Spec.NetworkCards);
            Assert.Equal(disks.Select(disk => (disk.Capacity, disk.Bus)), after.Disks.Select(disk => (disk.Disk.Capacity, disk.Bus)));
            Assert.Equal(disks.Select(disk => (disk.FileName, (long?)disk.FileBytes)), read.Files.Select(file => (file.Name, file.Size)));
        });
    }

    [Theory]
    [InlineData("SHA256(a.ovf)= {0}", true)]
    [InlineData("SHA256 (a.ovf) = {0}", true)]
    [InlineData("SHA256(a.ovf)= {0}\r\n\r\n", true)]
    [InlineData("SHA1(a.ovf)= {0}", false)]
    [InlineData("MD5(a.ovf)= {0}", false)]
    [InlineData("{0}  a.ovf", false)]
    [InlineData("SHA256(a.ovf)= {0}\nSHA256(a.ovf)= {0}", false)]
    public void Manifest_IsReadOrRefused(string form, bool good)
    {
        var hex = new string('a', 64);
        var text = Encoding.UTF8.GetBytes(form.Replace("{0}", hex, StringComparison.Ordinal));
        if (good)
            Assert.Equal(new FileDigest("sha256", hex), OvfManifest.Read(text, "a.mf")["a.ovf"]);
        else
            Assert.Equal(ProblemKind.InvalidInput, Assert.Throws<ProblemException>(() => OvfManifest.Read(text, "a.mf")).Problem.Kind);
    }

    private static OvfDescriptor Read(string text) => OvfReader.Read(Encoding.UTF8.GetBytes(text), "web.ovf");
}
