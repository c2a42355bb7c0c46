using System.Collections.Frozen;

namespace Gantry.App.Prerequisites;

/// <summary>Distributions that share a package manager and package names.</summary>
internal enum PackageFamily
{
    Debian,
    Fedora,
    Arch,
    Suse,
    Unknown,
}

/// <summary>Something on the host that operations need, and the package that brings it.</summary>
internal sealed record HostPackage
{
    /// <summary>How operations ask for it: <c>qemu-x86</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Commands or absolute files, any of which shows that it is there.</summary>
    public required IReadOnlyList<string> Probes { get; init; }

    /// <summary>The package's name in each family that has one.</summary>
    public required FrozenDictionary<PackageFamily, string> Packages { get; init; }

    /// <summary>What it is for: demo, tests, bench; with <c>@x86_64</c> or <c>@aarch64</c> only there.</summary>
    public required IReadOnlyList<string> Uses { get; init; }

    public bool IsFor(string use, string machine) => Uses.Contains(use) || Uses.Contains(use + "@" + machine);
}

/// <summary>The list in <c>scripts/packages.txt</c>, which is built into the program.</summary>
internal static class HostPackages
{
    private const int Columns = 7;
    private static readonly Lazy<IReadOnlyList<HostPackage>> Parsed = new(() => [.. Parse(ReadList())]);

    public static IReadOnlyList<HostPackage> All => Parsed.Value;

    /// <summary>The packages with these names; a name that is not in the list is a mistake in the program.</summary>
    public static IReadOnlyList<HostPackage> Named(IEnumerable<string> names) =>
        [.. names.Distinct().Select(name => All.FirstOrDefault(package => package.Name == name)
            ?? throw new ArgumentException($"scripts/packages.txt has no '{name}'", nameof(names)))];

    /// <summary>What a use, such as <c>demo</c>, needs on a host.</summary>
    /// <param name="use">demo, tests or bench.</param>
    /// <param name="machine">The host's <c>uname -m</c>: x86_64 or aarch64.</param>
    public static IReadOnlyList<HostPackage> For(string use, string machine) =>
        [.. All.Where(package => package.IsFor(use, machine))];

    /// <summary>The family, by os-release(5).</summary>
    public static PackageFamily FamilyOf(string osRelease)
    {
        var words = osRelease.Split('\n')
            .Select(line => line.Split('=', 2))
            .Where(pair => pair is ["ID" or "ID_LIKE", _])
            .SelectMany(pair => pair[1].Trim().Trim('"', '\'').Split(' '))
            .ToArray();
        foreach (var word in words)
        {
            var family = word switch
            {
                "debian" or "ubuntu" => PackageFamily.Debian,
                "fedora" or "rhel" => PackageFamily.Fedora,
                "arch" => PackageFamily.Arch,
                "suse" => PackageFamily.Suse,
                _ when word.StartsWith("opensuse", StringComparison.Ordinal) => PackageFamily.Suse,
                _ => PackageFamily.Unknown,
            };
            if (family != PackageFamily.Unknown)
                return family;
        }

        return PackageFamily.Unknown;
    }

    internal static IEnumerable<HostPackage> Parse(string list)
    {
        foreach (var line in list.Split('\n'))
        {
            if (line.StartsWith('#') || line.AsSpan().Trim().IsEmpty)
                continue;
            var cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (cells.Length != Columns)
                throw new FormatException($"packages.txt: expected {Columns} columns, found {cells.Length}: {line}");
            yield return new HostPackage
            {
                Name = cells[0],
                Probes = cells[1].Split('|'),
                Packages = new[]
                {
                    (Family: PackageFamily.Debian, Name: cells[2]),
                    (Family: PackageFamily.Fedora, Name: cells[3]),
                    (Family: PackageFamily.Arch, Name: cells[4]),
                    (Family: PackageFamily.Suse, Name: cells[5]),
                }.Where(cell => cell.Name != "-").ToFrozenDictionary(cell => cell.Family, cell => cell.Name),
                Uses = cells[6] == "-" ? [] : cells[6].Split(','),
            };
        }
    }

    private static string ReadList()
    {
        using var stream = typeof(HostPackages).Assembly.GetManifestResourceStream("packages.txt")
            ?? throw new InvalidOperationException("the list of packages was not built into the program");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
