using System.Net.ServerSentEvents;
using System.Text.Json;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.State;
using Gantry.Model.Tasks;

namespace Gantry.Control.Tests.Api;

public sealed class TaskEndpointsTests
{
    private static readonly MachineRecord Web = ControlWorld.Machine(100, "web");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clone_IsATask_ThatIsWaitedFor()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, task) = await world.PostAsync("machines/web/clone", """{"name":"copy","memoryMiB":256}""");
        Assert.Equal(202, status);
        Assert.Equal(
            ("clone-machine", "clone web as copy", "queued", 100),
            (Text(task, "kind"), Text(task, "title"), Text(task, "phase"), task.GetProperty("machine").GetInt32()));
        var order = await OrderAsync(world, Text(task, "id"));
        Assert.Equal((ControlWorld.Node, 256), (order.Node, ((TaskWork.CloneMachine)order.Work).New.MemoryMiB));
        var waiting = world.GetAsync($"tasks/{order.Id}?wait=30");
        await PutAsync(world, new TaskState
        {
            Id = order.Id,
            Phase = TaskPhase.Done,
            Result = new TaskResult { Machine = new MachineNumber(101) },
        });
        var done = (await waiting).Body;
        Assert.Equal(("done", 101), (Text(done, "phase"), done.GetProperty("result").GetProperty("machine").GetInt32()));
    }

    [Fact]
    public async Task SameKey_IsTheSameTask_AndAnotherRequestWithItIsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        world.Http.DefaultRequestHeaders.Add("Idempotency-Key", "one");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ =>
            world.PostAsync("machines/web/clone", """{"name":"copy"}""")));
        Assert.Single(answers.Select(answer => Text(answer.Body, "id")).Distinct());
        Assert.Equal(409, (await world.PostAsync("machines/web/clone", """{"name":"other"}""")).Status);
        Assert.Single((await world.GetAsync("tasks")).Body.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task List_IsNewestFirst_InPages_AndByMachineAndPhase()
    {
        await using var world = await ControlWorld.MakeAsync(Web, ControlWorld.Machine(101, "mail"));
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            var task = (await world.PostAsync($"machines/{(i == 2 ? "mail" : "web")}/snapshots", $$"""{"name":"s{{i}}"}""")).Body;
            ids.Add(Text(task, "id"));
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, Token);
        }

        await PutAsync(world, new TaskState { Id = ids[0], Phase = TaskPhase.Failed });
        await world.Cache.WaitAsync(view => view.Tasks.Count == 5 && view.TaskStates.Count == 1, Token);
        var found = new List<string>();
        for (var next = "?limit=2"; next is not null;)
        {
            var page = (await world.GetAsync("tasks" + next)).Body;
            found.AddRange(Ids(page));
            next = page.TryGetProperty("next", out var before) && before.GetString() is { } id ? $"?limit=2&before={id}" : null;
        }

        Assert.Equal(ids.AsEnumerable().Reverse(), found);
        Assert.Equal([ids[2]], Ids((await world.GetAsync("tasks?machine=mail")).Body));
        Assert.Equal([ids[0]], Ids((await world.GetAsync("tasks?phase=failed")).Body));
        Assert.Equal(400, (await world.GetAsync("tasks?phase=3")).Status);
        Assert.Equal(400, (await world.GetAsync("tasks?limit=0")).Status);
    }

    [Fact]
    public async Task Cancel_IsRecordedForTheNode()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var id = Text((await world.PostAsync("machines/web/clone", """{"name":"copy"}""")).Body, "id");
        var (status, task) = await world.PostAsync($"tasks/{id}/cancel");
        Assert.Equal((202, true), (status, task.GetProperty("cancelRequested").GetBoolean()));
        Assert.True((await OrderAsync(world, id)).Cancelled);
    }

    [Fact]
    public async Task Events_TellLinesAndProgress_AndHowItEnded()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var id = Text((await world.PostAsync("machines/web/clone", """{"name":"copy"}""")).Body, "id");
        world.Tasks.Said[id] =
        [
            new TaskNews { Offset = 5, Line = "line" },
            new TaskNews { Offset = 5, Progress = new TaskProgress { Activity = "Cloning", Done = 1, Total = 4, Unit = "files" } },
        ];
        await PutAsync(world, new TaskState { Id = id, Phase = TaskPhase.Done });
        using var response = await world.Http.GetAsync($"tasks/{id}/events", HttpCompletionOption.ResponseHeadersRead, Token);
        var events = new List<(string Type, JsonElement Data)>();
        await foreach (var one in SseParser.Create(await response.Content.ReadAsStreamAsync(Token)).EnumerateAsync(Token))
            events.Add((one.EventType, JsonElement.Parse(one.Data)));
        Assert.Equal(["line", "progress", "ended"], events.Select(one => one.Type));
        Assert.Equal(4, events[1].Data.GetProperty("progress").GetProperty("total").GetInt64());
        Assert.Equal("done", Text(events[2].Data.GetProperty("task"), "phase"));
        Assert.Equal("line\n", await world.Http.GetStringAsync($"tasks/{id}/log", Token));
    }

    [Fact]
    public async Task ClustersEvents_TellOfTasksToo()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        using var response = await world.Http.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, Token);
        var events = SseParser.Create(await response.Content.ReadAsStreamAsync(Token)).EnumerateAsync(Token).GetAsyncEnumerator(Token);
        await using var stop = events;
        var id = Text((await world.PostAsync("machines/web/clone", """{"name":"copy"}""")).Body, "id");
        await PutAsync(world, new TaskState { Id = id, Phase = TaskPhase.Done });
        var phases = new List<string>();
        while (!phases.Contains("done") && await events.MoveNextAsync())
        {
            if (events.Current.EventType == "task")
                phases.Add(Text(JsonElement.Parse(events.Current.Data).GetProperty("task"), "phase"));
        }

        Assert.Equal("done", phases[^1]);
    }

    [Theory]
    [InlineData("GET", "tasks/nothing", 404)]
    [InlineData("GET", "tasks/0123456789ab-01234567", 404)]
    [InlineData("GET", "tasks/..%2F..%2Fstate/log", 404)]
    [InlineData("GET", "tasks/0123456789ab-01234567/log", 404)]
    [InlineData("GET", "tasks/0123456789ab-01234567/events", 404)]
    [InlineData("POST", "tasks/0123456789ab-01234567/cancel", 404)]
    [InlineData("GET", "tasks?machine=nobody", 404)]
    [InlineData("DELETE", "machines/nobody", 404)]
    [InlineData("DELETE", "machines/guarded", 409)]
    [InlineData("DELETE", "machines/building", 409)]
    [InlineData("DELETE", "machines/web?force=perhaps", 400)]
    [InlineData("DELETE", "machines/web/snapshots/none", 404)]
    [InlineData("POST", "machines/web/snapshots/none/rollback", 404)]
    public async Task Nonsense_IsAClientsError(string method, string path, int expected)
    {
        var guarded = ControlWorld.Machine(101, "guarded");
        await using var world = await ControlWorld.MakeAsync(
            Web, guarded with { Spec = guarded.Spec with { Protected = true } },
            ControlWorld.Machine(102, "building", MachineRole.Build));
        using var response = await world.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Token);
        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Empty((await TaskRecords.Orders(world.Store).ListAsync(Token)));
    }

    [Theory]
    [InlineData("machines/web/clone", "{}", "name")]
    [InlineData("machines/web/clone", """{"name":"-x"}""", "-x")]
    [InlineData("machines/web/clone", """{"name":7}""", "name")]
    [InlineData("machines/web/clone", """{"name":"ok","cpu":1}""", "cpu")]
    [InlineData("machines/web/snapshots", """{"name":"a b"}""", "a b")]
    [InlineData("builds", """{"path":"relative"}""", "relative")]
    [InlineData("builds", """{"path":"/t","variables":{"a b":"1"}}""", "a b")]
    [InlineData("builds", """{"path":"/t","variables":{"a":1}}""", "variables")]
    [InlineData("machines", """{"template":"x"}""", "machine")]
    [InlineData("machines", """{"template":"../x","machine":{"name":"ok"}}""", "../x")]
    public async Task Body_ThatIsNotOne_IsRefusedByName(string path, string body, string named)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, problem) = await world.PostAsync(path, body);
        Assert.Equal(400, status);
        Assert.Contains(named, problem.GetRawText(), StringComparison.Ordinal);
    }

    private static string Text(JsonElement parent, string name) => parent.GetProperty(name).GetString()!;

    private static IEnumerable<string> Ids(JsonElement page) =>
        page.GetProperty("items").EnumerateArray().Select(one => Text(one, "id"));

    private static async Task<TaskOrder> OrderAsync(ControlWorld world, string id) =>
        (await TaskRecords.Orders(world.Store).GetAsync(id, Token))!.Value;

    private static async Task PutAsync(ControlWorld world, TaskState state) => await world.Store.CommitAsync(
        new StateTransaction { Then = [TaskRecords.States(world.Store).Put(state.Id, state)] }, Token);
}
