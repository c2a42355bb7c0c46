using System.Text.Json;
using Gantry.EndToEnd.Builds;
using Gantry.Model;
using Gantry.Storage.Volumes;

namespace Gantry.EndToEnd.Machines;

/// <summary>Snapshots of real machines, by the real program: what is on disk and in memory afterwards.</summary>
[Collection(nameof(BuildCollection))]
public sealed class SnapshotCommandTests(BuildNode builds) : IAsyncDisposable
{
    private readonly GantryProgram _gantry = new(builds.Folders.Home);
    private readonly string _machine = $"snap-{SystemEntropy.Instance.NewHex(4)}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await _gantry.RunAsync("delete", "--force", _machine);

    [Fact]
    public async Task Memory_GoneBackToTwice_GoesOnWithItsOwnRandomnessAndTheHostsClock()
    {
        await LaunchAsync();
        await ExecAsync(GuestClock.Install);
        await ExecAsync("echo before > /root/state; sync; sleep 1000 & echo $! > /run/sleeper");
        await _gantry.OkAsync("snapshot", _machine, "warm", "--memory", "--notes", "with a sleeper");
        await ExecAsync("echo after > /root/state; kill $(cat /run/sleeper); echo more > /root/more; sync");
        var randoms = new HashSet<string>();
        for (var i = 0; i < 2; i++)
        {
            var said = await _gantry.RunAsync("rollback", _machine, "warm");
            Assert.True(said.Code == 0, said.Error);
            Assert.Contains("and runs", said.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("booted cold", said.Error, StringComparison.Ordinal);
            Assert.Equal("before\n", await ExecAsync("cat /root/state"));
            Assert.Equal("runs\n", await ExecAsync("kill -0 $(cat /run/sleeper) && echo runs"));
            Assert.Equal(1, (await _gantry.RunAsync("exec", _machine, "cat /root/more")).Code);
            Assert.True(randoms.Add(await ExecAsync("od -An -tx1 -N16 /dev/urandom")));
            using var clock = new GuestClock();
            var telling = ExecAsync(clock.Command);
            await clock.AssertWithinASecondAsync(telling, Token);
            await telling;
        }

        using var list = JsonDocument.Parse(await _gantry.OkAsync("snapshot", "list", _machine, "-o", "json"));
        var only = Assert.Single(list.RootElement.EnumerateArray());
        Assert.True(only.GetProperty("memory").GetBoolean());
        Assert.True(only.GetProperty("current").GetBoolean());
        // Its disks alone boot too.
        await _gantry.OkAsync("rollback", "--without-memory", _machine, "warm");
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
        Assert.Equal("before\n", await ExecAsync("cat /root/state"));
        Assert.Equal(1, (await _gantry.RunAsync("exec", _machine, "test -e /run/sleeper")).Code);
    }

    [Fact]
    public async Task ManySnapshotsOfARunningMachine_KeepItsChainShort_ItsContent_AndItsFilesInTheStore()
    {
        await LaunchAsync();
        for (var i = 0; i < 10; i++)
        {
            await ExecAsync($"dd if=/dev/urandom of=/root/f{i} bs=64k count=4 2>/dev/null; cd /root; md5sum f* > sums; sync");
            await _gantry.OkAsync("snapshot", _machine, $"s{i}");
            Assert.InRange(await LayersAsync(), 2, VolumePool.LongestChain);
        }

        Assert.DoesNotContain("FAILED", await ExecAsync("cd /root; echo 3 > /proc/sys/vm/drop_caches; md5sum -c sums"), StringComparison.Ordinal);
        AssertBackingNames();
        // In the middle, at the beginning and at the end, while it runs.
        foreach (var name in new[] { "s4", "s0", "s9" })
            await _gantry.OkAsync("snapshot", "delete", _machine, name);
        await _gantry.OkAsync("rollback", _machine, "s5");
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
        var sums = await ExecAsync("cd /root; md5sum -c sums");
        Assert.Equal(6, sums.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain("FAILED", sums, StringComparison.Ordinal);
        await _gantry.OkAsync("stop", _machine);
        foreach (var name in new[] { "s1", "s2", "s3", "s5", "s6", "s7", "s8" })
            await _gantry.OkAsync("snapshot", "delete", _machine, name);
        Assert.Equal(2, await LayersAsync());
        await _gantry.OkAsync("start", _machine);
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
        Assert.Equal(sums, await ExecAsync("cd /root; md5sum -c sums"));
        AssertBackingNames();
    }

    [Fact]
    public async Task StoppedMachine_IsGoneBackTo_AndStaysStopped()
    {
        await LaunchAsync();
        await ExecAsync("echo one > /root/state; sync");
        await _gantry.OkAsync("shutdown", _machine);
        await _gantry.OkAsync("snapshot", _machine);
        await _gantry.OkAsync("start", _machine);
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
        await ExecAsync("echo two > /root/state; sync");
        await _gantry.OkAsync("shutdown", _machine);
        Assert.Contains("is stopped", await _gantry.OkAsync("rollback", _machine, "snap-1"), StringComparison.Ordinal);
        await _gantry.OkAsync("start", _machine);
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
        Assert.Equal("one\n", await ExecAsync("cat /root/state"));
        Assert.Equal(4, (await _gantry.RunAsync("snapshot", _machine, "snap-1")).Code);
        Assert.Equal(3, (await _gantry.RunAsync("rollback", _machine, "snap-2")).Code);
    }

    private async Task LaunchAsync()
    {
        await _gantry.OkAsync("launch", "first", "--name", _machine, "--memory", "192M");
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
    }

    private Task<string> ExecAsync(string line) => _gantry.OkAsync("exec", _machine, line);

    private async Task<int> LayersAsync()
    {
        using var shown = JsonDocument.Parse(await _gantry.OkAsync("show", _machine, "-o", "json"));
        return shown.RootElement.GetProperty("disks")[0].GetProperty("layers").GetArrayLength();
    }

    /// <summary>No file of the store names one outside it, or by an absolute path.</summary>
    private void AssertBackingNames()
    {
        foreach (var file in Directory.GetFiles(builds.Folders.Volumes, "*.qcow2"))
        {
            var backing = VolumePool.BackingNameOf(file);
            Assert.True(backing is null || File.Exists(Path.Combine(builds.Folders.Volumes, backing)), $"{file} stands on {backing}");
            Assert.True(backing is null || Path.GetFileName(backing) == backing, $"{file} stands on {backing}");
        }
    }
}
