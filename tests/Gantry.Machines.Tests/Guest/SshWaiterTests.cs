using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Machines.Tests.Guest;

/// <summary>Every reason why one can't log in, each made by a real server or a real socket.</summary>
public sealed class SshWaiterTests(OpenSshFixture fixture) : IClassFixture<OpenSshFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Wait_ServerListens_LogsInAndShowsItsKey()
    {
        await using var shell = await fixture.Server.ConnectAsync();
        Assert.Equal(fixture.Server.HostKey, shell.HostKey);
        Assert.StartsWith("SSH-2.0-OpenSSH", shell.Server, StringComparison.Ordinal);
        Assert.True(shell.IsConnected);
    }

    [Fact]
    public async Task Wait_PortClosed_SaysSo()
    {
        var problem = await FailAsync(fixture.Server.Target with { Port = SshServer.FreePort() }, 0.5);
        Assert.Equal(ProblemKind.TimedOut, problem.Kind);
        Assert.Contains("refuses connections, the port is closed", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_NoAddress_SaysSo()
    {
        var e = await Assert.ThrowsAsync<ProblemException>(() => SshWaiter.WaitAsync(
            _ => ValueTask.FromResult<SshTarget?>(null), DateTimeOffset.UtcNow.AddSeconds(0.5), TimeProvider.System, null,
            Token));
        Assert.Contains("the guest has no address yet", e.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_NoRoute_SaysUnreachable()
    {
        // 240.0.0.0/4 is reserved; the kernel refuses it or nothing ever answers.
        var problem = await FailAsync(fixture.Server.Target with { Host = "240.0.0.1", SilenceLimit = TimeSpan.FromMilliseconds(100) }, 1.4);
        Assert.Contains("240.0.0.1:", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("can't be reached", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_AcceptsAndStaysSilent_SaysNothingListensInTheGuest()
    {
        await using var server = new FakeServer(async (socket, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return socket;
        });
        var target = fixture.Server.Target with { Port = server.Port, SilenceLimit = TimeSpan.FromMilliseconds(50) };
        var problem = await FailAsync(target, 0.6);
        Assert.Contains("stays silent: nothing listens on the guest's SSH port yet", problem.Summary, StringComparison.Ordinal);
        Assert.True(server.MostAtOnce <= 2, $"{server.MostAtOnce} half-open attempts at once");
        Assert.InRange(server.Accepted, 3, 14);
    }

    [Fact]
    public async Task Wait_AcceptsAndCloses_SaysNothingListensInTheGuest()
    {
        await using var server = new FakeServer((socket, _) => Task.FromResult(socket));
        var problem = await FailAsync(fixture.Server.Target with { Port = server.Port }, 1);
        Assert.Contains("closes them at once: nothing listens on the guest's SSH port yet", problem.Summary, StringComparison.Ordinal);
        Assert.InRange(server.Accepted, 2, 10);
    }

    [Fact]
    public async Task Wait_AnotherProtocol_SaysItIsNoSshServer()
    {
        await using var server = new FakeServer(async (socket, token) =>
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\n\r\n\0"), token);
            return socket;
        });
        // Long enough for one whole attempt beside tests that keep every thread busy.
        var problem = await FailAsync(fixture.Server.Target with { Port = server.Port }, 3);
        Assert.Contains("is no SSH server", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_NoCommonAlgorithm_ListsBothSides()
    {
        await using var server = await SshServer.StartOpenSshAsync("Ciphers aes128-ctr\nMACs umac-64@openssh.com");
        var problem = await FailAsync(server.Target with { HandshakeAttempts = 1 }, 30);
        Assert.Contains("the SSH handshake with", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("SSH-2.0-OpenSSH", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("umac-64@openssh.com", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("hmac-sha2-256", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_WrongKey_NamesUserAndWhatIsOffered()
    {
        var other = SshKeyPair.Generate("other");
        var problem = await FailAsync(fixture.Server.Target with { PrivateKey = other.PrivateKey, HandshakeAttempts = 1 }, 30);
        Assert.Equal(ProblemKind.Failed, problem.Kind);
        Assert.Contains($"refused to log in '{Environment.UserName}' (tried: publickey;", problem.Summary, StringComparison.Ordinal);
        Assert.Contains("offers: publickey, password", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_WrongPassword_NamesWhatWasTried()
    {
        var target = fixture.Server.Target with { PrivateKey = null, Password = "certainly not", HandshakeAttempts = 1 };
        var problem = await FailAsync(target, 30);
        Assert.Contains("tried: password", problem.Summary, StringComparison.Ordinal);
        Assert.DoesNotContain("certainly not", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_PasswordWhereOnlyKeysAreOffered_SaysNothingOfOursIsOffered()
    {
        await using var server = await SshServer.StartOpenSshAsync("PasswordAuthentication no\nKbdInteractiveAuthentication no");
        var problem = await FailAsync(server.Target with { PrivateKey = null, Password = "x", HandshakeAttempts = 1 }, 30);
        Assert.Contains("tried: nothing that the server offers; the server offers: publickey)", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_RightPassword_LogsIn()
    {
        await using var server = await SshServer.StartOpenSshAsync(rootPassword: "rezowifix");
        var target = server.Target with { User = "root", PrivateKey = null, Password = "rezowifix" };
        await using var shell = await WaitAsync(target, 20);
        Assert.True(shell.IsConnected);
    }

    [Fact]
    public async Task Wait_OtherHostKey_ShowsBothFingerprints()
    {
        Assert.True(SshHostKey.TryParse(SshKeyPair.Generate("x").PublicKey, out var other));
        var problem = await FailAsync(fixture.Server.Target with { ExpectedHostKey = other, HandshakeAttempts = 1 }, 30);
        Assert.Contains("another host key than expected", problem.Summary, StringComparison.Ordinal);
        Assert.Contains(other!.Fingerprint, problem.Summary, StringComparison.Ordinal);
        Assert.Contains(fixture.Server.HostKey.Fingerprint, problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_ExpectedHostKey_LogsIn()
    {
        Assert.True(SshHostKey.TryParse(fixture.Server.HostKey.Fingerprint, out var fingerprint));
        foreach (var key in new[] { fixture.Server.HostKey, fingerprint })
        {
            await using var shell = await WaitAsync(fixture.Server.Target with { ExpectedHostKey = key }, 10);
            Assert.True(shell.IsConnected);
        }
    }

    [Fact]
    public async Task Wait_HandshakeAttempts_EndsBeforeTheDeadline()
    {
        var target = fixture.Server.Target with { PrivateKey = SshKeyPair.Generate("x").PrivateKey, HandshakeAttempts = 1 };
        var problem = await FailAsync(target, 120);
        Assert.Contains("refused to log in", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wait_ServerComesUpLater_TellsEachChangeAndLogsIn()
    {
        var observations = new List<SshObservation>();
        SshServer? server = null;
        var asked = 0;
        await using var shell = await SshWaiter.WaitAsync(
            async _ =>
            {
                switch (++asked)
                {
                    case <= 2:
                        return null;
                    case <= 4:
                        return fixture.Server.Target with { Port = SshServer.FreePort() };
                    default:
                        server ??= await SshServer.StartOpenSshAsync();
                        return server.Target;
                }
            },
            DateTimeOffset.UtcNow.AddSeconds(20), TimeProvider.System, observations.Add, Token);
        Assert.Equal(
            [typeof(SshObservation.NoAddress), typeof(SshObservation.Refused), typeof(SshObservation.Connected)],
            observations.Select(o => o.GetType()));
        await shell.DisposeAsync();
        await server!.DisposeAsync();
    }

    [Fact]
    public async Task Wait_Cancelled_EndsAtOnceAsCancelled()
    {
        await using var server = new FakeServer(async (socket, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return socket;
        });
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = SshWaiter.WaitAsync(
            fixture.Server.Target with { Port = server.Port }, DateTimeOffset.UtcNow.AddMinutes(2), TimeProvider.System, null,
            cancel.Token);
        await server.FirstAccepted;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Wait_SeveralReasons_AreAllInTheDetail()
    {
        var asked = 0;
        var e = await Assert.ThrowsAsync<ProblemException>(() => SshWaiter.WaitAsync(
            _ => ValueTask.FromResult(++asked < 3 ? null : fixture.Server.Target with { Port = 1 }),
            DateTimeOffset.UtcNow.AddSeconds(1), TimeProvider.System, null, Token));
        Assert.Contains("has no address yet", e.Problem.Detail, StringComparison.Ordinal);
        Assert.Contains("the port is closed", e.Problem.Detail, StringComparison.Ordinal);
        Assert.Contains("the port is closed", e.Problem.Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not a key", "is no private key that can be used")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "is no private key")]
    public async Task Connect_BadPrivateKey_IsInvalidInput(string key, string expected)
    {
        var e = await Assert.ThrowsAsync<ProblemException>(() => GuestShell.ConnectAsync(
            fixture.Server.Target with { PrivateKey = key }, TimeProvider.System, Token));
        Assert.Equal(ProblemKind.InvalidInput, e.Problem.Kind);
        Assert.Contains(expected, e.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Target_AsText_HoldsNoSecret()
    {
        var text = (fixture.Server.Target with { Password = "s3cret" }).ToString();
        Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE", text, StringComparison.Ordinal);
    }

    private static Task<GuestShell> WaitAsync(SshTarget target, double seconds) => SshWaiter.WaitAsync(
        target, DateTimeOffset.UtcNow.AddSeconds(seconds), TimeProvider.System, null, Token);

    private static async Task<Problem> FailAsync(SshTarget target, double seconds) =>
        (await Assert.ThrowsAsync<ProblemException>(async () => await WaitAsync(target, seconds))).Problem;
}
