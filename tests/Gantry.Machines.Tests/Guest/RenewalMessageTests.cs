using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Machines.Tests.Guest;

public sealed class RenewalMessageTests
{
    [Fact]
    public void Message_HoldsTheTimeToTheTick_AndRandomBits()
    {
        var message = RenewalMessage.Now(new Counting(), new Fixed(DateTimeOffset.UnixEpoch.AddSeconds(0x0102030405).AddTicks(1_234_567)));
        Assert.Equal(
            "0504030201000000" + "bccc5b0700000000" + "00010000" + "20000000"
                + Convert.ToHexStringLower([.. Enumerable.Range(0, 32).Select(i => (byte)i)]),
            Convert.ToHexStringLower(message));
    }

    [Fact]
    public async Task Input_IsMadeWhenTheProgramIsReady_AndOnlyOnce()
    {
        var time = new Fixed(DateTimeOffset.UnixEpoch);
        await using var input = new RenewalInput(new Counting(), time);
        var buffer = new byte[1024];
        var reading = input.ReadAsync(buffer, TestContext.Current.CancellationToken);
        Assert.False(reading.IsCompleted);
        time.Now = DateTimeOffset.UnixEpoch.AddSeconds(7);
        input.Ready();
        Assert.Equal(RenewalMessage.Length, await reading);
        Assert.Equal(7, buffer[0]);
        Assert.Equal(0, await input.ReadAsync(buffer, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Input_OfAProgramThatNeverWasReady_LetsItsReaderGo()
    {
        var input = new RenewalInput(new Counting(), TimeProvider.System);
        var reading = input.ReadAsync(new byte[1024], TestContext.Current.CancellationToken);
        await input.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
    }

    private sealed class Counting : IEntropy
    {
        public void Fill(Span<byte> destination)
        {
            for (var i = 0; i < destination.Length; i++)
                destination[i] = (byte)i;
        }
    }

    private sealed class Fixed(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
