using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Gantry.Model.Machines;

/// <summary>A machine's number, 100 and up, unique in its cluster and never given twice at the same time.</summary>
[JsonConverter(typeof(MachineNumberConverter))]
public readonly record struct MachineNumber(int Value) : IComparable<MachineNumber>
{
    /// <summary>Numbers below it are left free, as Proxmox VE leaves them.</summary>
    public const int First = 100;

    public const int Last = 999_999_999;

    public int CompareTo(MachineNumber other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    public static bool TryParse(string text, out MachineNumber number)
    {
        var ok = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value is >= First and <= Last;
        number = new MachineNumber(value);
        return ok;
    }

    public static bool operator <(MachineNumber left, MachineNumber right) => left.Value < right.Value;

    public static bool operator <=(MachineNumber left, MachineNumber right) => left.Value <= right.Value;

    public static bool operator >(MachineNumber left, MachineNumber right) => left.Value > right.Value;

    public static bool operator >=(MachineNumber left, MachineNumber right) => left.Value >= right.Value;
}

/// <summary>A machine number is a bare number in JSON.</summary>
public sealed class MachineNumberConverter : JsonConverter<MachineNumber>
{
    public override MachineNumber Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, MachineNumber value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Value);
}

/// <summary>
/// Names of machines, templates and snapshots: 1 to 63 of lower-case letters, digits and hyphens, beginning and ending
/// with a letter or digit, not only digits (those are numbers). A machine's name is also its guest's host name
/// (RFC 1123).
/// </summary>
public static partial class Names
{
    public const int MaxLength = 63;

    public static bool IsValid(string name) =>
        Pattern().IsMatch(name) && !OnlyDigits().IsMatch(name);

    /// <summary>Throws a problem that says what a name may be.</summary>
    public static string Check(string name, string what) =>
        IsValid(name)
            ? name
            : throw new ProblemException(
                ProblemKind.InvalidInput,
                $"'{name}' can't be the name of a {what}",
                "use 1 to 63 lower-case letters, digits and hyphens, at least one of them no digit, "
                    + "beginning and ending with a letter or digit");

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z")]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\A[0-9]+\z")]
    private static partial Regex OnlyDigits();
}
