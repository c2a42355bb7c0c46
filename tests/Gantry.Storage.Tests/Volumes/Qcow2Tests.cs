using Gantry.Model;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;
using Gantry.Storage.Processes;
using Gantry.Storage.Volumes;

namespace Gantry.Storage.Tests.Volumes;

public sealed class Qcow2Tests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-qcow2-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(1 << 20)]
    [InlineData((512L << 20) - 1)]
    [InlineData((512L << 20) + 512)]
    [InlineData(40L << 30)]
    [InlineData(Qcow2Writer.LargestSize)]
    public async Task EmptyImage_OfAnySize_IsWholeToQemu(long size)
    {
        var path = In("a.qcow2");
        Qcow2Writer.CreateEmpty(path, size);
        var check = await HostProgram.RunAsync("qemu-img", ["check", "-f", "qcow2", path], "qemu-utils", TestContext.Current.CancellationToken);
        Assert.True(check.ExitCode == 0, check.Output + check.Error);
        Assert.Contains("No errors were found", check.Output, StringComparison.Ordinal);
        // qemu-img rounds sizes up to whole sectors when it reports them.
        Assert.Equal((size + 511) / 512 * 512, await new QemuImg().VirtualSizeAsync(path, DiskImageFormat.Qcow2, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Overlay_OverABase_ShowsTheBaseAndKeepsWritesToItself()
    {
        Qcow2Writer.CreateEmpty(In("base.qcow2"), 1 << 20);
        await IoAsync("base.qcow2", "write -P 0x11 0 128k");
        Qcow2Writer.CreateEmpty(In("top.qcow2"), 2 << 20, "base.qcow2");
        await IoAsync("top.qcow2", "read -P 0x11 0 128k");
        await IoAsync("top.qcow2", "write -P 0x22 64k 64k");
        await IoAsync("top.qcow2", "read -P 0x11 0 64k");
        await IoAsync("top.qcow2", "read -P 0x22 64k 64k");
        await IoAsync("base.qcow2", "read -P 0x11 64k 64k");
        using var file = File.OpenRead(In("top.qcow2"));
        var header = Qcow2Header.Read(file);
        Assert.NotNull(header);
        Assert.Equal("base.qcow2", header.BackingFile);
        Assert.Equal(2 << 20, header.VirtualSize);
    }

    [Fact]
    public void ForeignImage_WithABackingFile_IsRefused()
    {
        Qcow2Writer.CreateEmpty(In("evil.qcow2"), 1 << 20, "/etc/shadow", VolumeFormat.Raw);
        var problem = Assert.Throws<ProblemException>(() => DiskImageFormats.CheckForeign(In("evil.qcow2"), null)).Problem;
        Assert.Contains("/etc/shadow", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("qemu-img convert", problem.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qcow2")]
    [InlineData("vmdk")]
    [InlineData("vdi")]
    [InlineData("vhdx")]
    [InlineData("vpc")]
    [InlineData("raw")]
    public async Task ForeignImage_OfEachFormat_IsKnownByItsContent(string format)
    {
        var path = In("disk." + format);
        await HostProgram.RunAsync("qemu-img", ["create", "-q", "-f", format, path, "8M"], "qemu-utils", TestContext.Current.CancellationToken);
        Assert.True(DiskImageFormats.TryParse(format, out var expected));
        Assert.Equal(expected, DiskImageFormats.CheckForeign(path, null));
        if (format is not ("raw" or "qcow2"))
            Assert.Throws<ProblemException>(() => DiskImageFormats.CheckForeign(path, DiskImageFormat.Qcow2));
    }

    [Fact]
    public void ForeignImage_ThatIsATextNamedQcow2_SaysWhatItIs()
    {
        File.WriteAllText(In("disk.qcow2"), "<html>404 not found</html>");
        var problem = Assert.Throws<ProblemException>(() => DiskImageFormats.CheckForeign(In("disk.qcow2"), null)).Problem;
        Assert.Contains("said to be a qcow2 image", problem.Summary, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private async Task IoAsync(string image, string command)
    {
        var result = await HostProgram.RunAsync(
            "qemu-io", ["-f", "qcow2", "-c", command, In(image)], "qemu-utils", TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0 && !result.Output.Contains("failed", StringComparison.Ordinal), result.Output + result.Error);
    }
}
