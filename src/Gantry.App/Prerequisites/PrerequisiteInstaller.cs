using System.Globalization;
using Gantry.Model;

namespace Gantry.App.Prerequisites;

/// <summary>
/// Makes sure that the host has what an operation needs: sees what is missing by looking for the programs and files
/// themselves, installs it through apt as root, and otherwise says the one line that would.
/// </summary>
internal sealed class PrerequisiteInstaller(IHostSoftware host)
{
    /// <summary>Seconds to wait for another apt, and how often a mirror that does not answer is asked again.</summary>
    private static readonly string[] Apt =
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3", "-o", "APT::Status-Fd=1"];

    private const int LinesKept = 20;

    public IReadOnlyList<HostPackage> Missing(IReadOnlyList<HostPackage> needed) =>
        [.. needed.Where(package => !package.Probes.Any(host.Exists))];

    /// <summary>Returns when everything needed is there.</summary>
    /// <param name="what">What the operation is, for the message: <c>the demo</c>.</param>
    /// <param name="needed">From <see cref="HostPackages"/>.</param>
    /// <param name="progress">Told what is installed and how far it is.</param>
    /// <param name="cancel">Heeded between steps only: an installation that has begun is finished.</param>
    /// <exception cref="ProblemException"><see cref="ProblemKind.Unavailable"/>: packages are missing and can't be
    /// installed from here; the remedy is the line to run.</exception>
    public async Task EnsureAsync(
        string what, IReadOnlyList<HostPackage> needed, IProgressSink progress, CancellationToken cancel)
    {
        var missing = Missing(needed);
        if (missing.Count == 0)
            return;
        var family = HostPackages.FamilyOf(host.OsRelease);
        var packages = missing.Select(package => package.Packages.GetValueOrDefault(family, package.Name))
            .Distinct().Order(StringComparer.Ordinal).ToArray();
        if (!host.IsRoot || family != PackageFamily.Debian || !host.Exists("apt-get"))
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"{what} needs packages that are not installed: {string.Join(", ", packages)}",
                remedy: InstallLine(family, packages, host.IsRoot));
        }

        await InstallAsync(what, packages, progress, cancel);
        if (Missing(needed) is { Count: > 0 } still)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"{what} needs {string.Join(", ", still.Select(package => string.Join(" or ", package.Probes)))}, "
                    + $"which {string.Join(", ", packages)} did not bring");
        }
    }

    /// <summary>The one line that installs the packages, or the plain names for an unknown distribution.</summary>
    internal static string InstallLine(PackageFamily family, IReadOnlyList<string> packages, bool isRoot)
    {
        var list = string.Join(' ', packages);
        var sudo = isRoot ? "" : "sudo ";
        return family switch
        {
            PackageFamily.Debian => $"run: {sudo}apt-get install -y --no-install-recommends {list}",
            PackageFamily.Fedora => $"run: {sudo}dnf install -y {list}",
            PackageFamily.Arch => $"run: {sudo}pacman -S --needed {list}",
            PackageFamily.Suse => $"run: {sudo}zypper install -y {list}",
            PackageFamily.Unknown => $"install with your distribution's package manager: {list}",
        };
    }

    private async Task InstallAsync(
        string what, string[] packages, IProgressSink progress, CancellationToken cancel)
    {
        Queue<string> last = [];
        void Line(string line) => Receive(line, progress, last);

        string[] install = [.. Apt, "install", "-y", "--no-install-recommends", .. packages];
        progress.Activity("Installing " + string.Join(", ", packages));
        if (host.HasPackageLists && await host.RunAsync(install, Line, cancel) == 0)
            return;
        // No lists yet, or lists so old that the mirror no longer has what they name.
        progress.Activity("Updating the list of packages");
        var code = await host.RunAsync([.. Apt, "update"], Line, cancel);
        if (code == 0)
        {
            progress.Activity("Installing " + string.Join(", ", packages));
            code = await host.RunAsync(install, Line, cancel);
        }

        if (code != 0)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"the packages that {what} needs could not be installed: apt-get ended with code {code}",
                remedy: InstallLine(PackageFamily.Debian, packages, isRoot: true),
                detail: string.Join('\n', last));
        }
    }

    /// <summary>apt's status lines (its README.progress-reporting): <c>pmstatus:package:percent:text</c>.</summary>
    private static void Receive(string line, IProgressSink progress, Queue<string> last)
    {
        var cells = line.Split(':', 4);
        if (cells is ["dlstatus" or "pmstatus", _, var percent, var text])
        {
            if (double.TryParse(percent, CultureInfo.InvariantCulture, out var done))
                progress.Amount((long)done, 100, "percent");
            progress.GuestLine(text);
            return;
        }

        last.Enqueue(line);
        if (last.Count > LinesKept)
            last.Dequeue();
        progress.GuestLine(line);
    }
}
