namespace Gantry.Hcl.Values;

/// <summary>A total order of values, by which sets are kept and gone through.</summary>
internal static class ValueOrder
{
    /// <summary>Numbers by value, texts by code unit, everything else by kind and then element by element.</summary>
    public static int Compare(HclValue a, HclValue b)
    {
        if (ReferenceEquals(a, b))
            return 0;
        var order = Rank(a).CompareTo(Rank(b));
        if (order != 0 || a.IsNull || !a.IsKnown)
            return order;
        order = a.Type.Kind.CompareTo(b.Type.Kind);
        if (order != 0)
            return order;
        return a.Type.Kind switch
        {
            HclTypeKind.String => string.CompareOrdinal(a.AsString(), b.AsString()),
            HclTypeKind.Number => a.AsNumber().CompareTo(b.AsNumber()),
            HclTypeKind.Bool => a.AsBool().CompareTo(b.AsBool()),
            HclTypeKind.Map or HclTypeKind.Object => CompareEntries(a, b),
            _ => CompareItems(a, b),
        };
    }

    // Known values first, then null, then what is not known.
    private static int Rank(HclValue value) => value.IsNull ? 1 : value.IsKnown ? 0 : 2;

    private static int CompareItems(HclValue a, HclValue b)
    {
        foreach (var (x, y) in a.AsItems().Zip(b.AsItems()))
        {
            if (Compare(x, y) is not 0 and var order)
                return order;
        }
        return a.Length.CompareTo(b.Length);
    }

    private static int CompareEntries(HclValue a, HclValue b)
    {
        foreach (var (x, y) in a.AsEntries().Zip(b.AsEntries()))
        {
            if (string.CompareOrdinal(x.Key, y.Key) is not 0 and var keys)
                return keys;
            if (Compare(x.Value, y.Value) is not 0 and var order)
                return order;
        }
        return a.Length.CompareTo(b.Length);
    }
}
