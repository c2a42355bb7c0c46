using System.Text;
using CsCheck;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class CpioTests
{
    private static MediaTree Initramfs() => new MediaTree()
        .AddFile("init", MediaContent.FromText("#!/bin/sh\n"), MediaModes.Executable)
        .AddSymlink("sbin/init", "../init")
        .AddDevice("dev/console", MediaDeviceKind.Character, 5, 1, UnixFileMode.UserRead | UnixFileMode.UserWrite);

    private static MemoryStream Write(MediaTree tree, CpioOptions options)
    {
        var stream = new MemoryStream();
        CpioWriter.WriteAsync(tree, options, stream).GetAwaiter().GetResult();
        stream.Position = 0;
        return stream;
    }

    [Fact]
    public void Cpio_ListsOurArchive()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["x.cpio"], Write(Initramfs(), new CpioOptions()).ToArray());
        string listing = Oracle.Run("cpio", "-tvn", "-F", folder["x.cpio"]);
        Assert.Matches(@"drwxr-xr-x +2 0 +0 +0 Jan +1 +1970 dev\n", listing);
        Assert.Matches(@"crw------- +1 0 +0 +5, +1 Jan +1 +1970 dev/console\n", listing);
        Assert.Matches(@"-rwxr-xr-x +1 0 +0 +10 Jan +1 +1970 init\n", listing);
        Assert.Matches(@"lrwxrwxrwx +1 0 +0 +7 Jan +1 +1970 sbin/init -> ../init\n", listing);
    }

    [Fact]
    public void Archive_OfCpio_IsRead()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["in/sub"]);
        File.WriteAllText(folder["in/sub/file"], "content");
        File.CreateSymbolicLink(folder["in/link"], "sub/file");
        Oracle.RunIn(folder["in"], "sh", "-c", "find . | cpio -o -H newc --quiet > ../x.cpio");
        using FileStream stream = File.OpenRead(folder["x.cpio"]);
        Dictionary<string, MediaNode> entries =
            CpioReader.Read(stream).ToDictionary(entry => entry.Path, entry => entry.Node);
        Assert.Equal([".", "link", "sub", "sub/file"], entries.Keys.Order());
        Assert.Equal("sub/file", Assert.IsType<MediaNode.Symlink>(entries["link"]).Target);
        Assert.Equal("content", Text(entries["sub/file"]));
    }

    [Fact]
    public void RandomTree_ThroughWriterAndReader_IsTheSame() =>
        Gen.Select(TreeGen.Trees(posix: true), Gen.Bool, Gen.Bool).Sample(
            (tree, gzip, owners) =>
            {
                MemoryStream archive = Write(tree, new CpioOptions { Gzip = gzip, KeepOwners = owners });
                if (!gzip) Assert.Equal(CpioWriter.Measure(tree), archive.Length);
                List<CpioEntry> read = [.. CpioReader.Read(archive)];
                Assert.Equal(
                    tree.Entries().Select(Describe(owners)),
                    read.Select(entry => new MediaEntry(entry.Path, entry.Node)).Select(Describe(owners)));
            },
            iter: 100);

    [Theory]
    [InlineData(false, false, 0)]
    [InlineData(false, true, 0)]
    [InlineData(true, false, 0)]
    [InlineData(true, true, 0)]
    [InlineData(false, true, 512)]
    [InlineData(true, false, 1)]
    [InlineData(true, true, 100_000)]
    public void SeveralArchivesBehindEachOther_AreOne(bool firstGzip, bool secondGzip, int zeros)
    {
        var overlay = new MediaTree().AddFile("etc/answers", MediaContent.FromText("yes"));
        MemoryStream both = new();
        Write(Initramfs(), new CpioOptions { Gzip = firstGzip }).CopyTo(both);
        both.Write(new byte[zeros]);
        Write(overlay, new CpioOptions { Gzip = secondGzip }).CopyTo(both);
        foreach (Stream input in new Stream[] { new MemoryStream(both.ToArray()), new OneWay(both.ToArray()) })
        {
            string[] paths = [.. CpioReader.Read(input).Select(entry => entry.Path)];
            Assert.Equal(["dev", "dev/console", "init", "sbin", "sbin/init", "etc", "etc/answers"], paths);
        }
    }

    [Fact]
    public void Writer_SameInput_SameBytes()
    {
        var options = new CpioOptions { Gzip = true };
        Assert.Equal(Write(Initramfs(), options).ToArray(), Write(Initramfs(), options).ToArray());
    }

    [Fact]
    public void RandomCorruption_GivesOnlyFormatErrors()
    {
        byte[] good = Write(Initramfs(), new CpioOptions()).ToArray();
        byte[] zipped = Write(Initramfs(), new CpioOptions { Gzip = true }).ToArray();
        var changed = Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[1, 6];
        Gen.Select(Gen.Bool, changed, Gen.Int[0, good.Length]).Sample(
            (gzip, changes, length) =>
            {
                byte[] bad = gzip ? [.. zipped] : good[..length];
                foreach ((int at, byte value) in changes)
                {
                    if (at < bad.Length) bad[at] = value;
                }
                try
                {
                    foreach (CpioEntry _ in CpioReader.Read(new MemoryStream(bad), 1 << 24))
                    {
                    }
                }
                catch (CpioFormatException)
                {
                }
            },
            iter: 2000);
    }

    [Theory]
    [InlineData("28B52FFD00000000", "zstd")]
    [InlineData("FD377A585A000000", "xz")]
    [InlineData("303730373037", "-H newc")]
    public void OtherFormats_AreNamed(string start, string name)
    {
        byte[] bytes = new byte[200];
        Convert.FromHexString(start).CopyTo(bytes, 0);
        var error = Assert.Throws<CpioFormatException>(() => CpioReader.Read(new MemoryStream(bytes)).ToList());
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    private static Func<MediaEntry, string> Describe(bool owners) => entry =>
    {
        string owner = owners ? $"{entry.Node.Uid} {entry.Node.Gid}" : "0 0";
        string what = entry.Node switch
        {
            MediaNode.File => Text(entry.Node),
            MediaNode.Symlink link => link.Target,
            MediaNode.Device device => $"{device.Kind} {device.Major} {device.Minor}",
            _ => "folder",
        };
        return $"{entry.Path} {entry.Node.Permissions} {(owners ? owner : "")} {entry.Node.ModifiedAt ?? DateTimeOffset.UnixEpoch} {what}";
    };

    private static string Text(MediaNode node)
    {
        using var reader = new StreamReader(Assert.IsType<MediaNode.File>(node).Content.Open(), Encoding.Latin1);
        return reader.ReadToEnd();
    }

    /// <summary>As a pipe gives it: no seeking, small pieces.</summary>
    private sealed class OneWay(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1000)]);
    }
}
