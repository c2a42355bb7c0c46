using Gantry.Engines.Fake;
using Gantry.Engines.Tests.Qemu.CommandLine;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Tests.Fake;

public sealed class FakeEngineTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Machine_StartedFoundAndQuit_KeepsTheEnginesPromises()
    {
        var engine = new FakeEngine();
        var launch = Launches.Plain();
        Assert.Null(await engine.FindAsync("/run/a", launch.Uuid, Cancel));
        await using var guest = await engine.StartAsync(launch, "/run/a", Cancel);
        Assert.True(engine.IsAlive("/run/a"));
        await Assert.ThrowsAsync<ProblemException>(() => engine.StartAsync(launch, "/run/a", Cancel));
        await Assert.ThrowsAsync<ProblemException>(() => engine.FindAsync("/run/a", Guid.Empty, Cancel));
        await using var found = await engine.FindAsync("/run/a", launch.Uuid, Cancel);
        Assert.Equal(MachinePhase.Running, await found!.PhaseAsync(Cancel));
        await found.QuitAsync(Cancel);
        Assert.Equal("host-qmp-quit", (await guest.WaitForExitAsync(Cancel)).Reason);
        Assert.False(engine.IsAlive("/run/a"));
        await Assert.ThrowsAsync<ProblemException>(() => guest.PhaseAsync(Cancel));
    }

    [Fact]
    public async Task Start_ScriptedToFail_LeavesNothing()
    {
        var engine = new FakeEngine { OnStart = (_, _, _) => throw new ProblemException(ProblemKind.Failed, "no") };
        await Assert.ThrowsAsync<ProblemException>(() => engine.StartAsync(Launches.Plain(), "/run/a", Cancel));
        Assert.False(engine.IsAlive("/run/a"));
    }

    [Fact]
    public async Task Memory_SavedAndLoaded_GoesOn()
    {
        var file = Path.GetTempFileName();
        try
        {
            var engine = new FakeEngine();
            await using var first = (FakeGuest)await engine.StartAsync(Launches.Plain(), "/run/a", Cancel);
            first.Machine.Memory = "state";
            await first.SaveMemoryAsync(file, cancellationToken: Cancel);
            await using var second = (FakeGuest)await engine.StartAsync(
                Launches.Plain() with { Incoming = true }, "/run/b", Cancel);
            await second.LoadMemoryAsync(file, cancellationToken: Cancel);
            Assert.Equal("state", second.Machine.Memory);
            Assert.Equal(["load-memory"], second.Machine.Actions);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
