using System.Collections.Frozen;

namespace Gantry.Imaging.BootCommand;

/// <summary>What a <see cref="GoTemplate"/> may refer to.</summary>
public sealed record TemplateScope
{
    /// <summary>Fields such as <c>HTTPIP</c>, for <c>{{ .HTTPIP }}</c>.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>User variables, for <c>{{ user `x` }}</c>.</summary>
    public IReadOnlyDictionary<string, string> UserVariables { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>What is known of the running build, for <c>{{ build `ID` }}</c>.</summary>
    public IReadOnlyDictionary<string, string> Build { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Gives environment variables, for <c>{{ env `X` }}</c>; null forbids them.</summary>
    public Func<string, string?>? Environment { get; init; }

    /// <summary>
    /// The build's own moment, for <c>timestamp</c> and <c>isotime</c>: the same all through a build.
    /// </summary>
    public DateTimeOffset Started { get; init; } = DateTimeOffset.UnixEpoch;

    public string BuildName { get; init; } = "";

    public string BuildType { get; init; } = "";

    /// <summary>The folder of the template file.</summary>
    public string TemplateFolder { get; init; } = "";

    /// <summary>The folder that the program was started in.</summary>
    public string WorkingFolder { get; init; } = "";

    /// <summary>The version of Packer whose behaviour is given.</summary>
    public string PackerVersion { get; init; } = "";
}
