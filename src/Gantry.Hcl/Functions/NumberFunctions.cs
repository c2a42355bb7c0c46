using System.Numerics;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Arithmetic.</summary>
internal static class NumberFunctions
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    public static IEnumerable<HclFunction> All =>
    [
        Function("abs", Number, call => HclValue.Number(call[0].AsNumber().Abs()), Of("num", Number)),
        Function("ceil", Number, call => HclValue.Number(call[0].AsNumber().Ceiling()), Of("num", Number)),
        Function("floor", Number, call => HclValue.Number(call[0].AsNumber().Floor()), Of("num", Number)),
        Function("log", Number, Log, Of("num", Number), Of("base", Number)),
        Variadic("max", Number, Of("numbers", Number), call => Best(call, (a, b) => a > b)),
        Variadic("min", Number, Of("numbers", Number), call => Best(call, (a, b) => a < b)),
        Function("parseint", Number, ParseInteger, Of("number", Text), Of("base", Number)),
        Function("pow", Number, Power, Of("num", Number), Of("power", Number)),
        Function("signum", Number, call => HclValue.Number(call[0].AsNumber().Sign), Of("num", Number)),
        Function("sum", Number, Sum, Of("list", Any)),
        Variadic("range", HclType.List(Number), Of("params", Number), Range),
    ];

    private static HclValue Best(FunctionCall call, Func<HclNumber, HclNumber, bool> isBetter)
    {
        if (call.Arguments.IsEmpty)
            throw new HclException("give one number or more");
        var best = call[0];
        foreach (var next in call.Arguments)
            best = isBetter(next.AsNumber(), best.AsNumber()) ? next : best;
        return best;
    }

    private static HclValue Log(FunctionCall call) =>
        HclValue.Number(
            HclNumber.FromDouble(Math.Log(call[0].AsNumber().ToDouble()) / Math.Log(call[1].AsNumber().ToDouble())));

    private static HclValue Power(FunctionCall call) =>
        HclValue.Number(HclNumber.FromDouble(Math.Pow(call[0].AsNumber().ToDouble(), call[1].AsNumber().ToDouble())));

    private static HclValue ParseInteger(FunctionCall call)
    {
        var numberBase = call.Integer(1);
        if (numberBase is < 2 or > 62)
            throw new HclException(1, "the base must be a whole number from 2 to 62");
        var text = call.Text(0);
        var digits = text.StartsWith('-') || text.StartsWith('+') ? text[1..] : text;
        if (digits.Length is 0 or > 1000)
            throw Fault();
        var result = BigInteger.Zero;
        foreach (var c in digits)
        {
            // Up to base 36 the case of letters does not matter, above it does.
            var digit = Digits.IndexOf(numberBase <= 36 ? char.ToLowerInvariant(c) : c);
            if (digit < 0 || digit >= numberBase)
                throw Fault();
            result = (result * numberBase) + digit;
        }
        return HclValue.Number(HclNumber.FromInteger(text.StartsWith('-') ? -result : result));

        HclException Fault() => new(0, $"cannot parse {ValueText.Quote(text)} as a base {numberBase} integer");
    }

    private static HclValue Sum(FunctionCall call)
    {
        if (!call[0].Type.IsSequence)
            throw new HclException(
                0, $"a list, set or tuple of numbers is expected, found {call[0].Type.FriendlyName}");
        var items = call[0].AsItems();
        if (items.IsEmpty)
            throw new HclException(0, "there is nothing to add up: the list is empty");
        var sum = HclNumber.Zero;
        foreach (var item in items)
        {
            if (item.IsNull || !HclConversion.TryConvert(item, Number, out var number, out _))
                throw new HclException(0, "each element must be a number");
            sum += number.AsNumber();
        }
        return HclValue.Number(sum);
    }

    private static HclValue Range(FunctionCall call)
    {
        if (call.Arguments.Length is < 1 or > 3)
            throw new HclException("range takes one to three arguments");
        var numbers = call.Arguments.Select(argument => argument.AsNumber()).ToList();
        var start = numbers.Count == 1 ? HclNumber.Zero : numbers[0];
        var end = numbers.Count == 1 ? numbers[0] : numbers[1];
        var goesDown = end < start;
        var step = numbers.Count == 3 ? numbers[2] : goesDown ? -1 : 1;
        if (step.Sign == 0)
            throw new HclException(2, "a step of zero never ends");
        if (numbers.Count == 3 && start != end && goesDown != (step.Sign < 0))
            throw new HclException(
                goesDown ? "to go down, the step must be below zero" : "to go up, the step must be above zero");
        var items = new List<HclValue>();
        for (var number = start; goesDown ? number > end : number < end; number += step)
        {
            if (items.Count >= call.Scope.Limits.MaxRange)
                throw new HclException(
                    $"more than {call.Scope.Limits.MaxRange} values were generated; either decrease the "
                        + "difference between start and end or use a smaller step");
            items.Add(HclValue.Number(number));
        }
        return HclValue.List(Number, items);
    }
}
