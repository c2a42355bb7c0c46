using Gantry.Imaging.Cache;
using Gantry.Model;

namespace Gantry.Imaging.Tests.Cache;

public sealed class FileDigestsTests : IDisposable
{
    private const string EmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-digests-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Tree_IsInOrder_WithModesAndLinks()
    {
        var tree = Directory.CreateDirectory(Path.Combine(_folder, "tree")).FullName;
        foreach (var name in new[] { "b", "B", "a" })
            await File.WriteAllTextAsync(Path.Combine(tree, name), "", Token);
        Directory.CreateDirectory(Path.Combine(tree, "sub"));
        await File.WriteAllTextAsync(Path.Combine(tree, "sub/x"), "x", Token);
        File.SetUnixFileMode(Path.Combine(tree, "a"), (UnixFileMode)0b111_101_101);
        File.CreateSymbolicLink(Path.Combine(tree, "dangling"), "nowhere");
        Directory.CreateSymbolicLink(Path.Combine(tree, "loop"), ".");
        Directory.CreateSymbolicLink(Path.Combine(tree, "to-sub"), "sub");

        var digests = await FileDigests.OfTreeAsync(tree, Token);

        Assert.Equal(
            ["tree/B", "tree/a", "tree/b", "tree/dangling", "tree/loop", "tree/sub", "tree/sub/x", "tree/to-sub"],
            digests.Select(one => one.Path));
        Assert.Equal(new FileDigest("tree/a", "755", EmptySha256), digests[1]);
        Assert.Equal(new FileDigest("tree/dangling", "link", FileDigests.OfText("nowhere")), digests[3]);
        Assert.Equal("folder", digests[5].Sha256);
        Assert.Equal(digests, await FileDigests.OfTreeAsync(tree + "/", Token));
        File.SetUnixFileMode(Path.Combine(tree, "sub/x"), (UnixFileMode)0b110_000_000);
        Assert.NotEqual(digests, await FileDigests.OfTreeAsync(tree, Token));
    }

    [Fact]
    public async Task File_IsOneDigest_AndAMissingOneAProblem()
    {
        var file = Path.Combine(_folder, "empty");
        await File.WriteAllTextAsync(file, "", Token);
        Assert.Equal(EmptySha256, Assert.Single(await FileDigests.OfTreeAsync(file, Token)).Sha256);
        Assert.Equal(EmptySha256, await FileDigests.OfFileAsync(file, Token));
        var problem = await Assert.ThrowsAsync<ProblemException>(() => FileDigests.OfTreeAsync(file + "x", Token));
        Assert.Equal(ProblemKind.NotFound, problem.Problem.Kind);
    }
}
