using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.Model;

namespace Gantry.App.Tests.Fakes;

internal sealed class FakeTerminal : ITerminal
{
    public StringWriter OutText { get; } = new() { NewLine = "\n" };

    public StringWriter ErrorText { get; } = new() { NewLine = "\n" };

    public TextReader In { get; init; } = TextReader.Null;

    public TextWriter Out => OutText;

    public IOException? OutFailure { get; init; }

    public TextWriter Error => ErrorText;

    public bool InIsTerminal { get; init; }

    public bool OutIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    public int? Width { get; set; }
}

internal static class Contexts
{
    /// <summary>A context that touches nothing of the host.</summary>
    public static CommandContext With(
        FakeTerminal terminal, Dictionary<string, string>? environment = null, TimeProvider? time = null,
        string crashFolder = "/nonexistent", INameSource? names = null) => new()
        {
            Terminal = terminal,
            Time = time ?? new ManualTime(),
            Entropy = SystemEntropy.Instance,
            Environment = name => (environment ?? []).GetValueOrDefault(name),
            CrashFolder = () => crashFolder,
            Names = names ?? NoNames.Instance,
        };
}
