using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Gantry.Steps.Jobs;

namespace Gantry.Steps.Tests;

/// <summary>What the job of the tests knows.</summary>
public sealed record FilesContext
{
    public required string Folder { get; init; }

    public int Total { get; init; }
}

[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(FilesContext))]
public sealed partial class FilesJson : JsonSerializerContext;

/// <summary>
/// A job on real files: makes a folder, copies into it in two halves, and adds to a list that others write too. The
/// hook is called between any two effects; tests die, or fail, there.
/// </summary>
public static class FilesJob
{
    public const string Others = "others\n";

    public static JobKind<FilesContext> Kind(
        Action<string>? hook = null, CrashPolicy policy = CrashPolicy.Undo, string? noReturn = null)
    {
        hook ??= _ => { };
        return new JobKind<FilesContext>(
            "files",
            1,
            () => FilesJson.Default.FilesContext,
            policy,
            [
                JobStep.Of<FilesContext>("make-folder", (c, run, _) => MakeFolder(c, run, hook), RemoveFolder),
                JobStep.Of<FilesContext>("copy", (c, run, _) => Copy(c, run, hook), (c, _, _) => Uncopy(c, hook)),
                JobStep.Compute<FilesContext>("count", c => c with { Total = 2 }),
                JobStep.Of<FilesContext>("register", (c, run, _) => Register(c, run, hook), Unregister),
            ],
            noReturn);
    }

    public static FilesContext World(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "list"), Others);
        return new FilesContext { Folder = folder };
    }

    public static ValueTask AssertDone(string folder)
    {
        Assert.Equal("one\ntwo\n", File.ReadAllText(Path.Combine(folder, "made", "file")));
        Assert.Equal(Others + "made 2\n", File.ReadAllText(Path.Combine(folder, "list")));
        Assert.Equal(["list", "made", "made/file"], Names(folder));
        return ValueTask.CompletedTask;
    }

    public static ValueTask AssertUndone(string folder)
    {
        Assert.Equal(Others, File.ReadAllText(Path.Combine(folder, "list")));
        Assert.Equal(["list"], Names(folder));
        return ValueTask.CompletedTask;
    }

    private static ImmutableArray<string> Names(string folder) =>
    [
        .. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal),
    ];

    private static ValueTask<FilesContext> MakeFolder(FilesContext context, StepRun run, Action<string> hook)
    {
        hook("make-folder-begins");
        Directory.CreateDirectory(Path.Combine(context.Folder, "made"));
        run.Report("made");
        hook("make-folder-ends");
        return ValueTask.FromResult(context);
    }

    private static ValueTask RemoveFolder(FilesContext context, StepRun run, CancellationToken cancellationToken)
    {
        if (Directory.Exists(Path.Combine(context.Folder, "made")))
            Directory.Delete(Path.Combine(context.Folder, "made"));
        return ValueTask.CompletedTask;
    }

    private static ValueTask<FilesContext> Copy(FilesContext context, StepRun run, Action<string> hook)
    {
        string file = Path.Combine(context.Folder, "made", "file");
        File.WriteAllText(file, "one\n");
        hook("copy-half");
        run.Report(new StepReport { Done = 1, Total = 2, Unit = "lines" });
        File.AppendAllText(file, "two\n");
        run.Report(new StepReport { Done = 2, Total = 2, Unit = "lines" });
        return ValueTask.FromResult(context);
    }

    private static ValueTask Uncopy(FilesContext context, Action<string> hook)
    {
        hook("uncopy-begins");
        string file = Path.Combine(context.Folder, "made", "file");
        if (File.Exists(file))
            File.Delete(file);
        hook("uncopy-ends");
        return ValueTask.CompletedTask;
    }

    private static ValueTask<FilesContext> Register(FilesContext context, StepRun run, Action<string> hook)
    {
        string list = Path.Combine(context.Folder, "list");
        string line = $"made {context.Total}\n";
        string now = File.ReadAllText(list);
        if (!now.Contains(line, StringComparison.Ordinal))
            File.WriteAllText(list, now + line);
        run.Report("registered");
        hook("register-ends");
        return ValueTask.FromResult(context);
    }

    private static ValueTask Unregister(FilesContext context, StepRun run, CancellationToken cancellationToken)
    {
        string list = Path.Combine(context.Folder, "list");
        string now = File.ReadAllText(list);
        if (now.Contains("made 2\n", StringComparison.Ordinal))
            File.WriteAllText(list, now.Replace("made 2\n", "", StringComparison.Ordinal));
        run.Report("unregistered");
        return ValueTask.CompletedTask;
    }
}
