using CsCheck;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class FatTests
{
    private static readonly DateTimeOffset Time = new(2024, 2, 29, 12, 34, 56, TimeSpan.Zero);

    private static FatOptions Options(long? size = null) =>
        new() { VolumeLabel = "answers", Timestamp = Time, SizeBytes = size };

    private static MediaTree Sample() => new MediaTree()
        .AddFile("Autounattend.xml", MediaContent.FromText("<unattend/>"))
        .AddFile("EFI/BOOT/BOOTX64.EFI", MediaContent.FromBytes(new byte[100_000]))
        .AddFile("scripts/a long name, with Größe 名前.txt", MediaContent.FromText("text"))
        .AddFile("scripts/a long name, with something else.txt", MediaContent.FromText("else"))
        .AddFile("empty", MediaContent.FromText(""));

    private static MemoryStream Write(MediaTree tree, FatOptions options)
    {
        var stream = new MemoryStream();
        long size = FatWriter.WriteAsync(tree, options, stream).GetAwaiter().GetResult();
        Assert.Equal(size, stream.Length);
        return stream;
    }

    [Theory]
    [InlineData(FatOptions.Floppy1440, FatKind.Fat12)]
    [InlineData(4L << 20, FatKind.Fat12)]
    [InlineData(33L << 20, FatKind.Fat16)]
    [InlineData(513L << 20, FatKind.Fat32)]
    public async Task FsckAndMtools_AcceptOurImage(long size, FatKind kind)
    {
        using var folder = new TemporaryFolder();
        string image = folder["x.img"];
        await FatWriter.WriteFileAsync(Sample(), Options(size), image);
        Assert.Equal(size, new FileInfo(image).Length);
        string check = Oracle.Run("fsck.fat", "-n", "-v", image);
        Assert.Matches(@"\b9 files, \d+/\d+ clusters", check);
        string label = Oracle.Run("mlabel", "-s", "-i", image, "::");
        Assert.Contains("ANSWERS", label, StringComparison.Ordinal);
        string listing = Oracle.Run("mdir", "-/", "-a", "-i", image, "::");
        Assert.Matches(@"AUTOUN~1 XML +11 2024-02-29 +12:34 +Autounattend.xml", listing);
        Assert.Matches(@"BOOTX64 +EFI +100000 2024-02-29 +12:34 *\n", listing);
        Assert.Matches(@"ALONGN~2 TXT", listing);
        Assert.Equal("text", Oracle.Run("mtype", "-i", image, "::scripts/a long name, with Größe 名前.txt"));
        using FatReader reader = FatReader.OpenFile(image);
        Assert.Equal((kind, "ANSWERS"), (reader.Kind, reader.VolumeLabel));
        Assert.Equal("<unattend/>"u8.ToArray(), reader.ReadAll(reader.Find("AUTOUN~1.XML")!, 100));
    }

    [Theory]
    [InlineData("12", 2880)]
    [InlineData("16", 32768)]
    [InlineData("32", 65536)]
    public void ImageOfMtools_IsRead(string bits, int kibibytes)
    {
        using var folder = new TemporaryFolder();
        string image = folder["x.img"];
        Oracle.Run("mkfs.fat", "-C", "-n", "THEIRS", "-F", bits, image, $"{kibibytes}");
        File.WriteAllBytes(folder["data"], new byte[123_456]);
        File.WriteAllText(folder["small"], "small");
        Oracle.Run("mmd", "-i", image, "::sub");
        Oracle.Run("mcopy", "-i", image, folder["data"], "::sub/A Long Name für Data.bin");
        Oracle.Run("mcopy", "-i", image, folder["small"], "::SMALL.TXT");
        using FatReader reader = FatReader.OpenFile(image);
        Assert.Equal("THEIRS", reader.VolumeLabel);
        Assert.Equal(
            ["SMALL.TXT", "sub", "sub/A Long Name für Data.bin"],
            reader.Walk().Select(entry => entry.Path).Order(StringComparer.Ordinal));
        Assert.Equal(123_456, reader.ReadAll(reader.Find("sub/a long name für data.bin")!, 1 << 20).Length);
        Assert.Equal("small"u8.ToArray(), reader.ReadAll(reader.Find("small.txt")!, 100));
    }

    [Fact]
    public void RandomTree_ThroughWriterAndReader_IsTheSame() =>
        Gen.Select(TreeGen.Trees(posix: false), Gen.Int[0, 2]).Sample(
            (tree, size) =>
            {
                MemoryStream image;
                try
                {
                    image = Write(tree, Options(size switch { 0 => FatOptions.Floppy1440, 1 => 20 << 20, _ => null }));
                }
                catch (MediaException error) when (IsUnfit(tree, error))
                {
                    return;
                }
                using FatReader reader = FatReader.Open(image);
                Dictionary<string, FatEntry> read = reader.Walk().ToDictionary(entry => entry.Path);
                Assert.Equal(tree.Entries().Select(entry => entry.Path).Order(), read.Keys.Order());
                foreach (MediaEntry entry in tree.Entries())
                {
                    Assert.Equal(Time, read[entry.Path].ModifiedAt);
                    if (entry.Node is not MediaNode.File file) continue;
                    using var memory = new MemoryStream();
                    file.Content.Open().CopyTo(memory);
                    Assert.Equal(memory.ToArray(), reader.ReadAll(read[entry.Path], 1 << 20));
                }
                foreach (IGrouping<string, FatEntry> folder in read.Values.GroupBy(e => Path.GetDirectoryName(e.Path)!))
                {
                    string[] aliases = [.. folder.Select(entry => entry.ShortName.ToUpperInvariant())];
                    Assert.Equal(aliases.Length, aliases.Distinct().Count());
                }
            },
            iter: 150);

    [Fact]
    public void RandomTrees_PassFsck()
    {
        using var folder = new TemporaryFolder();
        TreeGen.Trees(posix: false).Sample(
            tree =>
            {
                string image = folder["x.img"];
                try
                {
                    File.WriteAllBytes(image, Write(tree, Options()).ToArray());
                }
                catch (MediaException error) when (IsUnfit(tree, error))
                {
                    return;
                }
                Oracle.Run("fsck.fat", "-n", image);
            },
            iter: 25,
            threads: 1);
    }

    [Fact]
    public void RandomCorruption_GivesOnlyFormatErrors()
    {
        byte[] good = Write(Sample(), Options(256 * 1024)).ToArray();
        // Boot sector, tables, root and first folders.
        const int Parsed = 48 * 512;
        Gen.Select(Gen.Select(Gen.Int[0, Parsed - 1], Gen.Byte).Array[1, 12], Gen.Bool, Gen.Int[0, good.Length])
            .Sample(
                (changes, cut, length) =>
                {
                    byte[] bad = cut ? good[..length] : [.. good];
                    foreach ((int at, byte value) in changes)
                    {
                        if (at < bad.Length) bad[at] = value;
                    }
                    ReadEverything(bad);
                },
                iter: 1500);
    }

    [Fact]
    public void ChainInACircle_IsAFormatError()
    {
        byte[] image = Write(new MediaTree().AddDirectory("loop"), Options(FatOptions.Floppy1440)).ToArray();
        // Cluster 2 leads to itself, in both copies' first sector.
        image[512 + 3] = 2;
        image[512 + 4] = 0;
        using FatReader reader = FatReader.Open(new MemoryStream(image));
        var error = Assert.Throws<FatFormatException>(() => reader.Walk().Count());
        Assert.Contains("circle", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_IsRefusedWithBothSizes()
    {
        byte[] image = Write(Sample(), Options(FatOptions.Floppy1440)).ToArray();
        var error = Assert.Throws<FatFormatException>(() => FatReader.Open(new MemoryStream(image[..500_000])));
        Assert.Contains("should have 1474560 bytes, the file has 500000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Writer_SameInput_SameBytes() =>
        Assert.Equal(Write(Sample(), Options()).ToArray(), Write(Sample(), Options()).ToArray());

    [Theory]
    [InlineData("a:b", "FAT cannot hold the name 'a:b'")]
    [InlineData("dot.", "no dot or space at the end")]
    public void BadName_IsRefused(string name, string message)
    {
        var tree = new MediaTree().AddFile(name, MediaContent.FromText(""));
        Assert.Contains(message, Assert.Throws<MediaException>(() => FatWriter.Measure(tree, Options())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void NamesThatDifferInCase_AreRefused()
    {
        MediaTree tree = new MediaTree()
            .AddFile("a", MediaContent.FromText(""))
            .AddFile("A", MediaContent.FromText(""));
        Assert.Contains("only in case", Assert.Throws<MediaException>(() => FatWriter.Measure(tree, Options())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TooMuchForTheFloppy_SaysBothSizes()
    {
        MediaTree tree = new MediaTree().AddFile("big", MediaContent.FromBytes(new byte[1_500_000]));
        var error = Assert.Throws<MediaException>(() => FatWriter.Measure(tree, Options(FatOptions.Floppy1440)));
        Assert.Contains("need 1500160 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("room for 1457664", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TooManyFilesInTheFloppysRoot_AreRefused()
    {
        var tree = new MediaTree();
        for (int i = 0; i < 224; i++) tree.AddFile($"F{i}", MediaContent.FromText(""));
        Assert.Contains("root folder needs 225 entries", Assert.Throws<MediaException>(
            () => FatWriter.Measure(tree, Options(FatOptions.Floppy1440))).Message, StringComparison.Ordinal);
    }

    // Trees for all formats have names that FAT refuses, or more than a floppy holds.
    private static bool IsUnfit(MediaTree tree, MediaException error) =>
        error.Message.Contains("FAT cannot hold", StringComparison.Ordinal)
        || error.Message.Contains("root folder needs", StringComparison.Ordinal)
        || tree.Entries().GroupBy(entry => entry.Path.ToUpperInvariant()).Any(group => group.Count() > 1);

    private static void ReadEverything(byte[] image)
    {
        try
        {
            using FatReader reader = FatReader.Open(new MemoryStream(image));
            foreach (FatEntry entry in reader.Walk())
            {
                if (!entry.IsDirectory && entry.Length < 1 << 21) reader.ReadAll(entry, 1 << 21);
            }
        }
        catch (FatFormatException)
        {
        }
    }
}
