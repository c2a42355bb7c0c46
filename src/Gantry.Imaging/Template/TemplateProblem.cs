using Gantry.Hcl.Diagnostics;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>A template's errors as one problem for a person: each with its place, its line and a caret.</summary>
public static class TemplateProblem
{
    public static ProblemException Of(DiagnosticBag diagnostics, bool color = false)
    {
        // What a build block gets wrong is found once for each of its sources.
        var different = diagnostics.DistinctBy(one => (one.Span?.ToString(), one.Summary, one.Detail)).ToList();
        var errors = different.Count(one => one.Severity == DiagnosticSeverity.Error);
        return new ProblemException(
            ProblemKind.InvalidInput,
            errors == 1 ? "the template has an error" : $"the template has {errors} errors",
            detail: new DiagnosticRenderer { UsesColor = color }.Render(different));
    }
}
