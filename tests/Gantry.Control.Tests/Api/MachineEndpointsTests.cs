using System.Net.ServerSentEvents;
using System.Text.Json;
using Gantry.Model.Machines;
using Gantry.Model.Running;

namespace Gantry.Control.Tests.Api;

public sealed class MachineEndpointsTests
{
    private static readonly MachineRecord Web = ControlWorld.Machine(100, "web");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_ByNameAndNumber_IsTheSameMachine()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, byName) = await world.GetAsync("machines/web");
        Assert.Equal(200, status);
        Assert.Equal(byName.GetRawText(), (await world.GetAsync("machines/100")).Body.GetRawText());
        Assert.Equal("stopped", byName.GetProperty("status").GetProperty("phase").GetString());
        Assert.Equal("never", byName.GetProperty("restart").GetProperty("policy").GetString());
    }

    [Fact]
    public async Task Get_OfWhatIsNotThere_IsAProblemThatOffersANearName()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, body) = await world.GetAsync("machines/wep");
        Assert.Equal(404, status);
        Assert.Equal("there is no machine 'wep'", body.GetProperty("title").GetString());
        Assert.Contains("web", body.GetProperty("remedy").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_InPages_GivesEachMachineOnce()
    {
        await using var world = await ControlWorld.MakeAsync(
            Enumerable.Range(100, 25).Select(number => ControlWorld.Machine(number, $"m-{number}")));
        var found = new List<int>();
        for (int? after = 0; after is not null;)
        {
            var (_, page) = await world.GetAsync($"machines?limit=10&after={after}");
            found.AddRange(page.GetProperty("items").EnumerateArray().Select(one => one.GetProperty("number").GetInt32()));
            after = page.GetProperty("next") is { ValueKind: JsonValueKind.Number } next ? next.GetInt32() : null;
        }

        Assert.Equal(Enumerable.Range(100, 25), found);
    }

    [Fact]
    public async Task Start_IsRecordedAssignedAndSeenWhenItIsSettled()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, answer) = await world.PostAsync("machines/web/start");
        Assert.Equal((202, 1L), (status, answer.GetProperty("sequence").GetInt64()));
        var waiting = world.GetAsync("machines/100?settled=1");
        var assignment = await world.AssignmentAsync(Web, 1);
        Assert.Equal((1L, ControlWorld.Node, PowerState.Running), (assignment.Epoch, assignment.Node, assignment.Intent.Wanted));
        Assert.False(waiting.IsCompleted);
        await world.SettleAsync(assignment, MachinePhase.Running);
        Assert.Equal("running", (await waiting).Body.GetProperty("status").GetProperty("phase").GetString());
    }

    [Fact]
    public async Task Start_OfWhatRuns_IsDoneAlready()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        await world.PostAsync("machines/web/start");
        await world.SettleAsync(await world.AssignmentAsync(Web, 1), MachinePhase.Running);
        var (status, answer) = await world.PostAsync("machines/web/start");
        Assert.Equal((200, true, 1L), (status, answer.GetProperty("done").GetBoolean(), answer.GetProperty("sequence").GetInt64()));
    }

    [Fact]
    public async Task Start_Twice_IsOneIntent_ButTwoRestartsAreTwo()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => world.PostAsync("machines/web/start")));
        Assert.Equal(1, (await world.AssignmentAsync(Web, 1)).Intent.Sequence);
        Assert.Equal(2, (await world.PostAsync("machines/web/restart")).Body.GetProperty("sequence").GetInt64());
        Assert.Equal(3, (await world.PostAsync("machines/web/restart")).Body.GetProperty("sequence").GetInt64());
    }

    [Fact]
    public async Task Stop_WhileShutdownIsUnderWay_TakesItsPlace_AndShutdownDoesNotTakeStops()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        await world.PostAsync("machines/web/start");
        await world.SettleAsync(await world.AssignmentAsync(Web, 1), MachinePhase.Running);
        Assert.Equal(2, (await world.PostAsync("machines/web/shutdown", """{"timeout":5}""")).Body.GetProperty("sequence").GetInt64());
        Assert.Equal(5, (await world.AssignmentAsync(Web, 2)).Intent.PatienceSeconds);
        Assert.Equal(3, (await world.PostAsync("machines/web/stop")).Body.GetProperty("sequence").GetInt64());
        Assert.Equal(3, (await world.PostAsync("machines/web/shutdown")).Body.GetProperty("sequence").GetInt64());
    }

    [Fact]
    public async Task Start_OfABuildsMachine_IsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(ControlWorld.Machine(100, "build-1", MachineRole.Build));
        var (status, body) = await world.PostAsync("machines/build-1/start");
        Assert.Equal(409, status);
        Assert.Contains("belongs to a build", body.GetProperty("title").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("machines/web/shutdown", """{"timeout":-1}""", 400, "timeout")]
    [InlineData("machines/web/shutdown", """{"timeout":"soon"}""", 400, "timeout")]
    [InlineData("machines/web/shutdown", """{"time":1}""", 400, "time")]
    [InlineData("machines/web/shutdown", "{", 400, "")]
    [InlineData("machines/web/shutdown", """[1]""", 400, "")]
    [InlineData("machines/nothing/start", null, 404, "nothing")]
    [InlineData("machines/web/explode", null, 404, "explode")]
    [InlineData("machines/web", null, 405, "POST")]
    public async Task Post_OfNonsense_IsAClientsErrorThatNamesIt(string path, string? body, int expected, string named)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, problem) = await world.PostAsync(path, body);
        Assert.Equal(expected, status);
        Assert.Contains(named, problem.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("machines?limit=0", "limit")]
    [InlineData("machines?limit=x", "limit")]
    [InlineData("machines/web?wait=-1&settled=1", "wait")]
    public async Task Get_OfNonsense_IsAClientsErrorThatNamesIt(string path, string named)
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        var (status, problem) = await world.GetAsync(path);
        Assert.Equal(400, status);
        Assert.Contains(named, problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_OfAnotherType_IsRefused()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        Assert.Equal(415, (await world.PostAsync("machines/web/shutdown", "timeout=1", "application/x-www-form-urlencoded")).Status);
    }

    [Fact]
    public async Task Events_TellEachChange_AndGoOnFromTheLastOneSeen()
    {
        await using var world = await ControlWorld.MakeAsync(Web);
        string? last;
        await using (var events = await OpenAsync(world, null))
        {
            await world.PostAsync("machines/web/start");
            var happened = await NextAsync(events, IsOfMachine);
            Assert.Equal(100, happened.Data.GetProperty("number").GetInt32());
            last = happened.Id;
        }

        await world.SettleAsync(await world.AssignmentAsync(Web, 1), MachinePhase.Running);
        await using var again = await OpenAsync(world, last);
        var running = await NextAsync(again, one => IsOfMachine(one) && PhaseOf(one) == "running");
        Assert.Equal(100, running.Data.GetProperty("number").GetInt32());
    }

    private static bool IsOfMachine(JsonElement data) => data.GetProperty("machine").ValueKind == JsonValueKind.Object;

    private static string? PhaseOf(JsonElement data) =>
        data.GetProperty("machine").GetProperty("status").GetProperty("phase").GetString();

    private static async Task<IAsyncEnumerator<SseItem<JsonElement>>> OpenAsync(ControlWorld world, string? last)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "events");
        if (last is not null)
            request.Headers.Add("Last-Event-ID", last);
        var response = await world.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var parser = SseParser.Create(await response.Content.ReadAsStreamAsync(Token), (_, data) => JsonElement.Parse(data));
        return parser.EnumerateAsync(Token).GetAsyncEnumerator(Token);
    }

    private static async Task<(JsonElement Data, string? Id)> NextAsync(
        IAsyncEnumerator<SseItem<JsonElement>> events, Func<JsonElement, bool> wanted)
    {
        while (await events.MoveNextAsync())
        {
            if (wanted(events.Current.Data))
                return (events.Current.Data, events.Current.EventId);
        }

        throw new InvalidOperationException("the stream ended");
    }
}
