using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gantry.EndToEnd.Builds;

/// <summary>A program that runs beside the test, with what it says.</summary>
internal sealed partial class ChildProcess : IDisposable
{
    private const int Interrupt = 2;

    private readonly Process _process;
    private readonly List<string> _said = [];
    private Action<string>? _heard;

    public ChildProcess(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Hear(e.Data);
        _process.ErrorDataReceived += (_, e) => Hear(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Said
    {
        get
        {
            lock (_said)
                return string.Join('\n', _said);
        }
    }

    public TextWriter Input => _process.StandardInput;

    /// <summary>Waits until it has said something; fails when it ends without.</summary>
    public async Task WaitForAsync(string text, CancellationToken cancellationToken)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_said)
        {
            _heard = line =>
            {
                if (line.Contains(text, StringComparison.Ordinal))
                    heard.TrySetResult();
            };
            _said.ForEach(_heard);
        }

        var first = await Task.WhenAny(heard.Task, _process.WaitForExitAsync(cancellationToken))
            .WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System, cancellationToken);
        Assert.True(first == heard.Task, $"it ended without saying '{text}':\n{Said}");
    }

    /// <summary>The exit code, when it has ended and all that it said is here.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TimeProvider.System, cancellationToken);
        return _process.ExitCode;
    }

    public bool HasExited => _process.HasExited;

    /// <summary>SIGKILL, to it alone.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>What Ctrl-C sends.</summary>
    public void InterruptIt() => Assert.Equal(0, kill(_process.Id, Interrupt));

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
            return;
        lock (_said)
        {
            _said.Add(line);
            _heard?.Invoke(line);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
