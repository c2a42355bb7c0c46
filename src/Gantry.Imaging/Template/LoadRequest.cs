using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>What is to be read, and the values that come from outside of it.</summary>
public sealed record LoadRequest
{
    /// <summary>A template file, or a folder whose <c>*.pkr.hcl</c> files are one template.</summary>
    public required string Path { get; init; }

    /// <summary><c>-var name=text</c> and <c>-var-file</c>, in the order of the command line.</summary>
    public ImmutableArray<VariableArgument> Variables { get; init; } = [];

    /// <summary>Globs over build names; empty takes all.</summary>
    public ImmutableArray<string> Only { get; init; } = [];

    public ImmutableArray<string> Except { get; init; } = [];

    /// <summary>The host's environment, for <c>PKR_VAR_</c> and the function <c>env</c>.</summary>
    public required Func<string, string?> Environment { get; init; }

    public required IEnumerable<string> EnvironmentNames { get; init; }

    /// <summary>What <c>timestamp()</c> and its kind read: one moment for the whole template.</summary>
    public required TimeProvider Time { get; init; }

    public required IEntropy Entropy { get; init; }

    /// <summary>The time and the random values of an earlier reading; null takes new ones.</summary>
    public FrozenValues? Frozen { get; init; }
}

/// <summary>One argument about variables.</summary>
public abstract record VariableArgument
{
    private VariableArgument()
    {
    }

    public sealed record Value(string Name, string Text) : VariableArgument;

    public sealed record File(string Path) : VariableArgument;
}

/// <summary>A template file as it was understood.</summary>
public sealed record LoadedTemplate
{
    /// <summary>Empty when there are errors.</summary>
    public required ImmutableArray<BuildDefinition> Builds { get; init; }

    public required DiagnosticBag Diagnostics { get; init; }

    /// <summary>Values that must not be shown.</summary>
    public required ImmutableArray<string> Secrets { get; init; }

    /// <summary>The input variables, in the order of their declaration.</summary>
    public ImmutableArray<TemplateValue> Variables { get; init; } = [];

    /// <summary>The local values, in the order of their declaration.</summary>
    public ImmutableArray<TemplateValue> Locals { get; init; } = [];
}

/// <summary>A named value of a template, to be shown.</summary>
/// <param name="Text">As HCL writes it; a word instead where it is sensitive.</param>
public sealed record TemplateValue(string Name, string Text, bool Sensitive);
