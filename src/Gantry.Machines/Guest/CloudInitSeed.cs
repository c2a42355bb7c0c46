using System.Text;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

/// <summary>A file of a seed; the name has no folder.</summary>
public sealed record SeedFile(string Name, string Content);

/// <summary>
/// The files of cloud-init's NoCloud data source, which a guest finds on a CD with the label <c>cidata</c>. A pure
/// function: equal input gives equal files.
/// </summary>
public static class CloudInitSeed
{
    /// <summary>The label of the CD.</summary>
    public const string VolumeLabel = "cidata";

    /// <summary>In bytes of UTF-8, for user-data and network-config alike.</summary>
    public const int MaxFileSize = 1024 * 1024;

    /// <summary>Where the guest finds where it came from, beside the seed.</summary>
    public const string ProvenanceFile = "gantry.json";

    /// <summary>Makes meta-data, user-data, network-config and the provenance's file, in this order.</summary>
    /// <param name="settings">What the user asked for.</param>
    /// <param name="hostName">The guest's host name, which is the machine's name.</param>
    /// <param name="instanceId">cloud-init does its first-boot work again when it changes.</param>
    /// <param name="macs">The network cards' addresses in order: six bytes, with colons. Each gets DHCP.</param>
    /// <param name="provenanceJson">The text of gantry.json; null leaves the file out.</param>
    /// <exception cref="ProblemException">A given file is too large, or a user's name is none.</exception>
    public static ValueList<SeedFile> Files(
        CloudInit settings, string hostName, string instanceId, IReadOnlyList<string> macs, string? provenanceJson = null)
    {
        var files = new List<SeedFile>
        {
            new("meta-data", MetaData(settings, hostName, instanceId)),
            new("user-data", settings.UserData is { } own ? Checked("user-data", own) : UserData(settings, hostName)),
            new(
                "network-config",
                settings.NetworkConfig is { } network ? Checked("network-config", network) : NetworkConfig(macs)),
        };
        if (provenanceJson is not null)
            files.Add(new SeedFile(ProvenanceFile, provenanceJson));
        return files.ToValueList();
    }

    private static string MetaData(CloudInit settings, string hostName, string instanceId)
    {
        var text = new StringBuilder()
            .Append("instance-id: ").Append(YamlText.Quote(instanceId)).Append('\n')
            .Append("local-hostname: ").Append(YamlText.Quote(hostName)).Append('\n');
        // A user's own user-data may not name the keys; the data source hands these to its default user.
        if (settings.UserData is not null)
            AppendList(text, "", "public-keys", settings.SshKeys);
        return text.ToString();
    }

    private static string UserData(CloudInit settings, string hostName)
    {
        var text = new StringBuilder("#cloud-config\n")
            .Append("hostname: ").Append(YamlText.Quote(hostName)).Append('\n')
            .Append("preserve_hostname: false\n");
        if (settings.User is { } user)
            AppendUser(text, settings, user);
        else
            AppendDefaultUser(text, settings);
        if (settings.PasswordHash is not null)
            text.Append("ssh_pwauth: true\n");
        return text.ToString();
    }

    private static void AppendUser(StringBuilder text, CloudInit settings, string user)
    {
        if (user.Length is 0 or > 32 || user.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is ':' or '/')
            || user[0] == '-')
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"'{user}' can't be a user's name in the guest",
                "use at most 32 letters, digits, underscores and hyphens");
        }

        if (user == "root")
        {
            text.Append("disable_root: false\n");
            AppendDefaultUserPassword(text, settings, "root");
            text.Append("users:\n  - name: \"root\"\n");
            AppendList(text, "    ", "ssh_authorized_keys", settings.SshKeys);
            return;
        }

        text.Append("users:\n  - name: ").Append(YamlText.Quote(user)).Append('\n')
            .Append("    shell: \"/bin/bash\"\n")
            .Append("    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n")
            .Append("    lock_passwd: ").Append(settings.PasswordHash is null ? "true" : "false").Append('\n');
        if (settings.PasswordHash is { } hash)
            text.Append("    passwd: ").Append(YamlText.Quote(hash)).Append('\n');
        AppendList(text, "    ", "ssh_authorized_keys", settings.SshKeys);
    }

    private static void AppendDefaultUser(StringBuilder text, CloudInit settings)
    {
        if (settings.PasswordHash is { } hash)
            text.Append("password: ").Append(YamlText.Quote(hash)).Append("\nchpasswd:\n  expire: false\n");
        AppendList(text, "", "ssh_authorized_keys", settings.SshKeys);
    }

    private static void AppendDefaultUserPassword(StringBuilder text, CloudInit settings, string user)
    {
        if (settings.PasswordHash is not { } hash)
            return;
        // The form that all versions since 17 read; cloud-init tells a hash from a password by its first characters.
        text.Append("chpasswd:\n  expire: false\n  list:\n    - ")
            .Append(YamlText.Quote($"{user}:{hash}")).Append('\n');
    }

    private static void AppendList(StringBuilder text, string indent, string key, ValueList<string> values)
    {
        if (values.Count == 0)
            return;
        text.Append(indent).Append(key).Append(":\n");
        foreach (var value in values)
            text.Append(indent).Append("  - ").Append(YamlText.Quote(value.Trim())).Append('\n');
    }

    /// <summary>Cards are found by address: their names in the guest depend on machine type and slot.</summary>
    private static string NetworkConfig(IReadOnlyList<string> macs)
    {
        if (macs.Count == 0)
            return "version: 2\n";
        var text = new StringBuilder("version: 2\nethernets:\n");
        for (var i = 0; i < macs.Count; i++)
        {
            text.Append("  card").Append(i).Append(":\n    match:\n      macaddress: ")
                .Append(YamlText.Quote(macs[i])).Append('\n')
                .Append("    dhcp4: true\n    dhcp6: true\n");
            // Only the first card's router counts, else two defaults compete.
            if (i > 0)
                text.Append("    dhcp4-overrides:\n      use-routes: false\n");
        }

        return text.ToString();
    }

    private static string Checked(string name, string content)
    {
        var size = Encoding.UTF8.GetByteCount(content);
        return size <= MaxFileSize
            ? content
            : throw new ProblemException(
                ProblemKind.InvalidInput,
                $"the {name} has {size} bytes, at most {MaxFileSize} are possible",
                "let it download the rest when it runs");
    }
}
