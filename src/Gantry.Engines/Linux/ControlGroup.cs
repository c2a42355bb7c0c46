using System.Globalization;

namespace Gantry.Engines.Linux;

/// <summary>How a host's control groups are mounted.</summary>
public enum ControlGroupLayout
{
    /// <summary>None is mounted.</summary>
    None,

    /// <summary>One tree per controller.</summary>
    V1,

    /// <summary>One tree per controller, and a v2 tree that carries no controllers.</summary>
    Hybrid,

    /// <summary>One tree for all.</summary>
    V2,
}

/// <summary>
/// Gives a machine's processes control groups of their own, where the host lets us. It is a help for accounting and
/// limits, never a condition for running.
/// </summary>
internal sealed class ControlGroup
{
    private const string Root = "/sys/fs/cgroup";
    private static readonly string[] Controllers =
        ["cpu", "cpuacct", "memory", "pids", "blkio", "freezer", "cpu,cpuacct"];

    private readonly List<string> _folders;

    private ControlGroup(List<string> folders) => _folders = folders;

    /// <summary>The folders that exist for the machine; empty where the host lets us have none.</summary>
    public IReadOnlyList<string> Folders => _folders;

    public static ControlGroupLayout Layout() =>
        File.Exists(Path.Combine(Root, "cgroup.controllers")) ? ControlGroupLayout.V2
        : Directory.Exists(Path.Combine(Root, "unified")) ? ControlGroupLayout.Hybrid
        : Controllers.Any(c => Directory.Exists(Path.Combine(Root, c))) ? ControlGroupLayout.V1
        : ControlGroupLayout.None;

    /// <summary>Makes the groups named gantry/NUMBER.</summary>
    public static ControlGroup Make(int number)
    {
        var name = Path.Combine("gantry", number.ToString(CultureInfo.InvariantCulture));
        var folders = new List<string>();
        foreach (var parent in Parents())
        {
            var folder = Path.Combine(parent, name);
            try
            {
                Directory.CreateDirectory(folder);
                if (File.Exists(Path.Combine(folder, "cgroup.procs")))
                    folders.Add(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not ours to use; the machine runs in the group that it inherits.
            }
        }
        return new ControlGroup(folders);
    }

    /// <summary>Moves a process, with all its threads; a group that refuses is left out.</summary>
    public void Add(int pid)
    {
        foreach (var folder in _folders)
        {
            try
            {
                File.WriteAllText(
                    Path.Combine(folder, "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // As above: a help, not a condition.
            }
        }
    }

    /// <summary>The groups of ours that a running process is in.</summary>
    public static ControlGroup Of(int pid)
    {
        var folders = new List<string>();
        try
        {
            foreach (var line in File.ReadLines($"/proc/{pid}/cgroup"))
            {
                // ID:CONTROLLERS:PATH; v2's single tree has no controllers.
                var parts = line.Split(':', 3);
                if (parts.Length < 3 || Path.GetFileName(Path.GetDirectoryName(parts[2])) != "gantry")
                    continue;
                var tree = parts[1].Length == 0 ? Root : Path.Combine(Root, parts[1]);
                folders.Add(Path.Combine(tree, parts[2].TrimStart('/')));
            }
        }
        catch (IOException)
        {
            // Ended meanwhile.
        }
        return new ControlGroup(folders);
    }

    /// <summary>Removes the groups; those that still hold a process stay.</summary>
    public void Remove()
    {
        foreach (var folder in _folders)
        {
            try
            {
                Directory.Delete(folder, recursive: false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Busy, or removed by another command.
            }
        }
    }

    /// <summary>The folders in which machines' groups can be made.</summary>
    public static IReadOnlyList<string> WritableParents() => [.. Parents().Where(IsWritable)];

    private static IEnumerable<string> Parents() => Layout() switch
    {
        ControlGroupLayout.None => [],
        ControlGroupLayout.V1 or ControlGroupLayout.Hybrid =>
            Controllers.Select(c => Path.Combine(Root, c)).Where(Directory.Exists),
        ControlGroupLayout.V2 => UnifiedParent() is { } parent ? [parent] : [],
    };

    /// <summary>
    /// The root for root; else the topmost group above this process that the user may change, which is where
    /// systemd delegated a tree to the user (user@UID.service): a machine there outlives the terminal's scope.
    /// </summary>
    private static string? UnifiedParent()
    {
        if (IsWritable(Root))
            return Root;
        var own = File.ReadLines("/proc/self/cgroup")
            .FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal));
        if (own is null)
            return null;
        var folder = Root;
        foreach (var part in own[4..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            folder = Path.Combine(folder, part);
            if (IsWritable(folder))
                return folder;
        }
        return null;
    }

    private static bool IsWritable(string folder)
    {
        const int writeAndSearch = 3;
        return Libc.Access(folder, writeAndSearch) == 0
            && Libc.Access(Path.Combine(folder, "cgroup.procs"), 2) == 0;
    }
}
