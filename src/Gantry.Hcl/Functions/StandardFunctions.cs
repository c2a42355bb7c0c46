using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>
/// The functions of Packer's templates, but for those that ask other services (<c>aws_secretsmanager</c>,
/// <c>aws_secretsmanager_raw</c>, <c>vault</c>, <c>consul_key</c>) and for <c>bcrypt</c> and <c>rsadecrypt</c>;
/// a caller can add these with <see cref="FunctionRegistry.With"/>.
/// </summary>
public static class StandardFunctions
{
    /// <summary>All of them over the given services.</summary>
    public static FunctionRegistry Create(FunctionServices services) => FunctionRegistry.Empty.With(
    [
        .. NumberFunctions.All,
        .. StringFunctions.All,
        .. CollectionFunctions.All,
        .. CollectionMakers.All,
        .. SpecialFunctions.All,
        .. RegexFunctions.All,
        .. FormatFunctions.All,
        .. JsonFunctions.All,
        .. YamlFunctions.All,
        .. CsvFunctions.All,
        .. EncodingFunctions.All,
        .. AddressFunctions.All,
        .. IdentityFunctions.All(services),
        .. TimeFunctions.All(services),
        .. FileFunctions.All(services),
    ]);

    /// <summary>
    /// The function <c>env</c>, which Packer allows in the defaults of variables only; a missing variable is empty.
    /// </summary>
    public static HclFunction Env(Func<string, string?> lookup) =>
        Function("env", Text, call => (lookup(call.Text(0)) ?? "").ToValue(), Of("key", Text));
}
