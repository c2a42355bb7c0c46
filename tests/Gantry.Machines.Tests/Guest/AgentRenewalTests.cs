using Gantry.Machines.Guest;
using Gantry.Machines.Tests.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Tests.Guest;

public sealed class AgentRenewalTests
{
    private readonly FakeAgent _agent = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Agent_GetsTheProgram_AndThenTheMessageOfThatMoment()
    {
        var before = TimeProvider.System.GetUtcNow();
        Assert.True(await RenewAsync(Isa.X86_64));
        var after = TimeProvider.System.GetUtcNow();
        Assert.InRange(_agent.Clock!.Value, before, after);
        var (words, input) = _agent.Programs[0];
        Assert.Equal(["/bin/sh", "-c"], words[..2]);
        Assert.Equal(RenewalProgram.For(Isa.X86_64), input);
        var path = words[2].Split("cat > ")[1].Split(' ')[0];
        Assert.Matches("^/tmp/[.]gantry-[0-9a-f]{16}$", path);
        (words, input) = _agent.Programs[1];
        Assert.Equal(["/bin/sh", "-c", GuestRenewal.RunProgram(path)], words);
        Assert.Equal(RenewalMessage.Length, input.Length);
        Assert.InRange(BitConverter.ToInt64(input), _agent.Clock.Value.ToUnixTimeSeconds(), after.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task Isa_WithoutAProgram_IsRenewedByTheGuestsPerl()
    {
        Assert.True(await RenewAsync(Isa.Ppc64le));
        var (words, input) = _agent.Programs[0];
        Assert.Equal(["perl", "-e", RenewalProgram.Perl(Isa.Ppc64le)], words);
        Assert.Equal(RenewalMessage.Length, input.Length);
    }

    [Fact]
    public async Task Agent_WithoutAProgramForTheHardwareClock_RenewsAllTheSame()
    {
        _agent.Forbidden.Add("guest-set-time");
        Assert.True(await RenewAsync(Isa.X86_64));
        Assert.Equal(2, _agent.Programs.Count);
    }

    [Theory]
    [InlineData("guest-ping")]
    [InlineData("guest-exec")]
    [InlineData("guest-exec-status")]
    public async Task Agent_ThatIsNotThereOrRunsNoPrograms_IsNoWay(string forbidden)
    {
        _agent.Forbidden.Add(forbidden);
        Assert.False(await RenewAsync(Isa.X86_64));
    }

    [Fact]
    public async Task Program_ThatFails_IsNotTakenForARenewal()
    {
        _agent.ExitCode = 1;
        Assert.False(await RenewAsync(Isa.X86_64));
    }

    [Fact]
    public async Task Answers_ThatMakeNoSense_AreNoWay()
    {
        _agent.Nonsense = true;
        Assert.False(await RenewAsync(Isa.X86_64));
    }

    private async Task<bool> RenewAsync(Isa isa)
    {
        await using var world = await SnapshotWorld.MakeAsync(running: true);
        _agent.Serve(world.Running!);
        await using var guest = await world.Host.GetRunningAsync(await world.MachineAsync(), Token);
        return await AgentRenewal.RunAsync(guest, isa, SystemEntropy.Instance, TimeProvider.System, Token);
    }
}
