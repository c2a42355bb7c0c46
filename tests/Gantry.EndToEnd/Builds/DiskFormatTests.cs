using Gantry.Imaging.Builds;

namespace Gantry.EndToEnd.Builds;

/// <summary>A disk file of each format, looked at with qemu-img.</summary>
[Collection(nameof(BuildCollection))]
public sealed class DiskFormatTests(BuildNode builds) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-formats-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("qcow2", true)]
    [InlineData("raw", false)]
    [InlineData("vmdk", true)]
    [InlineData("vdi", true)]
    [InlineData("vhdx", true)]
    [InlineData("vpc", false)]
    public async Task DiskFile_IsWhole_AndHoldsWhatTheTemplateHolds(string format, bool canBeChecked)
    {
        var output = Path.Combine(_folder, "out");
        var result = await builds.BuildAsync(
            $"as-{format}",
            BuildNode.Shell("echo one > /root/last"),
            new Lines(),
            new BuildOptions(),
            text => text.Replace(
                "ssh_username ",
                $"output_directory = \"{output}\"\n  vm_name = \"mini.{format}\"\n  format = \"{format}\"\n  ssh_username ",
                StringComparison.Ordinal));
        var file = Assert.Single(result.Files);
        Assert.Equal([$"mini.{format}"], Directory.GetFileSystemEntries(output).Select(Path.GetFileName));
        Assert.Equal(["out"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
        if (canBeChecked)
            await QemuImgAsync("check", "-f", format, file);
        var chain = await builds.Node.Volumes.ChainAsync(result.Template!.Spec.Disks[0].Volume, Token);
        await QemuImgAsync("compare", "-f", format, "-F", "qcow2", file, chain[0].Path);
        await builds.Node.TemplateMaker.DeleteAsync(result.Template, Token);
    }

    private static async Task QemuImgAsync(params string[] arguments)
    {
        using var process = new ChildProcess("qemu-img", arguments, new Dictionary<string, string>());
        Assert.True(await process.WaitAsync(Token) == 0, process.Said);
    }
}
