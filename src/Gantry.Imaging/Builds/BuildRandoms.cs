using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.Builds;

/// <summary>
/// What is random or accidental in one run of a build: its key, its ports. A build that goes on from a layer takes over
/// what that layer's guest was told.
/// </summary>
public sealed class BuildRandoms
{
    /// <summary>The host as QEMU's user-mode network shows it to the guest.</summary>
    public const string HostSeenByGuest = "10.0.2.2";

    public required string BuildId { get; init; }

    public required string RunUuid { get; init; }

    /// <summary>In OpenSSH's format; null when the template gives a password or a key of its own.</summary>
    public string? PrivateKey { get; init; }

    public string? PublicKey { get; init; }

    /// <summary>Of the HTTP server; 0 when there is none.</summary>
    public int HttpPort { get; set; }

    /// <summary>The host's port that leads to the guest's communicator.</summary>
    public int CommunicatorPort { get; set; }

    public static BuildRandoms Create(BuildDefinition definition, IEntropy entropy)
    {
        var id = entropy.NewHex(4);
        var needsKey = NeedsKey(definition.Source.Communicator);
        var pair = needsKey ? SshKeyPair.Generate($"gantry-build-{id}") : null;
        return new BuildRandoms
        {
            BuildId = id,
            RunUuid = entropy.NewUuid().ToString(),
            PrivateKey = pair?.PrivateKey,
            PublicKey = pair?.PublicKey,
        };
    }

    /// <summary>The same as the build that made the layer had, but for what its guest never saw.</summary>
    public static BuildRandoms From(LayerRecord layer, string? privateKey, IEntropy entropy) => new()
    {
        BuildId = entropy.NewHex(4),
        RunUuid = entropy.NewUuid().ToString(),
        PrivateKey = privateKey,
        PublicKey = layer.Random.SshPublicKey,
        HttpPort = layer.Random.HttpPort,
    };

    /// <summary>A build makes a key when its template names no other way in.</summary>
    public static bool NeedsKey(CommunicatorOptions communicator) =>
        communicator is { Kind: CommunicatorKind.Ssh, Password: null, PrivateKeyFile: null };

    /// <summary>What a boot command and a kernel's arguments may refer to.</summary>
    public Dictionary<string, string> BootFields(QemuSource source) => new()
    {
        ["HTTPIP"] = HostSeenByGuest,
        ["HTTPPort"] = HttpPort.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["Name"] = source.Output.MachineName,
        ["SSHPublicKey"] = PublicKey ?? "",
    };

    public BuildVariables Variables(CommunicatorOptions communicator) => new()
    {
        Id = BuildId,
        Host = communicator.Host ?? "127.0.0.1",
        Port = CommunicatorPort.ToString(System.Globalization.CultureInfo.InvariantCulture),
        User = communicator.User,
        Password = communicator.Password ?? "",
        ConnType = communicator.Kind == CommunicatorKind.Ssh ? "ssh" : "none",
        SshPublicKey = PublicKey ?? "",
        SshPrivateKey = PrivateKey ?? "",
        RunUuid = RunUuid,
        HttpAddress = HttpPort == 0 ? "" : $"{HostSeenByGuest}:{HttpPort}",
        HttpIp = HttpPort == 0 ? "" : HostSeenByGuest,
        HttpPort = HttpPort == 0 ? "" : HttpPort.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}
