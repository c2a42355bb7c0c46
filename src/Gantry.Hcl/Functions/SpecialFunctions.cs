using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Functions;

/// <summary>Functions that get their arguments as expressions.</summary>
internal static class SpecialFunctions
{
    public static IEnumerable<HclFunction> All =>
    [
        HclFunction.CreateSpecial("can", 1, 1, HclType.Bool, Can),
        HclFunction.CreateSpecial("try", 1, int.MaxValue, HclType.Any, Try),
        HclFunction.CreateSpecial("convert", 2, 2, HclType.Any, Convert),
    ];

    private static HclValue Can(SpecialCall call)
    {
        if (!call.TryEvaluate(0, new DiagnosticBag(), out var value))
            return HclValue.False;
        // Whether an unknown value can be used is not known before it is known.
        return value.IsWhollyKnown ? HclValue.True.WithMarks(value.AllMarks()) : HclValue.Unknown(HclType.Bool);
    }

    private static HclValue Try(SpecialCall call)
    {
        var problems = new List<string>();
        for (var i = 0; i < call.Arguments.Length; i++)
        {
            var diagnostics = new DiagnosticBag();
            if (call.TryEvaluate(i, diagnostics, out var value))
                return value.IsWhollyKnown ? value : HclValue.UnknownOfAnyType.WithMarks(value.AllMarks());
            problems.Add($"{diagnostics[0].Summary} at {diagnostics[0].Span}");
        }
        throw new HclException(
            $"no expression succeeded: {string.Join("; ", problems)}. At least one expression must produce a "
                + "successful result");
    }

    private static HclValue Convert(SpecialCall call)
    {
        var problems = new DiagnosticBag();
        var type = HclTypeExpression.Read(call.Arguments[1], problems);
        call.Diagnostics.AddRange(problems);
        var value = call.Evaluate(0);
        if (problems.HasErrors)
            return HclValue.UnknownOfAnyType;
        return HclConversion.TryConvert(value, type, out var converted, out var error)
            ? converted
            : throw new HclException($"cannot convert to {type.FriendlyName}: {error}");
    }
}
