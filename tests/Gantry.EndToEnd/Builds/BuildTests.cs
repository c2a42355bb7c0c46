using Gantry.EndToEnd.Machines;
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
            using var clock = new GuestClock();
            var build = builds.BuildAsync(
                name,
                BuildNode.Shell($"echo random {name} $(od -An -tx1 -N16 /dev/urandom); {GuestClock.Install}; {clock.Command}"),
                lines);
            await clock.AssertWithinASecondAsync(build, Token);
            Assert.Equal(2, (await build).CachedSteps);
            randoms.Add(lines.After($"random {name}").Text);
        }

        Assert.Equal(2, randoms.Count);
        Assert.All(randoms, random => Assert.Matches("^([0-9a-f]{2} ?){16}$", random));
    }
}
