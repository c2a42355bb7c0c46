using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Gantry.Model;
using Gantry.Storage.Images;
using Gantry.Storage.Processes;
using Gantry.Storage.Tests.Media;

namespace Gantry.Storage.Tests.Images;

/// <summary>What is taken from outside and what is refused, with images that qemu-img made.</summary>
public sealed class ForeignImageTests : IDisposable
{
    private const string FlatDescriptor = """
        # Disk DescriptorFile
        version=1
        CID=12345678
        parentCID=ffffffff
        createType="twoGbMaxExtentFlat"

        # Extent description
        RW 2048 FLAT "part-f001.vmdk" 0

        ddb.adapterType = "ide"
        """;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.qcow2", "qcow2", null, DiskImageFormat.Qcow2)]
    [InlineData("a.img", "qcow2", null, DiskImageFormat.Qcow2)]
    [InlineData("a.vmdk", "vmdk", null, DiskImageFormat.Vmdk)]
    [InlineData("a.vmdk", "vmdk", "subformat=streamOptimized", DiskImageFormat.Vmdk)]
    [InlineData("a.vdi", "vdi", null, DiskImageFormat.Vdi)]
    [InlineData("a.vhdx", "vhdx", null, DiskImageFormat.Vhdx)]
    [InlineData("a.vhd", "vpc", null, DiskImageFormat.Vpc)]
    [InlineData("a.vhd", "vpc", "subformat=fixed", DiskImageFormat.Vpc)]
    [InlineData("a.raw", "raw", null, DiskImageFormat.Raw)]
    [InlineData("a.img", "raw", null, DiskImageFormat.Raw)]
    [InlineData("no-ending", "vdi", null, DiskImageFormat.Vdi)]
    public async Task Image_OfQemuImg_IsWhatItIs(string name, string format, string? options, DiskImageFormat expected)
    {
        var path = _folder[name];
        await CreateAsync(path, format, options);
        var image = ForeignImage.Check(path);
        Assert.Equal((expected, path), (image.Source.Format, image.Source.Path));
        Assert.Equal([path], image.Files);
    }

    [Theory]
    [InlineData("a.raw", "qcow2", "its content is qcow2")]
    [InlineData("a.vmdk", "qcow2", "its content is qcow2")]
    [InlineData("a.qcow2", "raw", "none of the formats known by their headers")]
    [InlineData("a.raw", "vpc", "its content is vpc")]
    public async Task Image_ThatIsNotWhatItsNameSays_IsRefused(string name, string format, string said)
    {
        await CreateAsync(_folder[name], format, format == "vpc" ? "subformat=fixed" : null);
        AssertRefused(said, () => ForeignImage.Check(_folder[name]));
    }

    [Fact]
    public async Task RawDisk_WhoseGuestWroteAQcow2Header_IsRefused_WhenSaidToBeRaw()
    {
        await CreateAsync(_folder["guest"], "qcow2", null);
        AssertRefused("said to be a raw image", () => ForeignImage.Check(_folder["guest"], DiskImageFormat.Raw));
    }

    [Theory]
    [InlineData("backing_file=/etc/passwd,backing_fmt=raw", "/etc/passwd")]
    [InlineData("data_file=other.raw,data_file_raw=on", "in another file")]
    public async Task Qcow2_ThatNamesAnotherFile_IsRefused(string options, string said)
    {
        await RunAsync("create", "-q", "-u", "-f", "qcow2", "-o", options, _folder["a.qcow2"], "1M");
        AssertRefused(said, () => ForeignImage.Check(_folder["a.qcow2"]));
    }

    [Fact]
    public void Qcow2_WithADamagedHeader_IsRefused()
    {
        File.WriteAllBytes(_folder["a.qcow2"], [.. "QFI"u8, 0xfb, 0, 0, 0, 9, .. new byte[600]]);
        AssertRefused("damaged", () => ForeignImage.Check(_folder["a.qcow2"]));
    }

    [Fact]
    public void Vmdk_WithItsExtentsBesideIt_IsTakenWithThem_OnlyWhereTheyAreWanted()
    {
        File.WriteAllText(_folder["a.vmdk"], FlatDescriptor);
        File.WriteAllBytes(_folder["part-f001.vmdk"], new byte[1 << 20]);
        var image = ForeignImage.Check(_folder["a.vmdk"], mayHaveExtents: true);
        Assert.Equal([_folder["a.vmdk"], _folder["part-f001.vmdk"]], image.Files);
        AssertRefused("refers to other files", () => ForeignImage.Check(_folder["a.vmdk"]));
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../outside.vmdk")]
    [InlineData("sub/part.vmdk")]
    [InlineData("..")]
    [InlineData("nbd:127.0.0.1:1")]
    [InlineData("json:{}")]
    [InlineData("a\\b")]
    [InlineData("")]
    public void Vmdk_WhoseExtentLiesElsewhere_IsRefused(string name)
    {
        File.WriteAllText(_folder["a.vmdk"], FlatDescriptor.Replace("part-f001.vmdk", name, StringComparison.Ordinal));
        AssertRefused("only take it from files beside it", () => ForeignImage.Check(_folder["a.vmdk"], mayHaveExtents: true));
    }

    [Theory]
    [InlineData("RW 2048 FLAT", "RW\n2048 FLAT", "not understood")]
    [InlineData("RW 2048 FLAT", "RDONLY 2048 FLAT", "access RDONLY")]
    [InlineData("RW 2048 FLAT", "RW 2048 ZERO", "kind ZERO")]
    [InlineData("RW 2048 FLAT", "RW 0 FLAT", "impossible size")]
    [InlineData("RW 2048 FLAT", "RW 99999999 FLAT", "cut short")]
    [InlineData("parentCID=ffffffff", "parentFileNameHint=\"/etc/passwd\"", "layer over another disk")]
    [InlineData("RW 2048 FLAT", "# RW 2048 FLAT", "names no files")]
    [InlineData("RW 2048 FLAT", "RW 2048 SPARSE", "header is damaged")]
    public void Vmdk_WithALineThatCantBeTaken_IsRefused(string line, string instead, string said)
    {
        File.WriteAllText(_folder["a.vmdk"], FlatDescriptor.Replace(line, instead, StringComparison.Ordinal));
        File.WriteAllBytes(_folder["part-f001.vmdk"], new byte[1 << 20]);
        AssertRefused(said, () => ForeignImage.Check(_folder["a.vmdk"], mayHaveExtents: true));
    }

    [Fact]
    public void Vmdk_WhoseExtentIsALinkOrMissing_IsRefused()
    {
        File.WriteAllText(_folder["a.vmdk"], FlatDescriptor);
        Assert.Equal(
            ProblemKind.NotFound,
            Assert.Throws<ProblemException>(() => ForeignImage.Check(_folder["a.vmdk"], mayHaveExtents: true)).Problem.Kind);
        File.CreateSymbolicLink(_folder["part-f001.vmdk"], "/etc/passwd");
        AssertRefused("which is a link", () => ForeignImage.Check(_folder["a.vmdk"], mayHaveExtents: true));
    }

    [Fact]
    public async Task SparseVmdk_WithoutACapacity_WhichQemuTakesForAnotherDescriptor_IsRefused()
    {
        await CreateAsync(_folder["a.vmdk"], "vmdk", null);
        var bytes = await File.ReadAllBytesAsync(_folder["a.vmdk"], Token);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(12), 0);
        await File.WriteAllBytesAsync(_folder["a.vmdk"], bytes, Token);
        AssertRefused("without a capacity", () => ForeignImage.Check(_folder["a.vmdk"]));
    }

    [Fact]
    public async Task SparseVmdk_OverAParent_IsRefused()
    {
        await CreateAsync(_folder["a.vmdk"], "vmdk", null);
        await RunAsync("create", "-q", "-f", "vmdk", "-b", _folder["a.vmdk"], "-F", "vmdk", _folder["b.vmdk"]);
        AssertRefused("layer over another disk", () => ForeignImage.Check(_folder["b.vmdk"]));
    }

    [Theory]
    [InlineData("vdi", 0x4C, 4, false)]
    [InlineData("vpc", 60, 4, true)]
    public async Task DifferenceToAnotherImage_IsRefused(string format, int at, int kind, bool bigEndian)
    {
        await CreateAsync(_folder["a"], format, null);
        var bytes = await File.ReadAllBytesAsync(_folder["a"], Token);
        if (bigEndian)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), kind);
        else
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), kind);
        await File.WriteAllBytesAsync(_folder["a"], bytes, Token);
        AssertRefused("layer over another image", () => ForeignImage.Check(_folder["a"]));
    }

    [Theory]
    [InlineData("1f8b0800", "gzip")]
    [InlineData("fd377a585a00", "xz")]
    [InlineData("28b52ffd", "zstd")]
    [InlineData("504b0304", "zip")]
    public void PackedFile_IsSaidToBePacked(string head, string packing)
    {
        File.WriteAllBytes(_folder["a.raw"], [.. Convert.FromHexString(head), .. new byte[1024]]);
        AssertRefused($"packed ({packing})", () => ForeignImage.Check(_folder["a.raw"]));
    }

    [Fact]
    public async Task NoFile_Folder_EmptyFile_AndPipe_AreRefused_WithoutWaiting()
    {
        File.WriteAllText(_folder["empty"], "");
        var made = await HostProgram.RunAsync("mkfifo", [_folder["pipe"]], "coreutils", Token);
        Assert.Equal(0, made.ExitCode);
        AssertRefused("there is no disk image", () => ForeignImage.Check(_folder["nothing"]));
        AssertRefused("is a folder", () => ForeignImage.Check(_folder.Path));
        AssertRefused("is empty", () => ForeignImage.Check(_folder["empty"]));
        AssertRefused("no ordinary file", () => ForeignImage.Check(_folder["pipe"]));
    }

    /// <summary>Whatever a descriptor says: either every extent is a plain name, or it is refused in words.</summary>
    [Fact]
    public void Descriptor_OfAnything_NamesOnlyPlainFiles_OrIsRefused()
    {
        string[] pieces =
        [
            "RW", "RDONLY", " ", "\t", "\n", "\r\n", "2048", "-1", "99999999999999999999", "FLAT", "SPARSE", "\"", "\"a.vmdk\"",
            "\"../a\"", "\"/etc/passwd\"", "#", "=", "parentFileNameHint", "version=1", "\0", "\u00e9", "0",
        ];
        Gen.Int[0, pieces.Length - 1].Array[0, 30].Sample(chosen =>
        {
            try
            {
                var found = VmdkDescriptor.Parse(Encoding.UTF8.GetBytes(string.Concat(chosen.Select(i => pieces[i]))), "a.vmdk");
                Assert.All(found.Extents, extent => Assert.True(VmdkDescriptor.IsPlainName(extent.FileName) && extent.Sectors > 0));
            }
            catch (ProblemException e)
            {
                Assert.Equal(ProblemKind.InvalidInput, e.Problem.Kind);
            }
        });
    }

    private static void AssertRefused(string said, Action check)
    {
        var problem = Assert.Throws<ProblemException>(check).Problem;
        Assert.Contains(said, problem.ToString(), StringComparison.Ordinal);
    }

    private static Task CreateAsync(string path, string format, string? options) =>
        options is null
            ? RunAsync("create", "-q", "-f", format, path, "1M")
            : RunAsync("create", "-q", "-f", format, "-o", options, path, "1M");

    private static async Task RunAsync(params string[] arguments)
    {
        var result = await HostProgram.RunAsync("qemu-img", arguments, "qemu-utils", Token);
        Assert.True(result.ExitCode == 0, result.Error);
    }
}
