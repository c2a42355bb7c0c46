using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Lists, sets, maps and their fixed kin: what takes elements out or asks about them.</summary>
internal static class CollectionFunctions
{
    public static IEnumerable<HclFunction> All =>
    [
        Function(
            "alltrue",
            Bool,
            call => HclValue.Bool(call[0].AsItems().All(item => !item.IsNull && item.AsBool())),
            Of("list", HclType.List(Bool))),
        Function(
            "anytrue",
            Bool,
            call => HclValue.Bool(call[0].AsItems().Any(item => !item.IsNull && item.AsBool())),
            Of("list", HclType.List(Bool))),
        Variadic(
            "coalesce",
            Any,
            new FunctionParameter("vals", Any) { AllowsNull = true, AllowsUnknown = true, AllowsUnknownInside = true },
            Coalesce),
        Variadic(
            "coalescelist",
            Any,
            new FunctionParameter("vals", Any) { AllowsNull = true, AllowsUnknownInside = true },
            CoalesceList),
        Function("compact", Texts, call => call[0].AsItems().Where(item => !item.IsNull).Select(item => item.AsString()).Where(text => text.Length > 0).ToTexts(), Of("list", Texts)),
        Function("contains", Bool, Contains, Open("list"), Open("value")),
        Function("element", Any, Element, Open("list"), Of("index", Number)),
        Function("index", Number, Index, Of("list", Any), Of("value", Any)),
        Function("keys", Any, Keys, Open("inputMap")),
        Function("length", Number, Length, Open("value")),
        Variadic(
            "lookup",
            Any,
            new FunctionParameter("default", Any) { AllowsNull = true, AllowsUnknownInside = true },
            Lookup,
            Open("inputMap"),
            Of("key", Text)),
        Function("values", Any, Values, Open("mapping")),
    ];

    /// <summary>The elements of a list, set or tuple.</summary>
    internal static IReadOnlyList<HclValue> Sequence(FunctionCall call, int index) =>
        call[index].Type.IsSequence
            ? call[index].AsItems()
            : throw new HclException(
                index, $"a list, set or tuple is required, but this is a {call[index].Type.FriendlyName}");

    /// <summary>The elements of a map or object by name.</summary>
    internal static IReadOnlyDictionary<string, HclValue> Keyed(FunctionCall call, int index) =>
        call[index].Type.IsKeyed
            ? call[index].AsEntries()
            : throw new HclException(
                index, $"a map or object is required, but this is a {call[index].Type.FriendlyName}");

    private static HclValue Coalesce(FunctionCall call)
    {
        if (call.Arguments.IsEmpty)
            throw new HclException("give one argument or more");
        var type = HclConversion.Unify(
            call.Arguments.Where(value => value.Type != Any || !value.IsNull).Select(value => value.Type))
            ?? throw new HclException("the types of the arguments do not agree");
        foreach (var argument in call.Arguments)
        {
            var value = HclConversion.Convert(argument, type);
            if (!value.IsKnown)
                return HclValue.Unknown(type);
            if (!value.IsNull && !(value.Type == Text && value.AsString().Length == 0))
                return value;
        }
        throw new HclException("every argument is null or empty");
    }

    private static HclValue CoalesceList(FunctionCall call)
    {
        for (var i = 0; i < call.Arguments.Length; i++)
        {
            if (!call[i].IsNull && Sequence(call, i).Count > 0)
                return call[i];
        }
        throw new HclException("every list is null or empty");
    }

    private static HclValue Contains(FunctionCall call)
    {
        var isOpen = false;
        foreach (var item in Sequence(call, 0))
        {
            switch (Operators.AreEqual(item, call[1]))
            {
                case true:
                    return HclValue.True;
                case null:
                    isOpen = true;
                    break;
                default:
                    break;
            }
        }
        return isOpen ? HclValue.Unknown(Bool) : HclValue.False;
    }

    private static HclValue Element(FunctionCall call)
    {
        var items = Sequence(call, 0);
        if (items.Count == 0)
            throw new HclException(0, "an empty list has no elements to choose from");
        var index = call.Integer(1) % items.Count;
        return items[index < 0 ? index + items.Count : index];
    }

    private static HclValue Index(FunctionCall call)
    {
        var items = Sequence(call, 0);
        if (items.Count == 0)
            throw new HclException(0, "the list is empty, so nothing is found in it");
        for (var i = 0; i < items.Count; i++)
        {
            if (Operators.AreEqual(items[i], call[1]) == true)
                return HclValue.Number(i);
        }
        throw new HclException(1, "the list does not hold this value");
    }

    private static HclValue Keys(FunctionCall call)
    {
        var keys = Keyed(call, 0).Keys;
        return call[0].Type.Kind == HclTypeKind.Map ? keys.ToTexts() : HclValue.Tuple(keys.Select(HclValue.String));
    }

    private static HclValue Values(FunctionCall call)
    {
        var values = Keyed(call, 0).Values;
        return call[0].Type.Kind == HclTypeKind.Map ? HclValue.List(call[0].Type.ElementType, values) : HclValue.Tuple(values);
    }

    private static HclValue Length(FunctionCall call)
    {
        var value = call[0];
        if (value.Type == Text)
            return HclValue.Number(StringFunctions.Count(value.AsString()));
        if (!value.Type.IsSequence && !value.Type.IsKeyed)
            throw new HclException(0, $"a collection or text is required, but this is a {value.Type.FriendlyName}");
        // Two unknown elements of a set may turn out to be one.
        return value.Type.Kind == HclTypeKind.Set && !value.IsWhollyKnown && value.Length > 1
            ? HclValue.Unknown(Number)
            : HclValue.Number(value.Length);
    }

    private static HclValue Lookup(FunctionCall call)
    {
        if (call.Arguments.Length > 3)
            throw new HclException("lookup takes a map, a key, and one default value");
        if (Keyed(call, 0).TryGetValue(call.Text(1), out var value))
            return value;
        if (call.Arguments.Length < 3)
            throw new HclException(
                $"lookup failed to find key {ValueText.Quote(call.Text(1))}, and no default value was given");
        return call[0].Type.Kind == HclTypeKind.Map ? HclConversion.Convert(call[2], call[0].Type.ElementType) : call[2];
    }
}
