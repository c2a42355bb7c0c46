using System.Reflection;
using System.Security.Cryptography;
using Gantry.Agent;
using Gantry.Control.Api;
using Gantry.Engines;
using Gantry.Imaging.Builds;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Scheduler.Reconcile;
using Gantry.Steps.Jobs;
using Gantry.Storage;
using Gantry.Store.Sqlite;

namespace Gantry.App;

/// <summary>Which Gantry this is.</summary>
internal static class ThisProgram
{
    /// <summary>Semantic version; behind a plus sign the commit, where one is known.</summary>
    public static string Version { get; } = typeof(ThisProgram).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Its file, to be started again.</summary>
    /// <exception cref="ProblemException">It runs inside another program.</exception>
    public static string Path => TryPath ?? throw new ProblemException(
        ProblemKind.Unavailable, "this program can't start itself again: it is not gantry", "run gantry serve");

    /// <summary>The same; null where it runs inside another program.</summary>
    public static string? TryPath =>
        Environment.ProcessPath is { } path && System.IO.Path.GetFileNameWithoutExtension(path) == "gantry"
            ? path : null;

    /// <summary>
    /// Differs between builds of different code, also where the version does not: 32 hexadecimal digits.
    /// </summary>
    public static string Build => LazyInitializer.EnsureInitialized(ref field, Digest);

    private static string Digest()
    {
        Type[] parts =
        [
            typeof(ThisProgram), typeof(MachineAgent), typeof(ApiServer), typeof(IMachineEngine), typeof(BuildRunner),
            typeof(MachineHost), typeof(Problem), typeof(Planner), typeof(JobRunner), typeof(DataFolders),
            typeof(SqliteStateStore),
        ];
        var ids = parts.SelectMany(part => part.Module.ModuleVersionId.ToByteArray()).ToArray();
        return Convert.ToHexStringLower(SHA256.HashData(ids).AsSpan(0, 16));
    }
}
