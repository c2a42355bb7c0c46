using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Gantry.Model;
using Gantry.Storage.Appliances;
using Gantry.Storage.Tests.Media;

namespace Gantry.Storage.Tests.Appliances;

/// <summary>Archives that are good, damaged and hostile.</summary>
public sealed class AppliancePackageTests : IDisposable
{
    private static readonly byte[] Descriptor = Encoding.UTF8.GetBytes(SampleOvf.VMware);
    private static readonly byte[] Disk = Encoding.UTF8.GetBytes("the content of a disk");

    private readonly TemporaryFolder _folder = new();

    private string Ova => _folder["web.ova"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TarEntryFormat.Ustar, "")]
    [InlineData(TarEntryFormat.Gnu, "")]
    [InlineData(TarEntryFormat.Pax, "./")]
    [InlineData(TarEntryFormat.V7, "")]
    public void Archive_IsRead_WhereItsFilesLie(TarEntryFormat format, string before)
    {
        Write(format, (before + "web.ovf", Descriptor), (before + "web.mf", Manifest()), (before + "web-disk1.vmdk", Disk));
        var package = AppliancePackage.Open(Ova);
        Assert.True(package.HasManifest);
        var file = package.File("web-disk1.vmdk");
        var archive = File.ReadAllBytes(Ova);
        Assert.Equal(Disk, archive.AsSpan((int)file.Part!.Offset, (int)file.Part.Length).ToArray());
        Assert.Equal(Hex(Disk), package.Digest("web-disk1.vmdk")!.Hex);
    }

    [Fact]
    public void Folder_IsRead_AsAnArchiveIs()
    {
        File.WriteAllBytes(_folder["web.ovf"], Descriptor);
        File.WriteAllBytes(_folder["web-disk1.vmdk"], Disk);
        var package = AppliancePackage.Open(_folder["web.ovf"]);
        Assert.False(package.HasManifest);
        Assert.Equal((_folder["web-disk1.vmdk"], null), (package.File("web-disk1.vmdk").Path, package.File("web-disk1.vmdk").Part));
        File.Delete(_folder["web-disk1.vmdk"]);
        AssertRefused("web-disk1.vmdk, which is missing", _folder["web.ovf"]);
        File.CreateSymbolicLink(_folder["web-disk1.vmdk"], "/etc/passwd");
        AssertRefused("which is a link", _folder["web.ovf"]);
    }

    [Theory]
    [InlineData("../web-disk1.vmdk")]
    [InlineData("/tmp/web-disk1.vmdk")]
    [InlineData("sub/web-disk1.vmdk")]
    [InlineData("a:b")]
    public void Name_ThatLeavesThePackage_IsRefused(string name)
    {
        Write(TarEntryFormat.Pax, ("web.ovf", Descriptor), (name, Disk));
        AssertRefused("only have files without a path", Ova);
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Directory)]
    [InlineData(TarEntryType.Fifo)]
    [InlineData(TarEntryType.CharacterDevice)]
    public void Entry_ThatIsNoOrdinaryFile_IsRefused(TarEntryType type)
    {
        using (var tar = new TarWriter(File.Create(Ova), TarEntryFormat.Pax))
        {
            var entry = new PaxTarEntry(type, "web-disk1.vmdk");
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                entry.LinkName = "/etc/passwd";
            tar.WriteEntry(entry);
        }

        AssertRefused("no ordinary file", Ova);
    }

    [Fact]
    public void FileTwice_IsRefused()
    {
        Write(TarEntryFormat.Ustar, ("web.ovf", Descriptor), ("web-disk1.vmdk", Disk), ("web-disk1.vmdk", Disk));
        AssertRefused("twice", Ova);
    }

    [Fact]
    public void Descriptor_MissingOrTwice_IsRefused()
    {
        Write(TarEntryFormat.Ustar, ("web-disk1.vmdk", Disk));
        AssertRefused("no .ovf descriptor", Ova);
        Write(TarEntryFormat.Ustar, ("web.ovf", Descriptor), ("b.ovf", Descriptor));
        AssertRefused("several .ovf", Ova);
    }

    [Fact]
    public void Disk_ThatIsMissing_IsNamed()
    {
        Write(TarEntryFormat.Ustar, ("web.ovf", Descriptor));
        AssertRefused("web-disk1.vmdk, which is missing", Ova);
    }

    [Fact]
    public void Manifest_ThatDoesNotFit_IsRefused()
    {
        Write(TarEntryFormat.Ustar, ("web.ovf", [.. Descriptor, (byte)'\n']), ("web.mf", Manifest()), ("web-disk1.vmdk", Disk));
        AssertRefused("not what its package's manifest says", Ova);
        Write(TarEntryFormat.Ustar, ("web.ovf", Descriptor), ("web.mf", Manifest(disk: false)), ("web-disk1.vmdk", Disk));
        AssertRefused("without a digest of web-disk1.vmdk", Ova);
    }

    [Fact]
    public void SizeThatTheDescriptorDenies_IsRefused()
    {
        var text = SampleOvf.VMware.Replace("ovf:id=\"file1\"/>", "ovf:id=\"file1\" ovf:size=\"999\"/>", StringComparison.Ordinal);
        Write(TarEntryFormat.Ustar, ("web.ovf", Encoding.UTF8.GetBytes(text)), ("web-disk1.vmdk", Disk));
        AssertRefused("says that its file web-disk1.vmdk has 999 bytes", Ova);
    }

    [Fact]
    public void ArchiveThatSaysMoreThanItHas_IsRefused_WithoutBeingRead()
    {
        Write(TarEntryFormat.Ustar, ("web.ovf", Descriptor), ("web-disk1.vmdk", Disk));
        var bytes = File.ReadAllBytes(Ova);
        var header = bytes.AsSpan().IndexOf("web-disk1.vmdk\0"u8);
        // 8 GiB less one byte, in octal digits; then the sum of the header's bytes.
        Encoding.ASCII.GetBytes("77777777777\0").CopyTo(bytes, header + 124);
        Encoding.ASCII.GetBytes("        ").CopyTo(bytes, header + 148);
        var sum = bytes.AsSpan(header, 512).ToArray().Sum(one => one);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, header + 148);
        File.WriteAllBytes(Ova, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        AssertRefused("", Ova);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
    }

    [Fact]
    public void ManyEntries_AreRefused()
    {
        Write(TarEntryFormat.Ustar, [.. Enumerable.Range(0, 1100).Select(i => ($"f{i}", Array.Empty<byte>()))]);
        AssertRefused("more than 1000 files", Ova);
    }

    /// <summary>.NET's own reader answers a time beyond all calendars with an overflow.</summary>
    [Fact]
    public void TimeBeyondAllCalendars_IsRefused()
    {
        Write(TarEntryFormat.Pax, ("web.ovf", Descriptor), ("web-disk1.vmdk", Disk));
        var bytes = File.ReadAllBytes(Ova);
        var time = bytes.AsSpan().IndexOf("mtime="u8) + "mtime=".Length;
        bytes.AsSpan(time, bytes.AsSpan(time).IndexOf((byte)'\n')).Fill((byte)'9');
        File.WriteAllBytes(Ova, bytes);
        AssertRefused("is no tar archive that can be read", Ova);
    }

    /// <summary>Bytes changed anywhere in an archive: it is read or refused in words, never anything else.</summary>
    [Fact]
    public void DamagedArchive_IsReadOrRefused()
    {
        Write(TarEntryFormat.Pax, ("web.ovf", Descriptor), ("web.mf", Manifest()), ("web-disk1.vmdk", Disk));
        var good = File.ReadAllBytes(Ova);
        var behindManifest = good.AsSpan().IndexOf(Manifest()) + Manifest().Length;
        var path = _folder["damaged.ova"];
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[1, 8].Sample(
            changes =>
            {
                var bytes = good.ToArray();
                foreach (var (at, value) in changes)
                    bytes[at] = value;
                File.WriteAllBytes(path, bytes);
                try
                {
                    var digest = AppliancePackage.Open(path).Digest("web-disk1.vmdk");
                    // Where the manifest, or the way to it, is damaged, another digest is read, which no disk has.
                    if (changes.All(change => change.Item1 >= behindManifest))
                        Assert.Equal(Hex(Disk), digest?.Hex);
                }
                catch (ProblemException)
                {
                    // Refused, as it may be.
                }
            },
            iter: 500,
            threads: 1);
    }

    private void Write(TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        using var tar = new TarWriter(File.Create(Ova), format);
        foreach (var (name, content) in files)
        {
            TarEntry entry = format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                _ => new PaxTarEntry(TarEntryType.RegularFile, name),
            };
            entry.DataStream = new MemoryStream(content);
            tar.WriteEntry(entry);
        }
    }

    private static byte[] Manifest(bool disk = true) => OvfManifest.Write(
        disk ? [("web.ovf", Hex(Descriptor)), ("web-disk1.vmdk", Hex(Disk))] : [("web.ovf", Hex(Descriptor))]);

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static void AssertRefused(string said, string path) => Assert.Contains(
        said, Assert.Throws<ProblemException>(() => AppliancePackage.Open(path)).Problem.Summary, StringComparison.Ordinal);
}
