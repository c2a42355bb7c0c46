using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Gantry.Engines;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.EndToEnd.Engines;

public sealed class QemuEngineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Machine_Started_RunsAndIsFoundBySecondEngineAndQuits()
    {
        await using var machine = await TestMachine.MakeAsync();
        var engine = new QemuEngine();
        Assert.False(engine.IsAlive(machine.Run));
        Assert.Null(await engine.FindAsync(machine.Run, machine.Launch.Uuid, Cancel));
        int pid;
        await using (var guest = await machine.StartAsync())
        {
            pid = guest.Pid;
            Assert.Equal(MachinePhase.Running, await guest.PhaseAsync(Cancel));
            using var shell = await machine.ShellAsync();
            await shell.ReadyAsync();
            Assert.Equal("x86_64", await shell.RunAsync("uname -m"));
        }

        Assert.True(engine.IsAlive(machine.Run));
        await using var found = await engine.FindAsync(machine.Run, machine.Launch.Uuid, Cancel);
        Assert.NotNull(found);
        Assert.Equal(pid, found.Pid);
        await found.PauseAsync(Cancel);
        Assert.Equal(MachinePhase.Paused, await found.PhaseAsync(Cancel));
        await found.ResumeAsync(Cancel);
        var exit = found.WaitForExitAsync(Cancel);
        await found.QuitAsync(Cancel);
        Assert.Equal("host-qmp-quit", (await exit).Reason);
        Assert.False(engine.IsAlive(machine.Run));
        await CollectedAsync(pid);
    }

    [Fact]
    public async Task Machine_WhoseFirstMonitorIsBusy_IsFoundThroughTheSpare()
    {
        await using var machine = await TestMachine.MakeAsync();
        await using var first = await machine.StartAsync();
        await using var second = await machine.Engine.FindAsync(machine.Run, machine.Launch.Uuid, Cancel);
        Assert.Equal(first.Pid, second!.Pid);
        Assert.Equal(MachinePhase.Running, await second.PhaseAsync(Cancel));
    }

    [Fact]
    public async Task Machine_PoweredOffByGuest_ExitSaysSo()
    {
        await using var machine = await TestMachine.MakeAsync();
        await using var guest = await machine.StartAsync();
        using var shell = await machine.ShellAsync();
        await shell.ReadyAsync();
        var exit = guest.WaitForExitAsync(Cancel);
        await shell.RunAsync("(sleep 0; poweroff -f) &");
        Assert.True((await exit).ByGuest);
        Assert.Null(await machine.Engine.FindAsync(machine.Run, machine.Launch.Uuid, Cancel));
    }

    [Fact]
    public async Task Start_OfRunningMachine_IsRefusedAndLeavesItAlone()
    {
        await using var machine = await TestMachine.MakeAsync();
        await using var guest = await machine.StartAsync();
        var problem = await Assert.ThrowsAsync<ProblemException>(() => new QemuEngine().StartAsync(
            machine.Launch, machine.Run, Cancel));
        Assert.Equal(ProblemKind.Conflict, problem.Problem.Kind);
        Assert.Equal(MachinePhase.Running, await guest.PhaseAsync(Cancel));
    }

    [Fact]
    public async Task Start_ManyAtOnce_ExactlyOneSucceeds()
    {
        await using var machine = await TestMachine.MakeAsync();
        var starts = Enumerable.Range(0, 6).Select(_ => Task.Run(machine.StartAsync, Cancel)).ToList();
        await Task.WhenAll(starts).ContinueWith(_ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default);
        var started = starts.Where(s => s.IsCompletedSuccessfully).ToList();
        var guest = await Assert.Single(started);
        await using var connection = guest;
        foreach (var refused in starts.Where(s => !s.IsCompletedSuccessfully))
        {
            var problem = await Assert.ThrowsAsync<ProblemException>(() => refused);
            Assert.Equal(ProblemKind.Conflict, problem.Problem.Kind);
        }
    }

    [Fact]
    public async Task Find_WithOtherUuid_IsRefused()
    {
        await using var machine = await TestMachine.MakeAsync();
        await using (await machine.StartAsync())
        {
            // Only to connect and disconnect.
        }
        var other = SystemEntropy.Instance.NewUuid();
        var find = await Assert.ThrowsAsync<ProblemException>(() => machine.Engine.FindAsync(machine.Run, other, Cancel));
        Assert.Contains(machine.Launch.Uuid.ToString(), find.Message, StringComparison.Ordinal);
        var kill = await Assert.ThrowsAsync<ProblemException>(() => machine.Engine.KillAsync(machine.Run, other, Cancel));
        Assert.Equal(ProblemKind.Conflict, kill.Problem.Kind);
        Assert.True(machine.Engine.IsAlive(machine.Run));
    }

    [Fact]
    public async Task Start_WithPortInUse_SaysWhichAndLeavesNothing()
    {
        await using var machine = await TestMachine.MakeAsync();
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        machine.Launch = machine.Launch with { Ports = [new LaunchPort(0, "127.0.0.1", port, 80)] };
        var problem = (await Assert.ThrowsAsync<ProblemException>(machine.StartAsync)).Problem;
        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.Contains($":{port}-", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("in use", problem.Summary, StringComparison.Ordinal);
        Assert.False(machine.Engine.IsAlive(machine.Run));
    }

    [Fact]
    public async Task Start_WithLockedDisk_SaysSo()
    {
        await using var first = await TestMachine.MakeAsync();
        await using var second = await TestMachine.MakeAsync();
        var disk = new LaunchDisk { Chain = [first.NewDisk("disk.qcow2")] };
        first.Launch = first.Launch with { Disks = [disk] };
        second.Launch = second.Launch with { Disks = [disk] };
        await using var guest = await first.StartAsync();
        var problem = (await Assert.ThrowsAsync<ProblemException>(second.StartAsync)).Problem;
        Assert.Equal(ProblemKind.Conflict, problem.Kind);
        Assert.Contains("disks is in use", problem.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-cpu", "no-such-cpu", "no CPU model 'no-such-cpu'")]
    [InlineData("-machine", "no-such-machine", "machine type")]
    [InlineData("-m", "1000T", "memory")]
    [InlineData("-no-such-switch", null, "QEMU ended with exit code 1")]
    public async Task Start_ThatQemuRefuses_SaysWhy(string name, string? value, string expected)
    {
        await using var machine = await TestMachine.MakeAsync();
        machine.Launch = machine.Launch with
        {
            Spec = machine.Launch.Spec with { QemuSwitches = [new QemuSwitch { Name = name, Value = value }] },
        };
        var problem = (await Assert.ThrowsAsync<ProblemException>(machine.StartAsync)).Problem;
        Assert.Contains(expected, problem.Summary, StringComparison.Ordinal);
        Assert.Contains("QEMU says:", problem.Detail, StringComparison.Ordinal);
        Assert.False(machine.Engine.IsAlive(machine.Run));
    }

    [Fact]
    public async Task Guest_OutlivesItsKilledStarter_AndIsKilledThroughItsSocketsWhenDeaf()
    {
        await using var machine = await TestMachine.MakeAsync();
        var starter = StartInChild(machine);
        await starter.WaitForExitAsync(Cancel);
        Assert.Equal(137, starter.ExitCode); // killed itself with SIGKILL after the start
        await using var found = await machine.Engine.FindAsync(machine.Run, machine.Launch.Uuid, Cancel);
        Assert.NotNull(found);
        Assert.Equal(MachinePhase.Running, await found.PhaseAsync(Cancel));
        Assert.Equal(0, Kill(found.Pid, 19)); // SIGSTOP: nothing answers any more
        Assert.True(machine.Engine.IsAlive(machine.Run));
        await machine.Engine.KillAsync(machine.Run, machine.Launch.Uuid, Cancel);
        Assert.False(machine.Engine.IsAlive(machine.Run));
    }

    [Fact]
    public async Task Process_HasOwnSessionAndOnlyItsDescriptors()
    {
        await using var machine = await TestMachine.MakeAsync();
        using var stray = new FileStream("/dev/null", FileMode.Open);
        await using var guest = await machine.StartAsync();
        var stat = (await File.ReadAllTextAsync($"/proc/{guest.Pid}/stat", Cancel)).Split(')')[1].Split(' ');
        Assert.Equal(guest.Pid.ToString(), stat[4]); // session
        Assert.Equal("/dev/null", new FileInfo($"/proc/{guest.Pid}/fd/0").LinkTarget);
        Assert.Equal(machine.Launch.Run.Log, new FileInfo($"/proc/{guest.Pid}/fd/1").LinkTarget);
        Assert.Equal(machine.Launch.Run.Lock, new FileInfo($"/proc/{guest.Pid}/fd/3").LinkTarget);
        var environment = await File.ReadAllTextAsync($"/proc/{guest.Pid}/environ", Cancel);
        Assert.DoesNotContain("DOTNET", environment, StringComparison.Ordinal);
        var status = await File.ReadAllLinesAsync($"/proc/{guest.Pid}/status", Cancel);
        var ignored = status.Single(l => l.StartsWith("SigIgn:", StringComparison.Ordinal)).Split('\t')[1];
        // QEMU itself ignores SIGPIPE; 32 and 33 are the C library's own.
        Assert.Equal(0x1000, Convert.ToInt64(ignored, 16) & ~0x1_8000_0000);
    }

    [Fact]
    public async Task PublishedPort_AddedAndRemoved_AnswersWhileItIsThere()
    {
        await using var machine = await TestMachine.MakeAsync();
        await using var guest = await machine.StartAsync();
        using var shell = await machine.ShellAsync();
        await shell.ReadyAsync();
        await ServeAsync(shell, "hello");
        var port = new LaunchPort(0, "127.0.0.1", TestMachine.FreePort(), 80);
        await guest.AddPublishedPortAsync(port, Cancel);
        Assert.Equal("hello", await FetchAsync(port.HostPort));
        var again = await Assert.ThrowsAsync<ProblemException>(() => guest.AddPublishedPortAsync(port, Cancel));
        Assert.Equal(ProblemKind.Unavailable, again.Problem.Kind);
        await guest.RemovePublishedPortAsync(port, Cancel);
        await Assert.ThrowsAsync<SocketException>(() => FetchAsync(port.HostPort));
        var gone = await Assert.ThrowsAsync<ProblemException>(() => guest.RemovePublishedPortAsync(port, Cancel));
        Assert.Equal(ProblemKind.NotFound, gone.Problem.Kind);
    }

    [Fact]
    public async Task GuestAgent_WithoutAgentInGuest_TimesOutWithRemedy()
    {
        await using var machine = await TestMachine.MakeAsync();
        await using var guest = await machine.StartAsync();
        var problem = await Assert.ThrowsAsync<ProblemException>(
            () => guest.GuestAgentAsync("guest-ping", timeout: TimeSpan.FromMilliseconds(200), cancellationToken: Cancel));
        Assert.Equal(ProblemKind.TimedOut, problem.Problem.Kind);
    }

    /// <summary>A small web-like server in the guest: each connection gets the text.</summary>
    internal static async Task ServeAsync(SerialShell shell, string text)
    {
        await shell.RunAsync("ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0");
        await shell.RunAsync($"(while true; do echo {text} | nc -l -p 80; done) </dev/null >/dev/null 2>&1 &");
    }

    internal static async Task<string> FetchAsync(int port)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", port, deadline.Token);
            var buffer = new byte[256];
            try
            {
                // Slirp accepts at once; where the guest's listener was not there yet, it closes again.
                var count = await socket.ReceiveAsync(buffer, deadline.Token);
                if (count > 0)
                    return Encoding.ASCII.GetString(buffer, 0, count).Trim();
            }
            catch (SocketException)
            {
                // Reset: as above.
            }
        }
    }

    /// <summary>This test program, asked to start the machine and then to die by SIGKILL.</summary>
    private static Process StartInChild(TestMachine machine)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        start.Environment[EngineStarter.Variable] = EngineStarter.Describe(machine.Launch, machine.Run);
        return Process.Start(start)!;
    }

    /// <summary>A process lets go of its lock a moment before its parent can collect it.</summary>
    private static async Task CollectedAsync(int pid)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (IsRunning(pid))
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }

    private static bool IsRunning(int pid) => Directory.Exists($"/proc/{pid}");

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}
