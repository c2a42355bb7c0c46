using System.Globalization;
using System.Text.RegularExpressions;

namespace Gantry.Imaging.Template;

/// <summary>
/// A constraint on versions as templates write them: conditions joined by commas, each an operator (=, !=, &gt;, &gt;=,
/// &lt;, &lt;=, ~&gt;) before a version of up to three numbers. <c>~&gt; 1.7</c> takes 1.7 up to but without 2.0, and
/// <c>~&gt; 1.7.0</c> up to but without 1.8.0.
/// </summary>
internal sealed partial class VersionConstraint
{
    private readonly List<(string Operator, Version Version, int Parts)> _conditions = [];

    private VersionConstraint()
    {
    }

    /// <summary>Null when the text is no constraint.</summary>
    public static VersionConstraint? Parse(string text)
    {
        var constraint = new VersionConstraint();
        foreach (var part in text.Split(','))
        {
            var match = Condition().Match(part);
            if (!match.Success)
                return null;
            var numbers = match.Groups["version"].Value.Split('.');
            var values = new int[3];
            for (var i = 0; i < numbers.Length; i++)
            {
                if (!int.TryParse(numbers[i], NumberStyles.None, CultureInfo.InvariantCulture, out values[i]))
                    return null;
            }

            var version = new Version(values[0], values[1], values[2]);
            constraint._conditions.Add((match.Groups["operator"].Value, version, numbers.Length));
        }

        return constraint;
    }

    public bool Allows(Version version) => _conditions.All(condition => condition.Operator switch
    {
        "" or "=" => version == condition.Version,
        "!=" => version != condition.Version,
        ">" => version > condition.Version,
        ">=" => version >= condition.Version,
        "<" => version < condition.Version,
        "<=" => version <= condition.Version,
        _ => version >= condition.Version && version < Next(condition.Version, condition.Parts),
    });

    /// <summary>
    /// The first version that ~&gt; no longer takes: the last number but one that was written, plus one.
    /// </summary>
    private static Version Next(Version version, int parts) => parts switch
    {
        1 => new Version(int.MaxValue, 0, 0),
        2 => new Version(version.Major + 1, 0, 0),
        _ => new Version(version.Major, version.Minor + 1, 0),
    };

    [GeneratedRegex(@"^\s*(?<operator>=|!=|>=|<=|~>|>|<|)\s*v?(?<version>[0-9]+(\.[0-9]+){0,2})\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex Condition();
}
