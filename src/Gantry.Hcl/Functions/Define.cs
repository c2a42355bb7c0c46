using Gantry.Hcl.Values;

namespace Gantry.Hcl.Functions;

/// <summary>Short forms to write tables of functions with.</summary>
internal static class Define
{
    public static readonly HclType Text = HclType.String;
    public static readonly HclType Number = HclType.Number;
    public static readonly HclType Bool = HclType.Bool;
    public static readonly HclType Any = HclType.Any;
    public static readonly HclType Texts = HclType.List(HclType.String);
    public static readonly HclType AnyList = HclType.List(HclType.Any);

    public static FunctionParameter Of(string name, HclType type) => new(name, type);

    /// <summary>A parameter whose argument may hold something unknown.</summary>
    public static FunctionParameter Open(string name, HclType? type = null) =>
        new(name, type ?? HclType.Any) { AllowsUnknownInside = true };

    public static HclFunction Function(
        string name, HclType result, Func<FunctionCall, HclValue> body, params FunctionParameter[] parameters) =>
        new(name, parameters, result, body);

    public static HclFunction Variadic(
        string name, HclType result, FunctionParameter rest, Func<FunctionCall, HclValue> body, params FunctionParameter[] parameters) =>
        new(name, parameters, result, body, rest);

    public static HclValue ToValue(this string text) => HclValue.String(text);

    public static HclValue ToTexts(this IEnumerable<string> texts) =>
        HclValue.List(HclType.String, texts.Select(HclValue.String));

    /// <summary>Builds a text under the limit of texts, however much is appended.</summary>
    public static void CheckLength(long length)
    {
        if (length > HclLimits.Default.MaxStringLength)
            throw new HclException($"the result would be longer than {HclLimits.Default.MaxStringLength} characters");
    }
}
