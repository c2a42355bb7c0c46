using System.Text;
using Gantry.Model;

namespace Gantry.Engines.Qemu;

/// <summary>The files of a running machine, in its run directory.</summary>
public sealed record RunPaths
{
    /// <summary>The room for a Unix socket's path, less its closing zero.</summary>
    private const int MaxSocketPath = 107;

    /// <summary>QEMU's monitor for us.</summary>
    public required string Qmp { get; init; }

    /// <summary>A second monitor, for when another process is at the first.</summary>
    public required string SpareQmp { get; init; }

    /// <summary>A third monitor, for the one who listens for what happens as long as the machine runs.</summary>
    public required string Events { get; init; }

    public required string Serial { get; init; }

    /// <summary>All that the serial console ever printed since the machine was started.</summary>
    public required string SerialLog { get; init; }

    public required string Vnc { get; init; }

    public required string GuestAgent { get; init; }

    public required string Tpm { get; init; }

    public required string TpmLog { get; init; }

    /// <summary>QEMU's own words.</summary>
    public required string Log { get; init; }

    /// <summary>Locked as long as the machine's QEMU lives.</summary>
    public required string Lock { get; init; }

    /// <summary>The usual name of <see cref="Lock"/> in a directory.</summary>
    public static string LockIn(string runDirectory) => Path.Combine(runDirectory, "run.lock");

    /// <summary>The usual names. The directory is absolute.</summary>
    /// <exception cref="ProblemException">The directory's path is too long for a Unix socket in it.</exception>
    public static RunPaths For(string runDirectory)
    {
        string In(string name) => Path.Combine(runDirectory, name);
        var paths = new RunPaths
        {
            Qmp = In("qmp.sock"),
            SpareQmp = In("qmp2.sock"),
            Events = In("events.sock"),
            Serial = In("serial.sock"),
            SerialLog = In("serial.log"),
            Vnc = In("vnc.sock"),
            GuestAgent = In("agent.sock"),
            Tpm = In("tpm.sock"),
            TpmLog = In("tpm.log"),
            Log = In("qemu.log"),
            Lock = LockIn(runDirectory),
        };
        var longest = Encoding.UTF8.GetByteCount(paths.Serial);
        return longest <= MaxSocketPath
            ? paths
            : throw new ProblemException(
                ProblemKind.InvalidInput,
                $"the path {paths.Serial} has {longest} bytes, but a Unix socket's path has at most {MaxSocketPath}",
                "use a shorter path for Gantry's run directory (XDG_RUNTIME_DIR or GANTRY_HOME)");
    }
}
