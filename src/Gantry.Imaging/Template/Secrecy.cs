using Gantry.Hcl.Values;

namespace Gantry.Imaging.Template;

/// <summary>Finds the texts in a sensitive value that must not be shown.</summary>
internal static class Secrecy
{
    /// <summary>Every text and number within a value: a log may show any part of it.</summary>
    public static IEnumerable<string> TextsOf(HclValue value)
    {
        if (!value.IsKnown || value.IsNull)
            return [];
        if (value.Type == HclType.String)
            return [value.AsString()];
        if (value.Type == HclType.Number)
            return HclConversion.TryConvert(value, HclType.String, out var text, out _) ? [text.AsString()] : [];
        if (value.Type.IsKeyed)
            return value.AsEntries().SelectMany(entry => TextsOf(entry.Value));
        return value.Type == HclType.Bool ? [] : value.AsItems().SelectMany(TextsOf);
    }

    /// <summary>A value as it may be shown.</summary>
    public static TemplateValue Show(string name, HclValue value, bool sensitive)
    {
        sensitive |= value.IsSensitive;
        return new TemplateValue(name, sensitive ? "<sensitive>" : value.ToString() ?? "", sensitive);
    }
}
