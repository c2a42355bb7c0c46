using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

public class MediaTreeTests
{
    private static readonly MediaContent Nothing = MediaContent.FromText("");

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a/../b")]
    [InlineData("./a")]
    [InlineData("a//b")]
    [InlineData("a\0b")]
    public void Tree_ImpossiblePath_IsRefused(string path) =>
        Assert.Throws<MediaException>(() => new MediaTree().AddFile(path, Nothing));

    // Not an InlineData: an attribute cannot hold half a surrogate pair.
    [Fact]
    public void Tree_BrokenUnicode_IsRefused() =>
        Assert.Throws<MediaException>(() => new MediaTree().AddFile("a\ud800b", Nothing));

    [Fact]
    public void Tree_NameOf256Bytes_IsRefused() =>
        Assert.Contains("255 bytes", Assert.Throws<MediaException>(
            () => new MediaTree().AddFile(new string('ä', 128), Nothing)).Message, StringComparison.Ordinal);

    [Fact]
    public void Tree_SamePathTwice_IsRefusedUnlessReplacing()
    {
        MediaTree tree = new MediaTree().AddFile("a/b", Nothing);
        Assert.Contains("'/a/b/' is on the medium twice", Assert.Throws<MediaException>(
            () => tree.AddFile("/a/b/", Nothing)).Message, StringComparison.Ordinal);
        Assert.Throws<MediaException>(() => tree.AddFile("a", Nothing));
        Assert.Contains("'a/b' is not a folder", Assert.Throws<MediaException>(
            () => tree.AddFile("a/b/c", Nothing)).Message, StringComparison.Ordinal);
        tree.Add("a/b", new MediaNode.Symlink("x") { Permissions = MediaModes.Link }, replace: true);
        Assert.Equal(2, tree.Count);
        Assert.IsType<MediaNode.Symlink>(tree.Find("/a/b"));
    }

    [Fact]
    public void Tree_OrderOfAdding_DoesNotMatter()
    {
        MediaTree one = new MediaTree().AddFile("b", Nothing).AddFile("a/c", Nothing).AddFile("a/B", Nothing);
        MediaTree two = new MediaTree().AddFile("a/B", Nothing).AddFile("a/c", Nothing).AddFile("b", Nothing);
        Assert.Equal(["a", "a/B", "a/c", "b"], one.Entries().Select(entry => entry.Path));
        Assert.Equal(one.Entries().Select(entry => entry.Path), two.Entries().Select(entry => entry.Path));
    }

    [Fact]
    public void HostFolder_IsTakenWithModesAndLinks()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["in/sub"]);
        File.WriteAllText(folder["in/sub/run"], "x");
        Oracle.Run("chmod", "755", folder["in/sub/run"]);
        File.CreateSymbolicLink(folder["in/dangling"], "nowhere");
        Directory.CreateSymbolicLink(folder["in/folder-link"], "sub");
        File.CreateSymbolicLink(folder["alias"], "in");
        MediaTree tree = new MediaTree().AddHostPath(folder["alias"], "").AddHostPath(folder["in/sub/run"], "copy/run");
        Assert.Equal(
            ["copy", "copy/run", "dangling", "folder-link", "sub", "sub/run"], tree.Entries()
                .Select(entry => entry.Path));
        Assert.Equal(MediaModes.Executable, tree.Find("sub/run")!.Permissions);
        Assert.Equal("sub", Assert.IsType<MediaNode.Symlink>(tree.Find("folder-link")).Target);
    }

    [Fact]
    public void HostFolder_WithAPipe_IsRefusedAtOnce()
    {
        using var folder = new TemporaryFolder();
        Oracle.Run("mkfifo", folder["pipe"]);
        var error = Assert.Throws<MediaException>(() => new MediaTree().AddHostPath(folder.Path, "x"));
        Assert.Contains("is a pipe, socket or device", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HostPath_Missing_IsRefused()
    {
        Assert.Contains("found none", Assert.Throws<MediaException>(
            () => new MediaTree().AddHostPath("/nowhere/at/all", "x")).Message, StringComparison.Ordinal);
        Assert.Contains("found none", Assert.Throws<MediaException>(
            () => MediaContent.FromFile("/nowhere/at/all")).Message, StringComparison.Ordinal);
    }
}
