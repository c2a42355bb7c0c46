using System.Security.Cryptography;
using System.Text;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.Storage;

/// <summary>
/// Where a node keeps its things. All paths are absolute. Two trees: <see cref="Home"/> for what must last, and
/// <see cref="Run"/> for sockets, whose names the kernel limits to 107 bytes and which mean nothing after a reboot.
/// </summary>
public sealed class DataFolders
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public DataFolders(string home, string run)
    {
        Home = Path.GetFullPath(home);
        Run = Path.GetFullPath(run);
    }

    public string Home { get; }

    public string Run { get; }

    public string StateFile => Path.Combine(Home, "state.db");

    public string Volumes => Path.Combine(Home, "volumes");

    public string Machines => Path.Combine(Home, "machines");

    public string Layers => Path.Combine(Home, "layers");

    public string Jobs => Path.Combine(Home, "jobs");

    public string Builds => Path.Combine(Home, "builds");

    public string Downloads => Path.Combine(Home, "downloads");

    public string Facts => Path.Combine(Home, "facts");

    public string Crashes => Path.Combine(Home, "crashes");

    /// <summary>
    /// The folders for this user: <c>GANTRY_HOME</c>; else <c>/var/lib/gantry</c> for root and
    /// <c>$XDG_DATA_HOME/gantry</c> for others. Sockets go under <c>/run</c>, <c>$XDG_RUNTIME_DIR</c> or <c>/tmp</c>.
    /// </summary>
    public static DataFolders FromEnvironment()
    {
        var root = Environment.UserName == "root";
        var home = Environment.GetEnvironmentVariable("GANTRY_HOME");
        if (string.IsNullOrEmpty(home))
        {
            var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME");
            if (string.IsNullOrEmpty(data))
                data = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/share");
            home = root ? "/var/lib/gantry" : Path.Combine(data, "gantry");
        }

        home = Path.GetFullPath(home);
        // Each home has sockets of its own: the digest keeps the name short whatever the home's length.
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)))[..8];
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        var run = root && Directory.Exists("/run") ? $"/run/gantry-{key}"
            : runtime is { Length: > 0 and < 60 } && Directory.Exists(runtime) ? $"{runtime}/gantry-{key}"
            : $"/tmp/gantry-{Environment.UserName}-{key}";
        return new DataFolders(home, run);
    }

    /// <summary>Makes the folders, for this user alone.</summary>
    /// <exception cref="ProblemException">One can't be made, or belongs to somebody else.</exception>
    public void Create()
    {
        foreach (var folder in new[] { Home, Run, Volumes, Machines, Layers, Jobs, Builds, Downloads, Facts })
        {
            try
            {
                Directory.CreateDirectory(folder, Private);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ProblemException(
                    ProblemKind.Unavailable,
                    $"the folder {folder} can't be made: {e.Message}",
                    "set GANTRY_HOME to a folder that you may write to",
                    inner: e);
            }
        }

        if ((File.GetUnixFileMode(Run) & ~Private) != 0)
            File.SetUnixFileMode(Run, Private); // fails when it is another user's, which is the point
    }

    public string VolumeFile(VolumeId id, VolumeFormat format) =>
        Path.Combine(Volumes, VolumeFileName(id, format));

    /// <summary>The name within <see cref="Volumes"/>; backing-file fields hold this, so that the home can be moved.</summary>
    public static string VolumeFileName(VolumeId id, VolumeFormat format) =>
        id.Value + (format == VolumeFormat.Qcow2 ? ".qcow2" : ".raw");

    public string MachineFolder(MachineNumber number) => Path.Combine(Machines, number.ToString());

    public string MachineRun(MachineNumber number) => Path.Combine(Run, number.ToString());
}
