using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gantry.App.Client;
using Gantry.App.Output;
using Gantry.Control.Api;
using Gantry.Control.Api.Tasks;

namespace Gantry.App.Commands;

/// <summary><c>gantry task list|show|log|cancel</c>: what the node is doing, and what became of it.</summary>
internal static class TaskCommand
{
    public const string Summary = "List, follow and cancel what the node is doing";

    public static Command Build(CommandContext context) =>
        new("task", Summary) { List(context), Show(context), Log(context), Cancel(context) };

    private static Command List(CommandContext context)
    {
        var machine = new Option<string>("--machine")
        {
            HelpName = "MACHINE",
            Description = "Only those about a machine",
        };
        var count = new Option<int>("--count", "-n")
        {
            HelpName = "NUMBER",
            Description = "How many, the newest first",
            DefaultValueFactory = _ => 20,
        };
        var command = new Command("list", "List tasks, the newest first") { machine, count };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var node = await NodeStarter.ConnectAsync(context, cancellationToken);
            var query = string.Create(CultureInfo.InvariantCulture, $"tasks?limit={parse.GetValue(count)}");
            if (parse.GetValue(machine) is { } name)
                query += "&machine=" + Uri.EscapeDataString(name);
            var page = await node.GetAsync(query, cancellationToken);
            var tasks = page.Deserialize(ApiJson.Default.TaskPage)!.Items.ToList();
            context.Output.Write(
                new Rendered<List<TaskResource>>(tasks, () => ApiJson.Default.ListTaskResource, Table),
                output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Show(CommandContext context)
    {
        var id = Id();
        var command = new Command("show", "Show all that is known of a task") { id };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var node = await NodeStarter.ConnectAsync(context, cancellationToken);
            var found = await node.GetAsync(PathOf(parse.GetValue(id)!), cancellationToken);
            context.Output.Write(
                new Rendered<TaskResource>(
                    found.Deserialize(ApiJson.Default.TaskResource)!, () => ApiJson.Default.TaskResource, Fields),
                output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Log(CommandContext context)
    {
        var id = Id();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until it has ended" };
        var command = new Command("log", "Show what a task has said") { id, follow };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var node = await NodeStarter.ConnectAsync(context, cancellationToken);
            var path = PathOf(parse.GetValue(id)!) + (parse.GetValue(follow) ? "/log?follow=true" : "/log");
            await foreach (var line in node.LinesAsync(path, cancellationToken))
                context.Terminal.Out.Write(DisplayText.Clean(line) + "\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Cancel(CommandContext context)
    {
        var id = Id();
        var command = new Command("cancel", "End a task; what it has begun is taken back") { id };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var node = await NodeStarter.ConnectAsync(context, cancellationToken);
            var path = PathOf(parse.GetValue(id)!);
            await node.PostAsync(path + "/cancel", body: null, cancellationToken);
            using var view = context.StartProgress();
            view.Activity("Waiting until it has ended");
            var ended = (await node.GetAsync(path + "?wait=300", cancellationToken))
                .Deserialize(ApiJson.Default.TaskResource)!;
            view.Complete();
            context.Terminal.Out.Write($"task {ended.Id} ({ended.Title}) is {Word(ended)}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Argument<string> Id() => new("task") { HelpName = "TASK", Description = "The task's id" };

    private static string PathOf(string id) => "tasks/" + Uri.EscapeDataString(id);

    private static string Word(TaskResource task) => task.Phase.ToString().ToLowerInvariant();

    private static TextTable Table(List<TaskResource> tasks)
    {
        var table = new TextTable(
            new Column("task"), new Column("state"), new Column("what"), new Column("by"), new Column("asked"),
            new Column("took", Right: true));
        foreach (var task in tasks)
            table.Add(task.Id, Word(task), task.Title, task.By, Time(task.At), Took(task));
        return table;
    }

    private static FieldList Fields(TaskResource task)
    {
        var fields = new FieldList
        {
            { "task", task.Id },
            { "what", task.Title },
            { "kind", task.Kind },
            { "state", Word(task) + (task is { CancelRequested: true, Ended: null } ? ", to be cancelled" : "") },
            { "node", task.Node },
            { "by", task.By },
            { "asked", Time(task.At) },
            { "took", Took(task) },
        };
        if (task.Progress is { } progress)
            fields.Add("doing", progress.Activity);
        if (task.Problem is { } problem)
        {
            fields.Add("problem", problem.Summary);
            fields.Add("remedy", problem.Remedy);
        }

        if (task.Result?.Machine is { } machine)
            fields.Add("machine", $"{machine}");
        return fields;
    }

    private static string Took(TaskResource task) => task is { Started: { } started, Ended: { } ended }
        ? string.Create(CultureInfo.InvariantCulture, $"{(ended - started).TotalSeconds:0.0} s") : "";

    private static string Time(DateTimeOffset time) =>
        time.LocalDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
