using System.Collections.Immutable;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Diagnostics;

/// <summary>How bad a diagnostic is.</summary>
public enum DiagnosticSeverity
{
    /// <summary>The input cannot be used.</summary>
    Error,

    /// <summary>The input can be used, but probably is not what was meant.</summary>
    Warning,
}

/// <summary>Another place that explains a diagnostic, such as the first of two definitions.</summary>
public sealed record RelatedLocation
{
    /// <summary>The place.</summary>
    public required SourceSpan Span { get; init; }

    /// <summary>What is there, without a full stop.</summary>
    public required string Message { get; init; }
}

/// <summary>One message about a source text.</summary>
public sealed record Diagnostic
{
    /// <summary>How bad it is.</summary>
    public required DiagnosticSeverity Severity { get; init; }

    /// <summary>What is wrong, in a few words without a full stop.</summary>
    public required string Summary { get; init; }

    /// <summary>What was expected, what was found and what to do, in full sentences; may be empty.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Where it is, or null for a message about no place in a source text.</summary>
    public SourceSpan? Span { get; init; }

    /// <summary>Other places that explain it; usually none.</summary>
    public ImmutableArray<RelatedLocation> Related { get; init; } = [];

    /// <summary>One line: <c>file:line:column: error: summary; detail</c>.</summary>
    public override string ToString()
    {
        var place = Span is { } span ? $"{span}: " : "";
        var severity = Severity == DiagnosticSeverity.Error ? "error" : "warning";
        return Detail.Length == 0 ? $"{place}{severity}: {Summary}" : $"{place}{severity}: {Summary}; {Detail}";
    }
}
