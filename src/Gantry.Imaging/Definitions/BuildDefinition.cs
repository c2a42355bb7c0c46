using System.Text.Json.Serialization;
using Gantry.Model;

namespace Gantry.Imaging.Definitions;

/// <summary>One build of a template file: one source with what is done to it.</summary>
public sealed record BuildDefinition
{
    /// <summary>As Packer names it: <c>qemu.mini</c>, or <c>name.qemu.mini</c> in a named build block.</summary>
    public required string Name { get; init; }

    /// <summary>Of the build block, or empty.</summary>
    public string BlockName { get; init; } = "";

    public required QemuSource Source { get; init; }

    public ValueList<ProvisionerDefinition> Provisioners { get; init; } = [];

    /// <summary>Run when a provisioner failed, before cleaning up.</summary>
    public ProvisionerDefinition? ErrorCleanup { get; init; }

    /// <summary>The folder of the template: what it names relative to itself lies there, wherever that is.</summary>
    public string Folder { get; init; } = "";

    /// <summary>The values that this reading of the template was given.</summary>
    public FrozenValues Frozen { get; init; } = FrozenValues.Canonical;

    /// <summary>Reads the same template with other values; null where it can't be read again.</summary>
    public Func<FrozenValues, BuildDefinition?>? Reload { get; init; }

    /// <summary>This build as it is with other values; itself where the template can't be read again.</summary>
    public BuildDefinition With(FrozenValues values) => Reload?.Invoke(values) ?? this;

    /// <summary>Chains: within one, each works on what the one before it made.</summary>
    public ValueList<ValueList<PostProcessorDefinition>> PostProcessors { get; init; } = [];
}

/// <summary>
/// What is known of a build only while it runs, by the names that templates use (<c>build.Host</c>). In a cache key
/// each stands as its own name, because what is random for a build must not make each build differ from the last.
/// </summary>
public sealed record BuildVariables
{
    public required string Id { get; init; }

    public required string Host { get; init; }

    public required string Port { get; init; }

    public required string User { get; init; }

    public required string Password { get; init; }

    public required string ConnType { get; init; }

    public required string SshPublicKey { get; init; }

    public required string SshPrivateKey { get; init; }

    public required string RunUuid { get; init; }

    public required string HttpAddress { get; init; }

    public required string HttpIp { get; init; }

    public required string HttpPort { get; init; }

    /// <summary>Each value replaced by a word for it.</summary>
    public static BuildVariables Placeholders { get; } = new()
    {
        Id = "<build.ID>",
        Host = "<build.Host>",
        Port = "0",
        User = "<build.User>",
        Password = "<build.Password>",
        ConnType = "ssh",
        SshPublicKey = "<build.SSHPublicKey>",
        SshPrivateKey = "<build.SSHPrivateKey>",
        RunUuid = "<build.PackerRunUUID>",
        HttpAddress = "<build.PackerHTTPAddr>",
        HttpIp = "<build.PackerHTTPIP>",
        HttpPort = "0",
    };
}

/// <summary>A provisioner with its meta-arguments; its own options are evaluated when it is its turn.</summary>
public sealed record ProvisionerDefinition
{
    /// <summary>shell, file, shell-local, ...</summary>
    public required string Type { get; init; }

    /// <summary>What a person calls it: the <c>name</c> meta-argument, or its type and number.</summary>
    public required string Label { get; init; }

    public TimeSpan PauseBefore { get; init; }

    public int MaxRetries { get; init; }

    /// <summary>null for no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    public bool ContinueOnError { get; init; }

    /// <summary>Evaluates the options with what is known of the build. The same values give the same options.</summary>
    public required Func<BuildVariables, ProvisionerOptions> Options { get; init; }
}

[JsonDerivedType(typeof(Shell), "shell")]
[JsonDerivedType(typeof(File), "file")]
[JsonDerivedType(typeof(ShellLocal), "shell-local")]
[JsonDerivedType(typeof(Sleep), "sleep")]
[JsonDerivedType(typeof(Breakpoint), "breakpoint")]
public abstract record ProvisionerOptions
{
    private ProvisionerOptions()
    {
    }

    /// <summary>Scripts run in the guest.</summary>
    public sealed record Shell : ProvisionerOptions
    {
        public ValueList<string> Inline { get; init; } = [];

        public string InlineShebang { get; init; } = "/bin/sh -e";

        /// <summary>Absolute paths on the host, run in turn.</summary>
        public ValueList<string> Scripts { get; init; } = [];

        public ValueList<EnvironmentVariable> Environment { get; init; } = [];

        /// <summary>Packer's template with <c>{{.Vars}}</c> and <c>{{.Path}}</c>.</summary>
        public string ExecuteCommand { get; init; } = "chmod +x {{.Path}}; {{.Vars}} {{.Path}}";

        public string RemoteFolder { get; init; } = "/tmp";

        public string? RemotePath { get; init; }

        public bool SkipClean { get; init; }

        /// <summary>The script may cut the connection, for example by a reboot.</summary>
        public bool ExpectDisconnect { get; init; }

        public TimeSpan StartRetryTimeout { get; init; } = TimeSpan.FromMinutes(5);

        public TimeSpan PauseAfter { get; init; }

        public ValueList<int> ValidExitCodes { get; init; } = [0];

        /// <summary>Scripts are sent as they are, without changing line ends.</summary>
        public bool Binary { get; init; }

        /// <summary>Ours: the script reaches for the network, so <c>max_age</c> bounds its layer.</summary>
        public bool UsesNetwork { get; init; }
    }

    /// <summary>Files copied into the guest, or out of it.</summary>
    public sealed record File : ProvisionerOptions
    {
        /// <summary>Absolute paths on the host (upload) or paths in the guest (download).</summary>
        public ValueList<string> Sources { get; init; } = [];

        public string? Content { get; init; }

        public required string Destination { get; init; }

        public bool Download { get; init; }

        /// <summary>The source is made by an earlier step, so it need not exist when the template is checked.</summary>
        public bool Generated { get; init; }
    }

    /// <summary>Commands run on the host.</summary>
    public sealed record ShellLocal : ProvisionerOptions
    {
        public ValueList<string> Inline { get; init; } = [];

        public string InlineShebang { get; init; } = "/bin/sh -e";

        public ValueList<string> Scripts { get; init; } = [];

        public ValueList<EnvironmentVariable> Environment { get; init; } = [];

        public ValueList<string> ExecuteCommand { get; init; } = [];

        public ValueList<int> ValidExitCodes { get; init; } = [0];

        /// <summary>
        /// Ours: files that decide what it does. Declared, the step may be left out when none has changed.
        /// </summary>
        public ValueList<string>? Inputs { get; init; }
    }

    /// <summary>Waits.</summary>
    public sealed record Sleep(TimeSpan Duration) : ProvisionerOptions;

    /// <summary>Waits for a person.</summary>
    public sealed record Breakpoint(string Note, bool Disabled) : ProvisionerOptions;
}

public sealed record EnvironmentVariable(string Name, string Value);

/// <summary>A post-processor with its meta-arguments; its own options are evaluated when it is its turn.</summary>
public sealed record PostProcessorDefinition
{
    public required string Type { get; init; }

    public required string Label { get; init; }

    public bool? KeepInputArtifact { get; init; }

    public required Func<BuildVariables, PostProcessorOptions> Options { get; init; }
}

public abstract record PostProcessorOptions
{
    private PostProcessorOptions()
    {
    }

    public sealed record Manifest : PostProcessorOptions
    {
        public string Output { get; init; } = "packer-manifest.json";

        public bool StripPath { get; init; }

        public bool StripTime { get; init; }

        public ValueList<EnvironmentVariable> CustomData { get; init; } = [];
    }

    public sealed record Checksum : PostProcessorOptions
    {
        public ValueList<string> Types { get; init; } = ["md5"];

        /// <summary>
        /// A template with <c>{{.BuildName}}</c>, <c>{{.BuilderType}}</c> and <c>{{.ChecksumType}}</c>.
        /// </summary>
        public string Output { get; init; } = "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum";
    }

    public sealed record ShellLocal(ProvisionerOptions.ShellLocal Options) : PostProcessorOptions;
}
