using System.Collections.Immutable;

namespace Gantry.Imaging.BootCommand;

/// <summary>
/// A boot command that was read: what to do, and what is wrong with it. One with errors must not be run.
/// </summary>
public sealed class BootCommandScript
{
    /// <summary>A boot command is typed by hand; more than this is a mistake.</summary>
    private const int MaxLength = 256 * 1024;

    private BootCommandScript(ImmutableArray<BootAction> actions, ImmutableArray<BootDiagnostic> diagnostics)
    {
        Actions = actions;
        Diagnostics = diagnostics;
    }

    public ImmutableArray<BootAction> Actions { get; }

    public ImmutableArray<BootDiagnostic> Diagnostics { get; }

    public bool HasErrors => Diagnostics.Any(d => d.IsError);

    /// <summary>
    /// Reads a list of strings, which Packer joins without anything between. First the template in them is
    /// rendered, then the keys are read, so that a value can hold keys too (as in Packer).
    /// </summary>
    public static BootCommandScript Parse(
        IReadOnlyList<string> strings, TemplateScope scope, BootCommandOptions? options = null)
    {
        var places = new BootPlaces(strings);
        if (places.Text.Length > MaxLength)
        {
            return new([], [new(true, new(1, 1),
                $"a boot command has at most {MaxLength} characters, this one has {places.Text.Length}")]);
        }
        try
        {
            var rendered = GoTemplate.Render(places.Text, scope);
            var parser = new BootCommandParser(
                rendered.Text, o => places.At(rendered.SourceOffset(o)), options ?? new BootCommandOptions());
            parser.Run();
            return new(parser.Actions, parser.Diagnostics);
        }
        catch (GoTemplateException e)
        {
            return new([], [new(true, places.At(e.Offset), e.Message)]);
        }
    }
}

/// <summary>The joined strings of a boot command, and the way back from an offset to a string.</summary>
internal sealed class BootPlaces(IReadOnlyList<string> strings)
{
    public string Text { get; } = string.Concat(strings);

    public BootPosition At(int offset)
    {
        for (var i = 0; i < strings.Count; i++)
        {
            if (offset < strings[i].Length || i == strings.Count - 1)
            {
                var before = strings[i].AsSpan(0, Math.Min(offset, strings[i].Length));
                return new(i + 1, Characters(before) + 1);
            }
            offset -= strings[i].Length;
        }
        return new(1, 1);
    }

    private static int Characters(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }
}
