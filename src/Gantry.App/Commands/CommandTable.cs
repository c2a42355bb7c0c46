using System.CommandLine;

namespace Gantry.App.Commands;

/// <summary>The heading under which <c>gantry --help</c> lists a command.</summary>
internal enum CommandGroup
{
    Machines,
    Builds,
    Host,
}

/// <summary>A command's line in the help, and how to build its tree of arguments and options: only the command that is
/// called is built.</summary>
internal sealed record CommandEntry(
    string Name, CommandGroup Group, string Summary, Func<CommandContext, Command> Build, bool Hidden = false);

/// <summary>Every command, in the order of the help.</summary>
internal static class CommandTable
{
    public static IReadOnlyList<CommandEntry> All { get; } =
    [
        new("launch", CommandGroup.Machines, LaunchCommand.Summary, LaunchCommand.Build),
        new("create", CommandGroup.Machines, LaunchCommand.CreateSummary, LaunchCommand.BuildCreate),
        new("clone", CommandGroup.Machines, CloneCommand.Summary, CloneCommand.Build),
        new("start", CommandGroup.Machines, PowerCommands.StartSummary, PowerCommands.BuildStart),
        new("shutdown", CommandGroup.Machines, PowerCommands.ShutdownSummary, PowerCommands.BuildShutdown),
        new("stop", CommandGroup.Machines, PowerCommands.StopSummary, PowerCommands.BuildStop),
        new("restart", CommandGroup.Machines, PowerCommands.RestartSummary, PowerCommands.BuildRestart),
        new("pause", CommandGroup.Machines, PowerCommands.PauseSummary, PowerCommands.BuildPause),
        new("resume", CommandGroup.Machines, PowerCommands.ResumeSummary, PowerCommands.BuildResume),
        new("delete", CommandGroup.Machines, DeleteCommand.Summary, DeleteCommand.Build),
        new("list", CommandGroup.Machines, ListCommand.Summary, ListCommand.Build),
        new("show", CommandGroup.Machines, ListCommand.ShowSummary, ListCommand.BuildShow),
        new("set", CommandGroup.Machines, SetCommand.Summary, SetCommand.Build),
        new("edit", CommandGroup.Machines, EditCommand.Summary, EditCommand.Build),
        new("rename", CommandGroup.Machines, SetCommand.RenameSummary, SetCommand.BuildRename),
        new("snapshot", CommandGroup.Machines, SnapshotCommand.Summary, SnapshotCommand.Build),
        new("rollback", CommandGroup.Machines, RollbackCommand.Summary, RollbackCommand.Build),
        new("console", CommandGroup.Machines, ConsoleCommand.Summary, ConsoleCommand.Build),
        new("logs", CommandGroup.Machines, LogsCommand.Summary, LogsCommand.Build),
        new("ssh", CommandGroup.Machines, SshCommand.Summary, SshCommand.Build),
        new("exec", CommandGroup.Machines, ExecCommand.Summary, ExecCommand.Build),
        new("cp", CommandGroup.Machines, CopyCommand.Summary, CopyCommand.Build),
        new("wait", CommandGroup.Machines, WaitCommand.Summary, WaitCommand.Build),
        new("screenshot", CommandGroup.Machines, ScreenshotCommand.Summary, ScreenshotCommand.Build),
        new("send-keys", CommandGroup.Machines, SendKeysCommand.Summary, SendKeysCommand.Build),
        new("build", CommandGroup.Builds, BuildCommand.Summary, BuildCommand.Build),
        new("validate", CommandGroup.Builds, ValidateCommand.Summary, ValidateCommand.Build),
        new("inspect", CommandGroup.Builds, InspectCommand.Summary, InspectCommand.Build),
        new("template", CommandGroup.Builds, TemplateCommand.Summary, TemplateCommand.Build),
        new("image", CommandGroup.Builds, ImageCommand.Summary, ImageCommand.Build),
        new("demo", CommandGroup.Host, DemoCommand.Summary, DemoCommand.Build),
        new("serve", CommandGroup.Host, ServeCommand.Summary, ServeCommand.Build),
        new("task", CommandGroup.Host, TaskCommand.Summary, TaskCommand.Build),
        new("doctor", CommandGroup.Host, DoctorCommand.Summary, DoctorCommand.Build),
        new("version", CommandGroup.Host, VersionCommand.Summary, VersionCommand.Build),
        new("completion", CommandGroup.Host, CompletionCommand.Summary, CompletionCommand.Build),
        new(BackgroundMerge.Name, CommandGroup.Host, BackgroundMerge.Summary, BackgroundMerge.Build, Hidden: true),
        new(CompleteCommand.Name, CommandGroup.Host, CompleteCommand.Summary, CompleteCommand.Build, Hidden: true),
    ];

    public static CommandEntry? Find(string name) => All.FirstOrDefault(entry => entry.Name == name);
}
