using System.Collections;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Diagnostics;

/// <summary>
/// Collects diagnostics in the order in which they were found. Keeps at most <see cref="Capacity"/> of them,
/// so that a hostile source cannot make it grow; not safe for use by several threads.
/// </summary>
public sealed class DiagnosticBag : IReadOnlyList<Diagnostic>
{
    /// <summary>Most diagnostics kept; later ones only count for <see cref="HasErrors"/>.</summary>
    public const int Capacity = 200;

    private readonly List<Diagnostic> _items = [];

    /// <summary>Whether an error was added.</summary>
    public bool HasErrors { get; private set; }

    /// <inheritdoc/>
    public int Count => _items.Count;

    /// <inheritdoc/>
    public Diagnostic this[int index] => _items[index];

    /// <summary>Adds a diagnostic.</summary>
    public void Add(Diagnostic diagnostic)
    {
        HasErrors |= diagnostic.Severity == DiagnosticSeverity.Error;
        if (_items.Count < Capacity)
            _items.Add(diagnostic);
    }

    /// <summary>Adds all diagnostics of another bag.</summary>
    public void AddRange(IEnumerable<Diagnostic> diagnostics)
    {
        foreach (var diagnostic in diagnostics)
            Add(diagnostic);
    }

    /// <summary>Adds an error.</summary>
    public void Error(SourceSpan? span, string summary, string detail = "", params RelatedLocation[] related) =>
        Add(new Diagnostic
        {
            Severity = DiagnosticSeverity.Error,
            Summary = summary,
            Detail = detail,
            Span = span,
            Related = [.. related],
        });

    /// <summary>Adds a warning.</summary>
    public void Warning(SourceSpan? span, string summary, string detail = "") =>
        Add(new Diagnostic
        {
            Severity = DiagnosticSeverity.Warning,
            Summary = summary,
            Detail = detail,
            Span = span,
        });

    /// <inheritdoc/>
    public IEnumerator<Diagnostic> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
