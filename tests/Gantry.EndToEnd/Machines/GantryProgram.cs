using System.Diagnostics;

namespace Gantry.EndToEnd.Machines;

/// <summary>The real program, in processes of its own, with a home of its own.</summary>
internal sealed class GantryProgram(string home)
{
    /// <summary>On a busy machine with an emulated guest; what hangs must not hang the tests.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Set for each command, besides what all have.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public static string Path => System.IO.Path.Combine(AppContext.BaseDirectory, "gantry");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Runs a command that must succeed; gives its output.</summary>
    public async Task<string> OkAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.True(code == 0, $"gantry {string.Join(' ', arguments)} exited with {code}:\n{output}{error}");
        return output;
    }

    public Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(arguments, input: "");

    public Task<(int Code, string Output, string Error)> RunAsync(string[] arguments, string input) =>
        StartAsync(Path, arguments, async writer => await writer.WriteAsync(input));

    /// <summary>
    /// Runs a command under a pseudo-terminal (script(1)); what is typed comes piece by piece, each once the output shows
    /// the text before it.
    /// </summary>
    public Task<(int Code, string Output, string Error)> InTerminalAsync(
        string command, params (string After, string Typed)[] script) =>
        StartAsync("/usr/bin/script", ["-qefc", $"{Path} {command}", "/dev/null"], typing: null, script);

    /// <summary>Starts a command that goes on; the caller reads what it says, and ends it.</summary>
    public Process Start(params string[] arguments) => Start(Path, arguments);

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GANTRY_HOME"] = home;
        start.Environment["TERM"] = "xterm";
        start.Environment["NO_COLOR"] = "1";
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private async Task<(int Code, string Output, string Error)> StartAsync(
        string program, string[] arguments, Func<StreamWriter, Task>? typing, (string After, string Typed)[]? script = null)
    {
        using var process = Start(program, arguments);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Limit);
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            if (typing is not null)
            {
                await typing(process.StandardInput);
                process.StandardInput.Close();
            }

            var output = script is null
                ? await process.StandardOutput.ReadToEndAsync(limit.Token)
                : await TalkAsync(process, script, limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: false);
            throw;
        }
    }

    private static async Task<string> TalkAsync(Process process, (string After, string Typed)[] script, CancellationToken cancellationToken)
    {
        var seen = "";
        var next = 0;
        var buffer = new char[4096];
        int count;
        while ((count = await process.StandardOutput.ReadAsync(buffer, cancellationToken)) > 0)
        {
            seen += new string(buffer, 0, count);
            while (next < script.Length && seen.Contains(script[next].After, StringComparison.Ordinal))
            {
                await process.StandardInput.WriteAsync(script[next++].Typed);
                await process.StandardInput.FlushAsync(cancellationToken);
            }
        }

        return seen;
    }
}
