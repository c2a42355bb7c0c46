using System.Diagnostics;
using System.Globalization;
using Gantry.App.Hosting;
using Gantry.Imaging.Builds;
using Gantry.Machines.Create;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.EndToEnd.Builds;

[Collection(nameof(BuildCollection))]
public sealed class BuildTests(BuildNode builds)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Build_FromAKernelInAnIso_MakesATemplateWhoseCloneAnswersSsh()
    {
        Assert.Equal(0, builds.First.CachedSteps);
        Assert.Equal("first", builds.First.Template!.Name);
        Assert.Contains(builds.First.Provenance.Chain, link => link.Kind == "iso");
        Assert.Contains(builds.First.Provenance.Chain, link => link.Kind == "kernel");
        Assert.Empty(await builds.Node.Machines.ListAsync(Token));

        var before = builds.VolumeFiles().ToList();
        var key = SshKeyPair.Generate("test");
        var port = BuildNode.FreePort();
        var clone = await builds.Node.Launcher.FromTemplateAsync(
            builds.First.Template,
            new MachineWishes
            {
                Name = "clone",
                Publish = [new PublishedPort { HostPort = port, GuestPort = 22 }],
                CloudInit = new CloudInit { User = "root", SshKeys = [key.PublicKey] },
            },
            Token);
        var guest = await builds.Node.Host.StartAsync(
            clone.Number, new StartOptions { Accelerator = "tcg" }, NoProgress.Instance, Token);
        await using (guest)
        {
            await using var shell = await SshWaiter.WaitAsync(
                new SshTarget { Host = "127.0.0.1", Port = port, User = "root", PrivateKey = key.PrivateKey },
                TimeProvider.System.GetUtcNow().AddMinutes(3), TimeProvider.System, null, Token);
            Assert.Equal("built\none\n", (await shell.RunAsync("cat /root/built /root/last", Token)).Output);
        }

        await builds.Node.Remover.DeleteAsync(clone, stop: true, Token);
        Assert.Equal(before, builds.VolumeFiles());
        Assert.Empty(builds.Emulators());
    }

    [Fact]
    public async Task TwoResumes_OfOneLayer_HaveTheirOwnRandomness_AndTheHostsClock()
    {
        var randoms = new HashSet<string>();
        foreach (var name in new[] { "second", "third" })
        {
            var lines = new Lines();
            var result = await builds.BuildAsync(
                name, BuildNode.Shell($"echo random {name} $(od -An -tx1 -N16 /dev/urandom); echo clock $(date +%s)"), lines);
            Assert.Equal(2, result.CachedSteps);
            randoms.Add(lines.After($"random {name}").Text);
            var (at, clock) = lines.After("clock");
            // The guest tells whole seconds, and what it said took its time to arrive.
            var behind = at - DateTimeOffset.FromUnixTimeSeconds(long.Parse(clock, CultureInfo.InvariantCulture));
            Assert.InRange(behind, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(3));
        }

        Assert.Equal(2, randoms.Count);
        Assert.All(randoms, random => Assert.Matches("^([0-9a-f]{2} ?){16}$", random));
    }

    [Fact]
    public async Task FailingProvisioner_LeavesNothingBehind()
    {
        var before = builds.VolumeFiles().ToList();
        var problem = await Assert.ThrowsAsync<ProblemException>(
            () => builds.BuildAsync("failing", BuildNode.Shell("exit 7"), new Lines()));
        Assert.Contains("7", problem.Problem.ToString(), StringComparison.Ordinal);
        Assert.Empty(await builds.Node.Machines.ListAsync(Token));
        Assert.Null(await builds.Node.Templates.FindAsync("failing", Token));
        Assert.Equal(before, builds.VolumeFiles());
        Assert.Empty(Directory.GetDirectories(builds.Folders.Machines));
        Assert.Empty(builds.Emulators());
    }

    [Fact]
    public async Task FailingProvisioner_WithAbort_KeepsTheMachineRunning()
    {
        await Assert.ThrowsAsync<ProblemException>(
            () => builds.BuildAsync("aborted", BuildNode.Shell("exit 8"), new Lines(), OnError.Abort));
        var machine = Assert.Single(await builds.Node.Machines.ListAsync(Token));
        Assert.Equal(MachineRole.Ordinary, machine.Role);
        Assert.True(builds.Node.Host.IsAlive(machine.Number));
        await builds.Node.Remover.DeleteAsync(machine, stop: true, Token);
        Assert.Empty(builds.Emulators());
    }

    [Fact]
    public async Task BuildProcess_ThatIsKilled_IsRepairedByTheNextNode()
    {
        var before = builds.VolumeFiles().ToList();
        var template = builds.Write("killed", BuildNode.Shell("echo now asleep; sleep 600"));
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "gantry"), ["build", template])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GANTRY_HOME"] = builds.Folders.Home;
        using var process = Process.Start(start)!;
        var said = new List<string>();
        var asleep = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Hear(string? line)
        {
            lock (said)
                said.Add(line ?? "<end>");
            if (line is not null && line.Contains("now asleep", StringComparison.Ordinal))
                asleep.TrySetResult();
        }

        process.OutputDataReceived += (_, e) => Hear(e.Data);
        process.ErrorDataReceived += (_, e) => Hear(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var ended = process.WaitForExitAsync(Token);
        var first = await Task.WhenAny(asleep.Task, ended).WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System, Token);
        Assert.True(first == asleep.Task, "the build ended too early:\n" + string.Join('\n', said));
        Assert.NotEmpty(builds.Emulators());
        process.Kill(); // SIGKILL, and only to the build itself
        await ended;
        Assert.NotEmpty(await builds.Node.Machines.ListAsync(Token));

        await using var next = await GantryNode.OpenAsync(
            builds.Folders, TimeProvider.System, SystemEntropy.Instance, repair: true, Token);

        Assert.Empty(await next.Machines.ListAsync(Token));
        Assert.Empty(builds.Emulators());
        Assert.Null(await next.Templates.FindAsync("killed", Token));
        Assert.Equal(before, builds.VolumeFiles());
        Assert.Empty(Directory.GetDirectories(builds.Folders.Machines));
    }
}
