using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Machines.Tests.Guest;

public sealed class OpenSshFilesTests(OpenSshFixture fixture) : GuestFilesTests, IClassFixture<OpenSshFixture>
{
    protected override GuestShell Shell => fixture.Shell;

    protected override bool HasSftp => true;
}

public sealed class DropbearFilesTests(DropbearFixture fixture) : GuestFilesTests, IClassFixture<DropbearFixture>
{
    protected override GuestShell Shell => fixture.Shell;

    protected override bool HasSftp => false;
}

public abstract class GuestFilesTests : IDisposable
{
    private readonly string _local = Directory.CreateTempSubdirectory("gantry-files-").FullName;
    private readonly string _guest = Directory.CreateTempSubdirectory("gantry-guest-").FullName;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract GuestShell Shell { get; }

    protected abstract bool HasSftp { get; }

    public static TheoryData<TransferMethod, int> Sizes
    {
        get
        {
            var data = new TheoryData<TransferMethod, int>();
            foreach (var method in Enum.GetValues<TransferMethod>())
            {
                foreach (var size in new[] { 0, 1, 100_000, 9_000_000 })
                    data.Add(method, size);
            }

            return data;
        }
    }

    public void Dispose()
    {
        Directory.Delete(_local, recursive: true);
        Directory.Delete(_guest, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task File_ThereAndBack_IsEqual(TransferMethod method, int size)
    {
        if (method == TransferMethod.Sftp && !HasSftp)
            return;
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        long sent = 0;
        var options = new TransferOptions { Method = method, Mode = (UnixFileMode)0x180, Progress = n => sent = n };
        var remote = $"{_guest}/it's a $file \"☃\"";
        await Shell.UploadAsync(new MemoryStream(bytes), remote, options, Token);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(remote, Token));
        Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(remote));
        Assert.Equal(size, sent);
        using var back = new MemoryStream();
        await Shell.DownloadAsync(remote, back, options, Token);
        Assert.Equal(bytes, back.ToArray());
    }

    [Theory]
    [InlineData("-n")]
    [InlineData(" leading and trailing ")]
    [InlineData("new\nline")]
    [InlineData("*?[a]{b}~!#&|;<>()")]
    [InlineData("\\back\\slash")]
    public async Task File_OddName_IsTakenLiterally(string name)
    {
        foreach (var method in Methods())
        {
            var local = Path.Combine(_local, name);
            await File.WriteAllTextAsync(local, "content " + method, Token);
            await Shell.UploadPathAsync(local, $"{_guest}/", new TransferOptions { Method = method }, Token);
            Assert.Equal("content " + method, await File.ReadAllTextAsync(Path.Combine(_guest, name), Token));
            await Shell.DownloadPathAsync(
                $"{_guest}/{name}", Path.Combine(_local, "back"), new TransferOptions { Method = method }, Token);
            Assert.Equal("content " + method, await File.ReadAllTextAsync(Path.Combine(_local, "back"), Token));
        }
    }

    [Fact]
    public async Task File_KeepsItsMode_AndReplacesWhatWasThere()
    {
        foreach (var method in Methods())
        {
            var local = Path.Combine(_local, "tool");
            await File.WriteAllTextAsync(local, "#!/bin/sh\n", Token);
            File.SetUnixFileMode(local, (UnixFileMode)0x1ED);
            await File.WriteAllTextAsync($"{_guest}/tool", "something longer than the new content", Token);
            await Shell.UploadPathAsync(local, $"{_guest}/tool", new TransferOptions { Method = method }, Token);
            Assert.Equal("#!/bin/sh\n", await File.ReadAllTextAsync($"{_guest}/tool", Token));
            Assert.Equal((UnixFileMode)0x1ED, File.GetUnixFileMode($"{_guest}/tool"));
        }
    }

    [Fact]
    public async Task File_IntoAFolder_KeepsItsName()
    {
        foreach (var method in Methods())
        {
            var options = new TransferOptions { Method = method };
            var local = Path.Combine(_local, "a.txt");
            await File.WriteAllTextAsync(local, "a", Token);
            await Shell.UploadPathAsync(local, _guest, options, Token);
            Assert.True(File.Exists($"{_guest}/a.txt"));
            await Shell.UploadPathAsync(local, $"{_guest}/{method}/sub/", options, Token);
            Assert.True(File.Exists($"{_guest}/{method}/sub/a.txt"));
            await Shell.DownloadPathAsync($"{_guest}/a.txt", $"{_local}/got-{method}/", options, Token);
            Assert.True(File.Exists($"{_local}/got-{method}/a.txt"));
        }
    }

    [Fact]
    public async Task Folder_WithTrailingSlash_CopiesItsContents_WithoutOne_ItselfToo()
    {
        MakeTree();
        foreach (var method in Methods())
        {
            var options = new TransferOptions { Method = method };
            await Shell.UploadPathAsync(_local + "/tree/", $"{_guest}/{method}/contents", options, Token);
            AssertTree($"{_guest}/{method}/contents");
            await Shell.UploadPathAsync(_local + "/tree", $"{_guest}/{method}/itself", options, Token);
            AssertTree($"{_guest}/{method}/itself/tree");
            await Shell.DownloadPathAsync($"{_guest}/{method}/contents/", $"{_local}/{method}-contents", options, Token);
            AssertTree($"{_local}/{method}-contents");
            await Shell.DownloadPathAsync($"{_guest}/{method}/itself/tree", $"{_local}/{method}-itself", options, Token);
            AssertTree($"{_local}/{method}-itself/tree");
        }
    }

    [Fact]
    public async Task Download_Folder_MakesNoLinks()
    {
        Directory.CreateDirectory($"{_guest}/tree");
        File.CreateSymbolicLink($"{_guest}/tree/passwd", "/etc/passwd");
        await File.WriteAllTextAsync($"{_guest}/tree/plain", "x", Token);
        await SshServer.RunAsync("ln", $"{_guest}/tree/plain", $"{_guest}/tree/second");
        foreach (var method in Methods())
        {
            var local = $"{_local}/{method}";
            await Shell.DownloadPathAsync($"{_guest}/tree/", local, new TransferOptions { Method = method }, Token);
            Assert.Equal(["plain", "second"], Directory.GetFileSystemEntries(local).Select(Path.GetFileName).Order());
            Assert.Equal("x", await File.ReadAllTextAsync($"{local}/second", Token));
        }
    }

    [Fact]
    public async Task Upload_WhereItCannotGo_SaysWhy()
    {
        foreach (var method in Methods())
        {
            var options = new TransferOptions { Method = method };
            var missing = await FailAsync(() => Shell.UploadAsync(new MemoryStream([1]), $"{_guest}/no/such/x", options, Token));
            Assert.Contains($"could not write {_guest}/no/such/x in the guest", missing.Summary, StringComparison.Ordinal);
            Assert.Contains("o such file or", missing.Summary.Replace("irectory nonexistent", "o such file or"), StringComparison.Ordinal);
            var folder = await FailAsync(() => Shell.UploadAsync(new MemoryStream([1]), _guest, options, Token));
            Assert.Contains("it is a folder", folder.Summary, StringComparison.Ordinal);
            var full = await FailAsync(() => Shell.UploadAsync(new MemoryStream(new byte[100]), "/dev/full", options, Token));
            Assert.Contains("/dev/full", full.Summary, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Transfer_SourceMissing_SaysSo()
    {
        var up = await FailAsync(() => Shell.UploadPathAsync($"{_local}/nothing", _guest, new TransferOptions(), Token));
        Assert.Equal(ProblemKind.NotFound, up.Kind);
        foreach (var method in Methods())
        {
            var options = new TransferOptions { Method = method };
            var down = await FailAsync(() => Shell.DownloadPathAsync($"{_guest}/nothing", _local, options, Token));
            Assert.Equal(ProblemKind.NotFound, down.Kind);
            Assert.Contains($"{_guest}/nothing", down.Summary, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Sftp_WhereThereIsNone_SaysSo()
    {
        if (HasSftp)
            return;
        var options = new TransferOptions { Method = TransferMethod.Sftp };
        var problem = await FailAsync(() => Shell.UploadAsync(new MemoryStream([1]), $"{_guest}/x", options, Token));
        Assert.Contains("the guest has no SFTP", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_LinkThatLeadsBack_IsRefused()
    {
        Directory.CreateDirectory($"{_local}/loop/a");
        File.CreateSymbolicLink($"{_local}/loop/a/up", $"{_local}/loop");
        var problem = await FailAsync(() => Shell.UploadPathAsync($"{_local}/loop", _guest, new TransferOptions(), Token));
        Assert.Contains("deeper than", problem.Summary, StringComparison.Ordinal);
    }

    private IEnumerable<TransferMethod> Methods() =>
        Enum.GetValues<TransferMethod>().Where(m => m != TransferMethod.Sftp || HasSftp);

    private void MakeTree()
    {
        Directory.CreateDirectory($"{_local}/tree/empty");
        Directory.CreateDirectory($"{_local}/tree/sub/deep");
        File.WriteAllText($"{_local}/tree/sub/deep/run.sh", "#!/bin/sh\n");
        File.SetUnixFileMode($"{_local}/tree/sub/deep/run.sh", (UnixFileMode)0x1ED);
        File.WriteAllText($"{_local}/tree/{new string('n', 200)}", "long name");
        File.WriteAllBytes($"{_local}/tree/sub/empty file", []);
        File.CreateSymbolicLink($"{_local}/tree/link", "sub/deep/run.sh");
        SshServer.RunAsync("mkfifo", $"{_local}/tree/pipe").GetAwaiter().GetResult();
    }

    private static void AssertTree(string folder)
    {
        Assert.Equal(
            ["empty", "link", new string('n', 200), "sub"],
            Directory.GetFileSystemEntries(folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal));
        Assert.Equal("#!/bin/sh\n", File.ReadAllText($"{folder}/sub/deep/run.sh"));
        Assert.Equal("#!/bin/sh\n", File.ReadAllText($"{folder}/link"));
        Assert.Null(new FileInfo($"{folder}/link").LinkTarget);
        Assert.Equal(0, new FileInfo($"{folder}/sub/empty file").Length);
    }

    private static async Task<Problem> FailAsync(Func<Task> work) =>
        (await Assert.ThrowsAsync<ProblemException>(work)).Problem;
}
