using System.Text;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Machines.Tests.Guest;

public sealed class OpenSshShellTests(OpenSshFixture fixture) : GuestShellTests, IClassFixture<OpenSshFixture>
{
    protected override GuestShell Shell => fixture.Shell;

    protected override SshServer Server => fixture.Server;
}

public sealed class DropbearShellTests(DropbearFixture fixture) : GuestShellTests, IClassFixture<DropbearFixture>
{
    protected override GuestShell Shell => fixture.Shell;

    protected override SshServer Server => fixture.Server;
}

/// <summary>What must hold with any server.</summary>
public abstract class GuestShellTests
{
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract GuestShell Shell { get; }

    protected abstract SshServer Server { get; }

    [Theory]
    [InlineData("true", 0)]
    [InlineData("false", 1)]
    [InlineData("exit 255", 255)]
    [InlineData("no-such-command-here", 127)]
    public async Task Execute_Ends_WithItsExitCode(string command, int code) =>
        Assert.Equal(new ExitStatus.Exited(code), (await Shell.RunAsync(command, Token)).Status);

    [Fact]
    public async Task Execute_KilledBySignal_NamesIt()
    {
        var result = await Shell.RunAsync("kill -TERM $$", Token);
        Assert.Equal(new ExitStatus.Signaled("TERM"), result.Status);
        Assert.False(result.Status.IsSuccess);
    }

    [Fact]
    public async Task Execute_TwoOutputs_KeepTheirKindsAndLines()
    {
        var lines = new List<OutputLine>();
        var command = new GuestCommand { Text = "printf 'a\\r\\n\\nb'; printf 'x\\ny\\n' >&2" };
        Assert.True((await Shell.ExecuteAsync(command, lines.Add, Token)).IsSuccess);
        Assert.Equal(["a", "", "b"], lines.Where(l => l.Kind == OutputKind.Standard).Select(l => l.Text));
        Assert.Equal(["x", "y"], lines.Where(l => l.Kind == OutputKind.Error).Select(l => l.Text));
    }

    [Fact]
    public async Task Execute_LineComesBeforeTheEnd()
    {
        var seen = new TaskCompletionSource();
        var input = new System.IO.Pipelines.Pipe();
        var command = new GuestCommand { Text = "echo first; read x; echo got $x", Input = input.Reader.AsStream() };
        var lines = new List<string>();
        var running = Shell.ExecuteAsync(
            command,
            line =>
            {
                lines.Add(line.Text);
                seen.TrySetResult();
            },
            Token);
        await seen.Task.WaitAsync(Token);
        Assert.False(running.IsCompleted);
        await input.Writer.WriteAsync("hello\n"u8.ToArray(), Token);
        await input.Writer.CompleteAsync();
        Assert.True((await running).IsSuccess);
        Assert.Equal(["first", "got hello"], lines);
    }

    [Fact]
    public async Task Execute_Environment_ReachesTheCommandAsItIs()
    {
        var value = "it's $HOME \"and\" \\ `x`\nsecond ☃";
        var command = new GuestCommand
        {
            Text = "printf '%s' \"$GANTRY_TEST\"; printf '|%s' \"$OTHER\"",
            Environment = [new("GANTRY_TEST", value), new("OTHER", "")],
        };
        var lines = new List<string>();
        await Shell.ExecuteAsync(command, line => lines.Add(line.Text), Token);
        Assert.Equal(value + "|", string.Join('\n', lines));
    }

    [Fact]
    public async Task Execute_NoInput_IsClosedAtOnce() =>
        Assert.Equal("0\n", (await Shell.RunAsync("cat | wc -c", Token)).Output);

    [Fact]
    public async Task Execute_BigInput_ComesBackWhole()
    {
        var bytes = new byte[3 * 1024 * 1024];
        new Random(1).NextBytes(bytes);
        using var input = new MemoryStream(bytes);
        var command = new GuestCommand { Text = "sha256sum", Input = input };
        var lines = new List<string>();
        await Shell.ExecuteAsync(command, line => lines.Add(line.Text), Token);
        Assert.StartsWith(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), lines.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Execute_InputThatNobodyReads_DoesNotHang()
    {
        using var input = new MemoryStream(new byte[16 * 1024 * 1024]);
        var status = await Shell.ExecuteAsync(new GuestCommand { Text = "exit 3", Input = input }, null, Token);
        Assert.Equal(new ExitStatus.Exited(3), status);
    }

    /// <summary>Input that meets the end of its command costs dropbear the whole connection, unless it is held back.</summary>
    [Fact]
    public async Task Execute_ManyThatEndWhileTheyAreFed_KeepTheConnection()
    {
        for (var round = 0; round < 200; round++)
        {
            using var input = round % 2 == 0 ? null : new MemoryStream(new byte[round * 100]);
            var status = await Shell.ExecuteAsync(new GuestCommand { Text = "exit 4", Input = input }, null, Token);
            Assert.Equal(new ExitStatus.Exited(4), status);
        }
    }

    [Fact]
    public async Task Execute_BigOutput_LosesNothing()
    {
        var count = 0;
        long length = 0;
        var command = new GuestCommand { Text = "seq 1 400000" };
        await Shell.ExecuteAsync(
            command,
            line =>
            {
                count++;
                length += line.Text.Length + 1;
                Assert.Equal(count.ToString(System.Globalization.CultureInfo.InvariantCulture), line.Text);
            },
            Token);
        Assert.Equal(400_000, count);
        Assert.Equal(2_688_895, length);
    }

    [Fact]
    public async Task Execute_EndlessLineAndBadUtf8_AreCutAndReplaced()
    {
        var lines = new List<string>();
        var command = new GuestCommand { Text = "printf 'a\\377b\\n'; head -c 100000 /dev/zero | tr '\\0' x", MaxLineLength = 1000 };
        await Shell.ExecuteAsync(command, line => lines.Add(line.Text), Token);
        Assert.Equal("a\uFFFDb", lines[0]);
        Assert.Equal(101, lines.Count);
        Assert.All(lines.Skip(1), line => Assert.Equal(1000, line.Length));
    }

    [Fact]
    public async Task Execute_CallbackThrows_EndsWithThatFailure() =>
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => Shell.ExecuteAsync(
            new GuestCommand { Text = "echo x; sleep 600" }, _ => throw new InvalidTimeZoneException(), Token));

    [Fact]
    public async Task Execute_Cancelled_EndsSoonAndLeavesTheConnectionUsable()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = Shell.ExecuteAsync(new GuestCommand { Text = "echo up; sleep 30" }, _ => cancel.Cancel(), cancel.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(20), Token));
        Assert.Equal("next\n", (await Shell.RunAsync("echo next", Token)).Output);
    }

    [Fact]
    public async Task Execute_SeveralAtOnce_KeepApart()
    {
        var results = await Task.WhenAll(Enumerable.Range(1, 6).Select(i => Shell.RunAsync($"sleep 0.1; echo {i}; exit {i}", Token)));
        Assert.Equal(Enumerable.Range(1, 6), results.Select(r => ((ExitStatus.Exited)r.Status).Code));
        Assert.Equal(Enumerable.Range(1, 6).Select(i => $"{i}\n"), results.Select(r => r.Output));
    }

    [Fact]
    public async Task Execute_UnderATerminal_HasOneAndGivesTheCode()
    {
        var lines = new List<string>();
        var command = new GuestCommand
        {
            Text = "tty >/dev/null && echo terminal; echo error >&2; printf open; exit 7",
            Terminal = true,
            Environment = [new("A", "b c")],
        };
        var status = await Shell.ExecuteAsync(command, line => lines.Add(line.Text), Token);
        Assert.Equal(new ExitStatus.Exited(7), status);
        Assert.Equal(["terminal", "error", "open"], lines);
    }

    [Fact]
    public async Task Execute_UnderATerminal_TakesInput()
    {
        using var input = new MemoryStream("hello\n"u8.ToArray());
        var lines = new List<string>();
        var command = new GuestCommand { Text = "read x; echo got $x", Terminal = true, Input = input };
        Assert.True((await Shell.ExecuteAsync(command, line => lines.Add(line.Text), Token)).IsSuccess);
        Assert.Equal(["got hello"], lines);
    }

    [Fact]
    public async Task Execute_ServerDies_IsALostConnectionNotAnExitCode()
    {
        await using var server = this is DropbearShellTests
            ? await SshServer.StartDropbearAsync()
            : await SshServer.StartOpenSshAsync();
        await using var shell = await server.ConnectAsync();
        var status = await shell.ExecuteAsync(
            new GuestCommand { Text = "echo up; sleep 600" }, _ => server.Kill(), Token);
        Assert.IsType<ExitStatus.Disconnected>(status);
        Assert.False(shell.IsConnected);
        Assert.IsType<ExitStatus.Disconnected>((await shell.RunAsync("true", Token)).Status);
    }

    [Fact]
    public async Task Execute_BadVariableName_IsRefused()
    {
        var command = new GuestCommand { Text = "true", Environment = [new("A B", "x")] };
        var e = await Assert.ThrowsAsync<ProblemException>(() => Shell.ExecuteAsync(command, null, Token));
        Assert.Equal(ProblemKind.InvalidInput, e.Problem.Kind);
    }

    [Fact]
    public async Task Terminal_TypedTo_AnswersAndKnowsItsSize()
    {
        await using var terminal = await Shell.OpenTerminalAsync("xterm", 91, 33, Token);
        terminal.Resize(92, 34);
        using var input = new MemoryStream("stty size; exit\n"u8.ToArray());
        using var output = new MemoryStream();
        await terminal.AttachAsync(input, output, Token);
        Assert.Contains("34 92", Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal);
        Assert.True(terminal.Closed.IsCompleted);
    }
}
