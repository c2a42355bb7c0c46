using System.Collections.Immutable;
using Gantry.Hcl.Syntax;

namespace Gantry.Hcl.Values;

/// <summary>Converts values between types, as go-cty does.</summary>
public static class HclConversion
{
    /// <summary>
    /// Converts a value to a type: between texts and other primitives, sequences to lists and sets, objects to maps
    /// and back, element by element. Where the type holds <see cref="HclType.Any"/>, one type that fits all elements
    /// is found. Optional attributes of object types get their defaults.
    /// </summary>
    /// <exception cref="HclException">The value does not fit; the message says where in it and why.</exception>
    public static HclValue Convert(HclValue value, HclType type) => new Converter().Convert(value, type);

    /// <summary>Converts a value to a type; false where it does not fit.</summary>
    public static bool TryConvert(HclValue value, HclType type, out HclValue result, out string error)
    {
        try
        {
            (result, error) = (Convert(value, type), "");
            return true;
        }
        catch (HclException exception)
        {
            (result, error) = (HclValue.Unknown(type), exception.Message);
            return false;
        }
    }

    /// <summary>The one type to which values of all the types given can be converted, or null if there is none.</summary>
    public static HclType? Unify(IEnumerable<HclType> types)
    {
        var all = types.Distinct().ToList();
        if (all.Count == 0 || all.Contains(HclType.Any))
            return HclType.Any;
        if (all.Count == 1)
            return all[0];
        if (all.All(type => type.IsPrimitive))
            return all.Contains(HclType.String) ? HclType.String : null;
        if (all.All(type => type.IsKeyed))
            return UnifyKeyed(all);
        return all.All(type => type.IsSequence) ? UnifySequences(all) : null;
    }

    private static HclType? UnifyKeyed(List<HclType> types)
    {
        var first = types[0];
        if (types.All(
            type => type.Kind == HclTypeKind.Object && type.Attributes.Keys.SequenceEqual(first.Attributes.Keys)))
        {
            var attributes = new List<KeyValuePair<string, HclType>>();
            foreach (var name in first.Attributes.Keys)
            {
                if (Unify(types.Select(type => type.Attributes[name].Type)) is not { } attribute)
                    return null;
                attributes.Add(new(name, attribute));
            }
            return HclType.Object(attributes);
        }
        var element = Unify(types.SelectMany(type =>
            type.Kind == HclTypeKind.Map ? [type.ElementType] : type.Attributes.Values.Select(attribute =>
                attribute.Type)));
        return element is null ? null : HclType.Map(element);
    }

    private static HclType? UnifySequences(List<HclType> types)
    {
        if (types.All(
            type => type.Kind == HclTypeKind.Tuple && type.ElementTypes.Length == types[0].ElementTypes.Length))
        {
            var elements = new List<HclType>();
            for (var i = 0; i < types[0].ElementTypes.Length; i++)
            {
                if (Unify(types.Select(type => type.ElementTypes[i])) is not { } each)
                    return null;
                elements.Add(each);
            }
            return HclType.Tuple(elements);
        }
        var element = Unify(
            types.SelectMany(type => type.IsCollection ? [type.ElementType] : type.ElementTypes.AsEnumerable()));
        if (element is null)
            return null;
        // A list keeps what order and repetition there is; only sets alone stay a set.
        return types.All(type => type.Kind == HclTypeKind.Set) ? HclType.Set(element) : HclType.List(element);
    }

    // Carries the path to the element at hand, for the message.
    private sealed class Converter
    {
        private readonly List<string> _path = [];

        public HclValue Convert(HclValue value, HclType type)
        {
            if (type == HclType.Any || (value.Type == type && !type.HasAny && !type.HasOptional))
                return value;
            return ConvertUnmarked(value, type).WithMarks(value.Marks);
        }

        private HclValue ConvertUnmarked(HclValue value, HclType type)
        {
            if (value.IsNull)
                return HclValue.Null(type);
            if (!value.IsKnown)
            {
                if (!IsConvertible(value.Type, type))
                    throw Mismatch(value.Type, type);
                return HclValue.Unknown(type.HasAny && type.Kind == value.Type.Kind ? value.Type : type);
            }
            return type.Kind switch
            {
                HclTypeKind.String => ToText(value),
                HclTypeKind.Number => ToNumber(value),
                HclTypeKind.Bool => ToBool(value),
                HclTypeKind.List or HclTypeKind.Set when value.Type.IsSequence => ToSequence(value, type),
                HclTypeKind.Map when value.Type.IsKeyed => ToMap(value, type),
                HclTypeKind.Tuple when value.Type.Kind == HclTypeKind.Tuple => ToTuple(value, type),
                HclTypeKind.Object when value.Type.IsKeyed => ToObject(value, type),
                _ => throw Mismatch(value.Type, type),
            };
        }

        private HclValue ToText(HclValue value) => value.Type.Kind switch
        {
            HclTypeKind.String => value,
            HclTypeKind.Number => HclValue.String(value.AsNumber().ToString()),
            HclTypeKind.Bool => HclValue.String(value.AsBool() ? "true" : "false"),
            _ => throw Mismatch(value.Type, HclType.String),
        };

        private HclValue ToNumber(HclValue value)
        {
            if (value.Type.Kind == HclTypeKind.Number)
                return value;
            if (value.Type.Kind == HclTypeKind.String && HclNumber.TryParse(value.AsString(), out var number))
                return HclValue.Number(number);
            throw Mismatch(value.Type, HclType.Number);
        }

        private HclValue ToBool(HclValue value)
        {
            if (value.Type.Kind == HclTypeKind.Bool)
                return value;
            if (value.Type.Kind != HclTypeKind.String)
                throw Mismatch(value.Type, HclType.Bool);
            return value.AsString() switch
            {
                "true" or "1" => HclValue.True,
                "false" or "0" => HclValue.False,
                "True" or "TRUE" => throw Fault("a bool is required; to convert from string, use lowercase \"true\""),
                "False" or "FALSE" => throw Fault(
                    "a bool is required; to convert from string, use lowercase \"false\""),
                _ => throw Mismatch(value.Type, HclType.Bool),
            };
        }

        private HclValue ToSequence(HclValue value, HclType type)
        {
            var items = new List<HclValue>();
            foreach (var item in value.AsItems())
                items.Add(Within($"[{items.Count}]", item, type.ElementType));
            var element = Settle(items, type, "all elements must have the same type, or types that convert to one");
            return type.Kind == HclTypeKind.List ? HclValue.List(element, items) : HclValue.Set(element, items);
        }

        private HclValue ToMap(HclValue value, HclType type)
        {
            var names = value.AsEntries().Keys.ToList();
            var items = names.Select(name => Within(Step(name), value.AsEntries()[name], type.ElementType)).ToList();
            var element = Settle(items, type, "all map elements must have the same type, or types that convert to one");
            return HclValue.Map(element, names.Zip(items, KeyValuePair.Create));
        }

        // Where the type leaves its elements' type open, finds one for all and converts them to it.
        private HclType Settle(List<HclValue> items, HclType type, string error)
        {
            var wanted = type.ElementType.WithoutOptional();
            if (!wanted.HasAny || items.Count == 0)
                return wanted;
            var element = Unify(items.Select(item => item.Type)) ?? throw Fault(error);
            for (var i = 0; i < items.Count; i++)
                items[i] = Convert(items[i], element);
            return items.All(item => item.Type == element) ? element : HclType.Any;
        }

        private HclValue ToTuple(HclValue value, HclType type)
        {
            var items = value.AsItems();
            if (items.Length != type.ElementTypes.Length)
                throw Fault($"a tuple of {type.ElementTypes.Length} elements is required, but this has {items.Length}");
            return HclValue.Tuple(items.Select((item, i) => Within($"[{i}]", item, type.ElementTypes[i])).ToList());
        }

        private HclValue ToObject(HclValue value, HclType type)
        {
            var entries = value.AsEntries();
            var missing = type.Attributes
                .Where(pair => !pair.Value.IsOptional && !entries.ContainsKey(pair.Key))
                .Select(pair => $"\"{pair.Key}\"")
                .ToList();
            if (missing.Count > 0)
                throw Fault($"attribute{(missing.Count == 1 ? "" : "s")} {string.Join(", ", missing)} required");
            var result = ImmutableSortedDictionary.CreateBuilder<string, HclValue>(StringComparer.Ordinal);
            foreach (var (name, attribute) in type.Attributes)
            {
                if (entries.TryGetValue(name, out var given) && !(attribute.IsOptional && given.IsNull))
                    result[name] = Within(Step(name), given, attribute.Type);
                else
                    result[name] = attribute.Default ?? HclValue.Null(attribute.Type);
            }
            return HclValue.Object(result);
        }

        private static string Step(string name) =>
            Identifiers.IsValid(name) ? $".{name}" : $"[{ValueText.Quote(name)}]";

        private HclValue Within(string step, HclValue value, HclType type)
        {
            _path.Add(step);
            var result = Convert(value, type);
            _path.RemoveAt(_path.Count - 1);
            return result;
        }

        private HclException Mismatch(HclType found, HclType wanted)
        {
            var article = wanted.Kind == HclTypeKind.Object ? "an" : "a";
            return Fault(
                $"{article} {wanted.FriendlyName} is required, but this is {Article(found)}{found.FriendlyName}");
        }

        private static string Article(HclType found) => found.Kind switch
        {
            HclTypeKind.Any => "",
            HclTypeKind.Object => "an ",
            _ => "a ",
        };

        private HclException Fault(string message) => new(
            _path.Count == 0 ? message : $"at {string.Concat(_path)}: {message}");

        // Whether some value of one type might fit the other; what is in a text is not known yet.
        private static bool IsConvertible(HclType from, HclType to)
        {
            if (from == HclType.Any || to == HclType.Any || from == to)
                return true;
            return to.Kind switch
            {
                HclTypeKind.String => from.IsPrimitive,
                HclTypeKind.Number or HclTypeKind.Bool => from.Kind == HclTypeKind.String,
                HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Tuple => from.IsSequence,
                _ => from.IsKeyed,
            };
        }
    }
}
