using System.Reflection;
using System.Text;

namespace Gantry.Hcl.Tests.Golden;

public sealed class PublicSurfaceTests
{
    [Fact]
    public void PublicSurface_ChangesOnlyOnPurpose()
    {
        var text = new StringBuilder();
        foreach (var type in typeof(HclLimits).Assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append($"{Kind(type)} {type.FullName}\n");
            if (type.IsEnum)
            {
                text.Append($"  {string.Join(", ", Enum.GetNames(type))}\n");
                continue;
            }
            const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var members = type.GetMembers(Declared).Where(IsWritten).Select(Signature).Order(StringComparer.Ordinal);
            foreach (var member in members)
                text.Append($"  {member}\n");
        }
        GoldenFile.Check("public-surface.golden", text.ToString());
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        _ => "class",
    };

    // Accessors are shown with their properties; what the compiler adds to records says nothing.
    private static bool IsWritten(MemberInfo member) => member switch
    {
        MethodInfo { IsSpecialName: true } method => method.Name.StartsWith("op_", StringComparison.Ordinal),
        MethodInfo method => method.Name is not ("Equals" or "GetHashCode" or "ToString" or "<Clone>$" or "Deconstruct" or "PrintMembers"),
        TypeInfo => false,
        _ => true,
    };

    private static string Signature(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        PropertyInfo property => $"{(property.GetMethod!.IsStatic ? "static " : "")}{Name(property.PropertyType)} {property.Name}{Accessors(property)}",
        FieldInfo field => $"{(field.IsLiteral ? "const " : "")}{Name(field.FieldType)} {field.Name}",
        _ => member.ToString()!,
    };

    private static string Accessors(PropertyInfo property) => property.SetMethod is { IsPublic: true } ? " { get; init; }" : " { get; }";

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"));

    private static string Name(Type type)
    {
        if (!type.IsGenericType)
            return type.Name;
        var name = type.Name[..type.Name.IndexOf('`')];
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
