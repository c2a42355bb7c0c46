namespace Gantry.Engines.Qemu;

/// <summary>A program or firmware as the distributions package it; a null name: that distribution has none.</summary>
public sealed record HostPackage(string Debian, string? Fedora, string? Arch)
{
    /// <summary>The line that installs it, for every distribution we know.</summary>
    public string InstallLine() => InstallLine([this]);

    /// <summary>One line per distribution that installs all of <paramref name="packages"/>.</summary>
    public static string InstallLine(IReadOnlyList<HostPackage> packages)
    {
        var lines = new List<string>
        {
            $"Debian, Ubuntu: sudo apt-get install -y {string.Join(' ', packages.Select(p => p.Debian).Distinct())}",
        };
        if (packages.All(p => p.Fedora is not null))
            lines.Add($"Fedora: sudo dnf install -y {string.Join(' ', packages.Select(p => p.Fedora).Distinct())}");
        if (packages.All(p => p.Arch is not null))
            lines.Add($"Arch: sudo pacman -S --needed {string.Join(' ', packages.Select(p => p.Arch).Distinct())}");
        return string.Join('\n', lines);
    }
}
