using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class IsoWriterTests
{
    private static readonly DateTimeOffset Time = new(2024, 2, 29, 12, 34, 56, TimeSpan.Zero);

    private static IsoOptions Options(string label = "cidata") => new() { VolumeLabel = label, Timestamp = Time };

    private static async Task<MemoryStream> Write(MediaTree tree, IsoOptions? options = null)
    {
        var stream = new MemoryStream();
        long size = await IsoWriter.WriteAsync(tree, options ?? Options(), stream);
        Assert.Equal(size, stream.Length);
        return stream;
    }

    private static MediaTree Sample() => new MediaTree()
        .AddFile("user-data", MediaContent.FromText("#cloud-config\n"))
        .AddFile("meta-data", MediaContent.FromText(""))
        .AddFile("a folder/deeper/Ünïcode-名前.txt", MediaContent.FromText("text"), MediaModes.Executable)
        .AddFile("a folder/" + new string('n', 250), MediaContent.FromText("long"))
        .AddSymlink("link", "a folder/deeper/Ünïcode-名前.txt")
        .AddSymlink("up", "../../" + new string('x', 255) + "/" + string.Join('/', Enumerable.Repeat("part", 130)))
        .AddSymlink("absolute", "/a folder")
        .AddDevice("console", MediaDeviceKind.Character, 5, 1);

    [Fact]
    public async Task Writer_SameInput_SameBytes()
    {
        byte[] first = (await Write(Sample())).ToArray();
        byte[] second = (await Write(Sample())).ToArray();
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Xorriso_ReadsOurImage_WithNamesModesLinksAndContent()
    {
        using var folder = new TemporaryFolder();
        string iso = folder["x.iso"];
        await IsoWriter.WriteFileAsync(Sample(), Options(), iso);
        string listing = Oracle.Run("xorriso", "-indev", iso, "-find", "/", "-exec", "lsdl");
        Assert.Contains("'/a folder/deeper/Ünïcode-名前.txt'", listing, StringComparison.Ordinal);
        Assert.Contains("'/link' -> 'a folder/deeper/Ünïcode-名前.txt'", listing, StringComparison.Ordinal);
        Assert.Contains("-rwxr-xr-x    1 0        0               4 Feb 29  2024", listing, StringComparison.Ordinal);
        Assert.Contains("'/a folder/" + new string('n', 250) + "'", listing, StringComparison.Ordinal);
        Assert.Contains("crw-r--r--", listing, StringComparison.Ordinal);
        Oracle.Run("xorriso", "-osirrox", "on", "-indev", iso, "-extract", "/a folder", folder["out"]);
        Assert.Equal("text", File.ReadAllText(folder["out/deeper/Ünïcode-名前.txt"]));
        Assert.Equal("long", File.ReadAllText(folder["out/" + new string('n', 250)]));
    }

    [Theory]
    [InlineData("any", "a folder/deeper/Ünïcode-名前.txt")]
    [InlineData("norock", "a folder/deeper/Ünïcode-名前.txt")]
    [InlineData("ecma119", "A_FOLDER/DEEPER/_N_CODE___.TXT")]
    public async Task Xorriso_ReadsEveryNaming(string naming, string path)
    {
        using var folder = new TemporaryFolder();
        string iso = folder["x.iso"];
        await IsoWriter.WriteFileAsync(Sample(), Options(), iso);
        Oracle.Run("xorriso", "-read_fs", naming, "-osirrox", "on", "-indev", iso, "-extract", "/", folder["out"]);
        Assert.Equal("text", File.ReadAllText(folder["out/" + path]));
    }

    [Fact]
    public async Task Blkid_SeesTheLabel()
    {
        using var folder = new TemporaryFolder();
        await IsoWriter.WriteFileAsync(Sample(), Options("cidata"), folder["x.iso"]);
        string output = Oracle.Run("blkid", "-p", "-o", "export", folder["x.iso"]);
        Assert.Contains("LABEL=cidata", output, StringComparison.Ordinal);
        Assert.Contains("TYPE=iso9660", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" x")]
    [InlineData("größe")]
    [InlineData("123456789012345678901234567890123")]
    public async Task Writer_BadLabel_IsRefused(string label)
    {
        var error = await Assert.ThrowsAsync<MediaException>(() => Write(Sample(), Options(label)));
        Assert.Contains("volume label", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writer_SourceShrinks_LeavesNothingBehind()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["x.iso"], "old");
        MediaTree tree = new MediaTree().AddFile("f",
            MediaContent.FromFactory(10, () => new MemoryStream(new byte[9]), "f's source"));
        var error = await Assert.ThrowsAsync<MediaException>(() => IsoWriter.WriteFileAsync(tree, Options(), folder["x.iso"]));
        Assert.Contains("f's source for 'f' ended after 9 bytes, expected 10", error.Message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(folder["x.iso"]));
        Assert.Equal([folder["x.iso"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Writer_Cancelled_LeavesNothingBehind()
    {
        using var folder = new TemporaryFolder();
        using var cancel = new CancellationTokenSource();
        Stream CancelThenOpen()
        {
            cancel.Cancel();
            return new MemoryStream(new byte[10]);
        }
        MediaTree tree = new MediaTree().AddFile("f", MediaContent.FromFactory(10, CancelThenOpen));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => IsoWriter.WriteFileAsync(tree, Options(), folder["x.iso"], null, cancel.Token));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Output_TooLittleRoom_SaysWhatIsNeeded()
    {
        using var folder = new TemporaryFolder();
        var error = await Assert.ThrowsAsync<MediaSpaceException>(() => MediaFileOutput.WriteAsync(
            folder["x"], 1000, (_, _) => Task.CompletedTask, default, _ => 999));
        Assert.Contains("needs 1000 bytes, but 999 bytes are free", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Output_DiskFillsUp_SaysWhatIsNeededAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        // A real ENOSPC, from the device that has never any room.
        static async Task Fill(Stream output, CancellationToken cancel)
        {
            await output.WriteAsync(new byte[10], cancel);
            await using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            await full.WriteAsync(new byte[10], cancel);
        }
        var error = await Assert.ThrowsAsync<MediaSpaceException>(() => MediaFileOutput.WriteAsync(folder["x"], 1000, Fill, default));
        Assert.Contains("needs 1000 bytes, but the disk filled up", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Writer_ReportsProgressToTheEnd()
    {
        var reports = new List<MediaProgress>();
        MediaTree tree = new MediaTree().AddFile("big", MediaContent.FromBytes(new byte[5 << 20]));
        using var stream = new MemoryStream();
        await IsoWriter.WriteAsync(tree, Options(), stream, new Collect(reports));
        Assert.InRange(reports.Count, 5, 100);
        Assert.Equal(new MediaProgress(stream.Length, stream.Length), reports[^1]);
        Assert.True(reports.Zip(reports.Skip(1)).All(pair => pair.First.BytesDone < pair.Second.BytesDone));
    }

    [Fact]
    public async Task Writer_FileOver4GiB_IsSplitAndReadBack()
    {
        using var folder = new TemporaryFolder();
        long size = (4L << 30) + 12345;
        MediaTree tree = new MediaTree()
            .AddFile("huge", MediaContent.FromFactory(size, () => new SparseStream(size)))
            .AddFile("after", MediaContent.FromText("after"));
        // The image itself never exists: a sink that keeps only what is not zero.
        var sink = new SparseStream(0);
        await IsoWriter.WriteAsync(tree, Options(), sink);
        using IsoReader reader = IsoReader.Open(sink);
        IsoEntry huge = reader.Find("huge")!;
        Assert.Equal(size, huge.Length);
        Assert.Equal(2, huge.Extents.Count);
        using Stream content = reader.OpenRead(huge);
        content.Position = size - 8;
        byte[] tail = new byte[8];
        content.ReadExactly(tail);
        Assert.Equal("the end."u8.ToArray(), tail);
        Assert.Equal("after", new StreamReader(reader.OpenRead("after")).ReadToEnd());
    }

    [Fact]
    public async Task Writer_NamesThatCollide_StayDistinctInEveryNaming()
    {
        var tree = new MediaTree();
        for (int i = 0; i < 1200; i++)
            tree.AddFile($"a very long name that is cut somewhere, and then {i:D5}.conf", MediaContent.FromText($"{i}"));
        tree.AddFile("x", MediaContent.FromText("")).AddDirectory("X").AddFile("x.", MediaContent.FromText(""));
        foreach (bool joliet in new[] { true, false })
        {
            using var reader = IsoReader.Open(await Write(tree, Options() with { RockRidge = false, Joliet = joliet }));
            Assert.Equal(joliet ? IsoNames.Joliet : IsoNames.Plain, reader.Names);
            string[] names = [.. reader.List(reader.Root).Select(entry => entry.Name.ToUpperInvariant())];
            Assert.Equal(1203, names.Distinct().Count());
        }
    }

    [Fact]
    public async Task Writer_LinkWithoutRockRidge_IsRefused()
    {
        IsoOptions options = Options() with { RockRidge = false };
        var error = await Assert.ThrowsAsync<MediaException>(() => Write(Sample(), options));
        Assert.Contains("RockRidge", error.Message, StringComparison.Ordinal);
    }

    private sealed class Collect(List<MediaProgress> into) : IProgress<MediaProgress>
    {
        public void Report(MediaProgress value) => into.Add(value);
    }
}
