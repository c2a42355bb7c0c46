using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.App.Progress;
using Gantry.Model;
using Gantry.Storage;

namespace Gantry.App.Commands;

/// <summary>What commands are given: the outside world, each part of it replaceable in a test.</summary>
internal sealed class CommandContext
{
    public required ITerminal Terminal { get; init; }

    public required TimeProvider Time { get; init; }

    public required IEntropy Entropy { get; init; }

    public required Func<string, string?> Environment { get; init; }

    /// <summary>Where reports of crashes go; asked only when one is written, and need not exist yet.</summary>
    public required Func<string> CrashFolder { get; init; }

    /// <summary>Names for shell completion; asked only when a shell asks.</summary>
    public INameSource Names { get; init; } = NoNames.Instance;

    /// <summary>This user's node, opened for one command.</summary>
    /// <param name="repair">Put right what a crash left first; commands that only read go without.</param>
    /// <param name="cancellationToken">Stops.</param>
    public Task<GantryNode> OpenNodeAsync(bool repair, CancellationToken cancellationToken) =>
        GantryNode.OpenAsync(DataFolders.FromEnvironment(), Time, Entropy, repair, cancellationToken);

    public TextStyle OutStyle => TextStyle.For(Terminal.OutIsTerminal, Environment);

    public TextStyle ErrorStyle => TextStyle.For(Terminal.ErrorIsTerminal, Environment);

    public IOutput Output => new TerminalOutput(Terminal);

    /// <summary>A new view on standard error; the caller disposes it before it writes a result.</summary>
    public IProgressView StartProgress()
    {
        var style = ErrorStyle;
        IProgressView view = style.Redraw
            ? new LiveProgressView(Terminal, style, Time)
            : new PlainProgressView(Terminal.Error, Time);
        CurrentView = view;
        return view;
    }

    /// <summary>The view that was started last; it is told when the process must end at once.</summary>
    public IProgressView? CurrentView { get; private set; }
}

/// <summary>The names that a shell can complete.</summary>
internal interface INameSource
{
    IEnumerable<string> Machines();

    IEnumerable<string> Templates();

    /// <summary>Of all machines: the shell's line is not known where names are asked for.</summary>
    IEnumerable<string> Snapshots() => [];
}

internal sealed class NoNames : INameSource
{
    public static NoNames Instance { get; } = new();

    public IEnumerable<string> Machines() => [];

    public IEnumerable<string> Templates() => [];
}
