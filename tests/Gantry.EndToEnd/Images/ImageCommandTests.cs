using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.EndToEnd.Builds;
using Gantry.EndToEnd.Machines;

namespace Gantry.EndToEnd.Images;

/// <summary>Imports and exports by the real program: what a user types, and what is left when it is killed.</summary>
public sealed class ImageCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-image-commands-").FullName;
    private readonly GantryProgram _gantry;

    public ImageCommandTests() => _gantry = new GantryProgram(In("home"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Ova_GoesOutAndComesIn_AndIsListedAndDeleted()
    {
        await QemuImgAsync("create", "-q", "-f", "vmdk", In("web.vmdk"), "64M");
        await _gantry.OkAsync("image", "import", In("web.vmdk"), "--memory", "256M");
        await _gantry.OkAsync("image", "export", "web", In("web.ova"));
        using (var imported = JsonDocument.Parse(await _gantry.OkAsync("image", "import", In("web.ova"), "--machine", "-o", "json")))
        {
            Assert.Equal("machine", imported.RootElement.GetProperty("kind").GetString());
            Assert.Equal(256, imported.RootElement.GetProperty("memoryMiB").GetInt32());
            Assert.NotEmpty(imported.RootElement.GetProperty("remarks").EnumerateArray());
        }

        await _gantry.OkAsync("image", "export", "web", In("web.qcow2"));
        await QemuImgAsync("compare", "-f", "vmdk", "-F", "qcow2", In("web.vmdk"), In("web.qcow2"));
        using (var list = JsonDocument.Parse(await _gantry.OkAsync("image", "list", "-o", "json")))
            Assert.Equal(64 << 20, Assert.Single(list.RootElement.EnumerateArray()).GetProperty("sizeBytes").GetInt64());
        await _gantry.OkAsync("image", "delete", "web");
        Assert.Equal(3, (await _gantry.RunAsync("image", "show", "web")).Code);
        await _gantry.OkAsync("delete", "web");
        Assert.Empty(Directory.GetFileSystemEntries(In("home/volumes")));
    }

    [Fact]
    public async Task Url_IsHeldAgainstItsListOfChecksums_AndAPlainOneNeedsACheck()
    {
        await QemuImgAsync("create", "-q", "-f", "qcow2", In("disk.img"), "8M");
        var content = await File.ReadAllBytesAsync(In("disk.img"), Token);
        using var server = new HttpListener();
        var url = $"http://127.0.0.1:{BuildNode.FreePort()}/";
        server.Prefixes.Add(url);
        server.Start();
        var sums = Convert.ToHexStringLower(SHA256.HashData(content)) + "  disk.img\n";
        var serving = ServeAsync(server, path => path == "/disk.img" ? content : path == "/SHA256SUMS" ? Encoding.ASCII.GetBytes(sums) : null);

        var (code, _, error) = await _gantry.RunAsync("image", "import", url + "disk.img");
        Assert.Equal(1, code);
        Assert.Contains("--checksum", error, StringComparison.Ordinal);
        await _gantry.OkAsync("image", "import", url + "disk.img", "--checksum", url + "SHA256SUMS");
        (code, _, error) = await _gantry.RunAsync(
            "image", "import", url + "disk.img", "--name", "b", "--checksum", "sha256:" + new string('0', 64));
        Assert.Equal(1, code);
        Assert.Contains("wrong checksum", error, StringComparison.Ordinal);
        Assert.Equal(3, (await _gantry.RunAsync("image", "show", "b")).Code);
        server.Stop();
        await serving;
    }

    [Fact]
    public async Task ImportAndExport_Killed_LeaveNothing()
    {
        // Large enough to be caught in the middle: 512 MiB that do not compress.
        await using (var raw = File.Create(In("big.raw")))
        {
            var block = new byte[1 << 20];
            for (var i = 0; i < 512; i++)
            {
                new Random(i).NextBytes(block);
                await raw.WriteAsync(block, Token);
            }
        }

        await KillWhenAsync(() => Parts(In("home/volumes")).Any(), "image", "import", In("big.raw"));
        // Any command that changes something puts right what is left first.
        Assert.Equal(3, (await _gantry.RunAsync("image", "delete", "big")).Code);
        Assert.Empty(Directory.GetFileSystemEntries(In("home/volumes")));

        await _gantry.OkAsync("image", "import", In("big.raw"));
        Directory.CreateDirectory(In("out"));
        await KillWhenAsync(() => Directory.EnumerateFileSystemEntries(In("out")).Any(), "image", "export", "big", In("out/big.qcow2"));
        Assert.Equal(3, (await _gantry.RunAsync("image", "delete", "nothing")).Code);
        Assert.Empty(Directory.GetFileSystemEntries(In("out")));
        Assert.Single(Directory.GetFileSystemEntries(In("home/volumes")));
    }

    private static async Task ServeAsync(HttpListener server, Func<string, byte[]?> content)
    {
        while (server.IsListening)
        {
            try
            {
                var context = await server.GetContextAsync();
                var body = content(context.Request.Url!.AbsolutePath);
                context.Response.StatusCode = body is null ? 404 : 200;
                if (body is not null)
                    await context.Response.OutputStream.WriteAsync(body, Token);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static IEnumerable<string> Parts(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.part") : [];

    private async Task KillWhenAsync(Func<bool> reached, params string[] arguments)
    {
        var start = new ProcessStartInfo(GantryProgram.Path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GANTRY_HOME"] = In("home");
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (!reached())
        {
            Assert.False(process.HasExited, "it ended before it could be killed");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
        }

        process.Kill(entireProcessTree: false);
        await process.WaitForExitAsync(limit.Token);
    }

    private static async Task QemuImgAsync(params string[] arguments)
    {
        using var tool = new ChildProcess("qemu-img", arguments, new Dictionary<string, string>());
        Assert.True(await tool.WaitAsync(Token) == 0, tool.Said);
    }

    private string In(string name) => Path.Combine(_folder, name);
}
