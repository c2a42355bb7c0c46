using CsCheck;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class IsoReaderTests
{
    private static readonly DateTimeOffset Time = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static MemoryStream Write(MediaTree tree, bool rockRidge = true, bool joliet = true, IsoBoot? boot = null)
    {
        var stream = new MemoryStream();
        var options = new IsoOptions
        {
            VolumeLabel = "test",
            Timestamp = Time,
            RockRidge = rockRidge,
            Joliet = joliet,
            Boot = boot,
        };
        IsoWriter.WriteAsync(tree, options, stream).GetAwaiter().GetResult();
        return stream;
    }

    [Fact]
    public void RandomTree_ThroughWriterAndReader_IsTheSame() =>
        TreeGen.Trees(posix: true).Sample(
            tree =>
            {
                using IsoReader reader = IsoReader.Open(Write(tree));
                Assert.Equal(IsoNames.RockRidge, reader.Names);
                Dictionary<string, IsoEntry> read = reader.Walk().ToDictionary(entry => entry.Path);
                Assert.Equal(tree.Entries().Select(entry => entry.Path).Order(), read.Keys.Order());
                foreach (MediaEntry entry in tree.Entries()) AssertSame(entry, read[entry.Path], reader);
            },
            iter: 150);

    [Fact]
    public void RandomFiles_WithJolietOnly_KeepContent() =>
        TreeGen.Trees(posix: false).Sample(
            tree =>
            {
                using IsoReader reader = IsoReader.Open(Write(tree, rockRidge: false));
                Assert.Equal(IsoNames.Joliet, reader.Names);
                Assert.Equal(tree.Count, reader.Walk().Count());
                Assert.Equal(Contents(tree), Contents(reader));
            },
            iter: 50);

    [Fact]
    public void RandomCorruption_GivesOnlyFormatErrors()
    {
        MediaTree tree = new MediaTree()
            .AddFile("isolinux/isolinux.bin", MediaContent.FromBytes(new byte[5000]))
            .AddFile("a/b/c/" + new string('n', 250), MediaContent.FromText("x"))
            .AddSymlink("link", "a/b/" + new string('t', 250) + "/" + new string('u', 240))
            .AddDirectory("d");
        byte[] good = Write(tree, boot: new IsoBoot { BiosImage = "isolinux/isolinux.bin" }).ToArray();
        // Descriptors, tables, folders and the catalogue: nothing behind them is parsed.
        const int From = 16 * 2048;
        int to = 50 * 2048;
        Gen.Select(Gen.Select(Gen.Int[From, to - 1], Gen.Byte).Array[1, 12], Gen.Bool, Gen.Int[0, good.Length])
            .Sample(
                (changes, cut, length) =>
                {
                    byte[] bad = [.. cut ? good[..length] : good];
                    foreach ((int at, byte value) in changes)
                    {
                        if (at < bad.Length) bad[at] = value;
                    }
                    ReadEverything(bad);
                },
                iter: 3000);
    }

    [Fact]
    public void RandomGarbageInFolders_GivesOnlyFormatErrors()
    {
        byte[] good = Write(new MediaTree().AddFile("a/b", MediaContent.FromText("x")).AddDirectory("a/c"),
            joliet: false).ToArray();
        // The three folders' sectors follow the two path tables: filling them with small numbers hits many paths.
        Gen.Byte[0, 255].Array[400].Select(Gen.Int[20 * 2048, 25 * 2048]).Sample(
            (garbage, at) =>
            {
                byte[] bad = [.. good];
                garbage.CopyTo(bad, at);
                ReadEverything(bad);
            },
            iter: 2000);
    }

    [Fact]
    public void SelfContainingFolder_IsAFormatError()
    {
        using MemoryStream stream = Write(new MediaTree().AddDirectory("loop"), rockRidge: false, joliet: false);
        byte[] image = stream.ToArray();
        int root = BitConverter.ToInt32(image, 16 * 2048 + 156 + 2) * 2048;
        int record = root + image[root] + image[root + image[root]];
        // The folder "LOOP" gets the root's address.
        image.AsSpan(16 * 2048 + 156 + 2, 16).CopyTo(image.AsSpan(record + 2));
        using IsoReader reader = IsoReader.Open(new MemoryStream(image));
        var error = Assert.Throws<IsoFormatException>(() => reader.Walk().Count());
        Assert.Contains("contains itself", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_IsRefusedWithBothSizes()
    {
        byte[] image = Write(new MediaTree().AddFile("f", MediaContent.FromBytes(new byte[100_000]))).ToArray();
        var error = Assert.Throws<IsoFormatException>(() => IsoReader.Open(new MemoryStream(image[..80_000])));
        Assert.Contains($"says {image.Length} bytes, the file has 80000", error.Message, StringComparison.Ordinal);
        using IsoReader reader = IsoReader.Open(new MemoryStream(image[..80_000]), allowTruncated: true);
        Assert.Contains("truncated", Assert.Throws<IsoFormatException>(() => reader.OpenRead("f")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40_000)]
    public void NotAnIso_IsRefused(int length) =>
        Assert.Throws<IsoFormatException>(() => IsoReader.Open(new MemoryStream(new byte[length])));

    [Fact]
    public void Find_FallsBackToOtherCase_AndPrefersTheExactOne()
    {
        MediaTree tree = new MediaTree()
            .AddFile("Install/vmlinuz", MediaContent.FromText("a"))
            .AddFile("install/VMLINUZ", MediaContent.FromText("b"));
        using IsoReader reader = IsoReader.Open(Write(tree));
        Assert.Equal("Install/vmlinuz", reader.Find("/Install/vmlinuz")!.Path);
        Assert.Equal("install/VMLINUZ", reader.Find("install/vmlinuz")!.Path);
        Assert.Null(reader.Find("install/vmlinuz/more"));
        Assert.Null(reader.Find("initrd"));
    }

    [Fact]
    public void Find_FollowsLinksInsideTheImage()
    {
        MediaTree tree = new MediaTree()
            .AddFile("pool/real", MediaContent.FromText("content"))
            .AddSymlink("dists/stable", "bookworm")
            .AddSymlink("dists/bookworm/pool", "../../pool")
            .AddSymlink("abs", "/dists/stable/pool/real")
            .AddSymlink("out", "../../../pool/real")
            .AddSymlink("loop", "loop");
        using IsoReader reader = IsoReader.Open(Write(tree));
        Assert.Equal("pool/real", reader.Find("abs")!.Path);
        Assert.Equal("pool/real", reader.Find("out")!.Path);
        Assert.Equal("/dists/stable/pool/real", reader.Find("abs", followLast: false)!.LinkTarget);
        Assert.Contains("40 links", Assert.Throws<MediaException>(() => reader.Find("loop")).Message,
            StringComparison.Ordinal);
        var missing = Assert.Throws<MediaException>(() => reader.OpenRead("pool/absent"));
        Assert.Contains("the folder holds: real", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ImageOfXorriso_IsRead()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["in/one/two"]);
        File.WriteAllText(folder["in/one/two/" + new string('f', 200)], "deep");
        File.CreateSymbolicLink(folder["in/link"], "one/two/" + new string('f', 200));
        Oracle.Run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-V", "XORRISO", "-o", folder["x.iso"],
            folder["in"]);
        using IsoReader reader = IsoReader.OpenFile(folder["x.iso"]);
        Assert.Equal(("XORRISO", IsoNames.RockRidge), (reader.VolumeLabel, reader.Names));
        Assert.Equal("deep", new StreamReader(reader.OpenRead("link")).ReadToEnd());
    }

    [Fact]
    public void RelocatedDeepFolders_AreShownInTheirPlace()
    {
        using var folder = new TemporaryFolder();
        string deep = string.Join('/', Enumerable.Range(1, 11).Select(i => $"level{i}"));
        Directory.CreateDirectory(folder["in/" + deep]);
        File.WriteAllText(folder[$"in/{deep}/file"], "deep");
        Oracle.Run(
            "xorriso", "-compliance", "deep_paths_off:long_paths_off", "-rr_reloc_dir", "rr_moved",
            "-outdev", folder["x.iso"], "-map", folder["in"], "/");
        using IsoReader reader = IsoReader.OpenFile(folder["x.iso"]);
        Assert.Equal("deep", new StreamReader(reader.OpenRead($"{deep}/file")).ReadToEnd());
        Assert.Single(reader.Walk(), entry => entry.Name == "file");
    }

    private static void ReadEverything(byte[] image)
    {
        try
        {
            using IsoReader reader = IsoReader.Open(new MemoryStream(image), allowTruncated: true);
            foreach (IsoEntry entry in reader.Walk())
            {
                if (entry.Kind == IsoEntryKind.File && entry.Length < 1 << 20) reader.ReadAll(entry, 1 << 20);
            }
            reader.BootEntries();
            reader.Find("link/x");
        }
        catch (MediaException error)
        {
            Assert.True(error is IsoFormatException
                || error.Message.Contains("links", StringComparison.Ordinal), error.Message);
        }
    }

    private static void AssertSame(MediaEntry wanted, IsoEntry read, IsoReader reader)
    {
        Assert.Equal(wanted.Node.Permissions, read.Permissions);
        Assert.Equal((wanted.Node.Uid, wanted.Node.Gid), (read.Uid, read.Gid));
        Assert.Equal(wanted.Node.ModifiedAt ?? Time, read.ModifiedAt);
        switch (wanted.Node)
        {
            case MediaNode.File file:
                Assert.Equal(Bytes(file.Content.Open()), Bytes(reader.OpenRead(read)));
                break;
            case MediaNode.Symlink link:
                Assert.Equal((IsoEntryKind.Symlink, link.Target), (read.Kind, read.LinkTarget));
                break;
            case MediaNode.Device device:
                Assert.Equal((device.Kind, device.Major, device.Minor), read.Device!.Value);
                break;
            default:
                Assert.Equal(IsoEntryKind.Directory, read.Kind);
                break;
        }
    }

    private static byte[] Bytes(Stream stream)
    {
        using var memory = new MemoryStream();
        using (stream) stream.CopyTo(memory);
        return memory.ToArray();
    }

    private static List<string> Contents(MediaTree tree) =>
        [.. tree.Entries().Select(entry => entry.Node).OfType<MediaNode.File>()
            .Select(file => Convert.ToHexString(Bytes(file.Content.Open()))).Order()];

    private static List<string> Contents(IsoReader reader) =>
        [.. reader.Walk().Where(entry => entry.Kind == IsoEntryKind.File)
            .Select(entry => Convert.ToHexString(Bytes(reader.OpenRead(entry)))).Order()];
}
