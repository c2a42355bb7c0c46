using System.CommandLine;
using System.Globalization;
using Gantry.App.Hosting;
using Gantry.Imaging.Template;
using Gantry.Machines.Create;
using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>What a user may say of a new machine, for the commands that make one.</summary>
internal sealed class MachineOptions
{
    private const int NameAttempts = 32;

    private readonly Option<string> _name = new("--name", "-n")
    {
        HelpName = "NAME",
        Description = "Its name; made up when none is given",
    };
    private readonly Option<int?> _cpus = new("--cpus") { Description = "Virtual CPUs" };
    private readonly Option<string> _memory = new("--memory", "-m")
    {
        HelpName = "SIZE",
        Description = "Memory: 512M, 2G",
    };
    private readonly Option<string> _disk = new("--disk")
    {
        HelpName = "SIZE",
        Description = "Size of the first disk: 20G",
    };
    private readonly Option<string[]> _publish = new("--publish", "-p")
    {
        HelpName = "[ADDRESS:]HOST:GUEST[/udp]",
        Description = "Reach a port of the guest on the host; on 127.0.0.1 unless an address is given",
    };

    private readonly Option<string[]> _keys = new("--ssh-key")
    {
        HelpName = "FILE",
        Description = "A public key that may log in, besides Gantry's own",
    };
    private readonly Option<string> _user = new("--user")
    {
        HelpName = "NAME",
        Description = "The user that keys and password are for",
    };
    private readonly Option<string> _password = new("--password")
    {
        HelpName = "TEXT",
        Description = "That user's password (kept only as a hash)",
    };
    private readonly Option<string> _userData = new("--user-data")
    {
        HelpName = "FILE",
        Description = "A whole cloud-init user-data file instead",
    };
    private readonly Option<string> _network = new("--network-config")
    {
        HelpName = "FILE",
        Description = "A whole cloud-init network-config file instead",
    };
    private readonly Option<string[]> _tags = new("--tag") { HelpName = "TAG", Description = "A word to find it by" };
    private readonly Option<string[]> _share = new("--share")
    {
        HelpName = "FOLDER:TAG[:ro]",
        Description = "A folder of the host that the guest mounts by its tag (9p)",
    };
    private readonly Option<bool> _protected = new("--protected", "--protect") { Description = "Refuse to delete it" };
    private readonly Option<string> _notes = new("--notes") { HelpName = "TEXT", Description = "Notes for people" };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _name, _cpus, _memory, _disk, _publish, _keys, _user, _password, _userData, _network, _share, _protected, _notes, _tags })
            command.Options.Add(option);
    }

    public async Task<MachineWishes> WishesAsync(
        GantryNode node, ParseResult parse, string? loginUser, string nodeKey, CancellationToken cancellationToken) => new()
        {
            Name = parse.GetValue(_name) ?? await FreeNameAsync(node, cancellationToken),
            Cpus = parse.GetValue(_cpus),
            MemoryMiB = parse.GetValue(_memory) is { } memory ? (int)(Size("--memory", memory, 1L << 20) >> 20) : null,
            DiskSize = parse.GetValue(_disk) is { } disk ? Size("--disk", disk, 1L << 30) : null,
            Publish = (parse.GetValue(_publish) ?? []).Select(Port).ToValueList(),
            CloudInit = await CloudInitAsync(parse, loginUser, nodeKey, cancellationToken),
            SharedFolders = (parse.GetValue(_share) ?? []).Select(Share).ToValueList(),
            Protected = parse.GetValue(_protected),
            Notes = parse.GetValue(_notes) ?? "",
            Tags = (parse.GetValue(_tags) ?? []).ToValueList(),
        };

    /// <summary><c>8080:80</c>, <c>0.0.0.0:8080:80</c>, <c>5353:53/udp</c>; host port 0 is any free one.</summary>
    internal static PublishedPort Port(string text)
    {
        var udp = text.EndsWith("/udp", StringComparison.Ordinal);
        var parts = (udp ? text[..^4] : text.EndsWith("/tcp", StringComparison.Ordinal) ? text[..^4] : text).Split(':');
        if (parts.Length is 2 or 3
            && int.TryParse(parts[^2], NumberStyles.None, CultureInfo.InvariantCulture, out var host) && host <= 65535
            && int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var guest)
            && guest is > 0 and <= 65535)
        {
            return new PublishedPort
            {
                Address = parts.Length == 3 ? parts[0] : "127.0.0.1",
                HostPort = host,
                GuestPort = guest,
                Udp = udp,
            };
        }

        throw new ProblemException(
            ProblemKind.InvalidInput, $"--publish {text} is no pair of ports",
            "write HOST:GUEST, for example --publish 8080:80, or ADDRESS:HOST:GUEST");
    }

    internal static long Size(string option, string text, long unit) =>
        Sizes.TryParse(text, unit, out var bytes) && bytes > 0
            ? bytes
            : throw new ProblemException(
                ProblemKind.InvalidInput, $"{option} {text} is no size", "write for example 512M or 10G");

    private async Task<CloudInit> CloudInitAsync(
        ParseResult parse, string? loginUser, string nodeKey, CancellationToken cancellationToken)
    {
        var keys = new List<string> { nodeKey };
        foreach (var file in parse.GetValue(_keys) ?? [])
            keys.Add((await ReadAsync("--ssh-key", file, cancellationToken)).Trim());
        return new CloudInit
        {
            User = parse.GetValue(_user) ?? loginUser,
            SshKeys = [.. keys],
            PasswordHash = parse.GetValue(_password) is { } password ? Sha512Crypt.Hash(password) : null,
            UserData = parse.GetValue(_userData) is { } data
                ? await ReadAsync("--user-data", data, cancellationToken) : null,
            NetworkConfig = parse.GetValue(_network) is { } network
                ? await ReadAsync("--network-config", network, cancellationToken) : null,
        };
    }

    private static async Task<string> ReadAsync(string option, string file, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(file, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.NotFound, $"{option} {file} can't be read: {e.Message}", inner: e);
        }
    }

    internal static SharedFolder Share(string text)
    {
        var readOnly = text.EndsWith(":ro", StringComparison.Ordinal);
        var rest = readOnly ? text[..^3] : text;
        var colon = rest.LastIndexOf(':');
        var folder = colon > 0 ? Path.GetFullPath(rest[..colon]) : "";
        if (colon > 0 && rest.Length - colon is > 1 and <= 32 && Directory.Exists(folder))
            return new SharedFolder { HostPath = folder, Tag = rest[(colon + 1)..], ReadOnly = readOnly };
        throw new ProblemException(
            ProblemKind.InvalidInput, $"--share {text} names no folder and tag",
            "write FOLDER:TAG, the folder existing and the tag of at most 31 characters");
    }

    private static async Task<string> FreeNameAsync(GantryNode node, CancellationToken cancellationToken)
    {
        for (var i = 0; i < NameAttempts; i++)
        {
            var name = NameGenerator.Next(node.Entropy);
            if (await node.Machines.FindAsync(name, cancellationToken) is null)
                return name;
        }

        return $"machine-{node.Entropy.NewHex(4)}";
    }
}
