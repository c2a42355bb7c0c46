using System.IO.Pipes;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Screen;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.EndToEnd.Monitor;

/// <summary>The monitor client against QEMU itself.</summary>
[Collection("screen and keyboard")]
public sealed class QmpClientTests
{
    [Fact]
    public async Task Descriptor_PassedByName_ReceivesAMigration()
    {
        await using var guest = await Guest.StartAsync("x86_64", "-M", "pc", "-m", "16", "-S", "-nodefaults");
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.None);
        await guest.Monitor.PassDescriptorAsync("layer", pipe.ClientSafePipeHandle);
        pipe.DisposeLocalCopyOfClientHandle();

        using var events = guest.Monitor.Subscribe("STOP");
        await guest.Monitor.ExecuteAsync("migrate", new JsonObject { ["uri"] = "fd:layer" });
        var start = new byte[4];
        await pipe.ReadExactlyAsync(start);
        Assert.Equal("QEVM"u8.ToArray(), start);
        await pipe.CopyToAsync(Stream.Null);
        var status = await guest.Monitor.ExecuteAsync("query-migrate");
        Assert.Equal("completed", status.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Descriptor_AddedToASet_OpensAsAPath()
    {
        await using var guest = await Guest.StartAsync("x86_64", "-M", "none", "-nodefaults");
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, new byte[4096]);
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            var entry = await guest.Monitor.AddDescriptorAsync(file, note: "disk");
            await guest.Monitor.ExecuteAsync("blockdev-add", new JsonObject
            {
                ["driver"] = "file",
                ["node-name"] = "d0",
                ["filename"] = $"/dev/fdset/{entry.Set}",
            });
            var nodes = await guest.Monitor.ExecuteAsync("query-named-block-nodes");
            Assert.Equal("d0", nodes[0].GetProperty("node-name").GetString());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Call_QemuKilled_EndsWithAConnectionError()
    {
        await using var guest = await Guest.StartAsync("x86_64", "-M", "none", "-nodefaults");
        using var events = guest.Monitor.Subscribe();
        guest.Kill();
        await Assert.ThrowsAsync<QmpConnectionException>(() => events.NextAsync(CancellationToken.None));
        await Assert.ThrowsAsync<QmpConnectionException>(() => guest.Monitor.ExecuteAsync("query-status"));
    }

    [Fact]
    public async Task Version_RealQemu_IsRead()
    {
        await using var guest = await Guest.StartAsync("x86_64", "-M", "none", "-nodefaults");
        Assert.InRange(guest.Monitor.Version.Major, 5, 99);
        var e = await Assert.ThrowsAsync<QmpException>(() => guest.Monitor.ExecuteAsync("no-such-command"));
        Assert.Equal("CommandNotFound", e.ErrorClass);
    }
}
