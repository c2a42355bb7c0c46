using Gantry.Engines.Linux;

namespace Gantry.Engines.Tests.Linux;

public sealed class SpawnerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");

    private string Log => Path.Combine(_folder.FullName, "log");

    [Fact]
    public async Task Child_WithArgumentsOfAnyKind_GetsThemAsTheyAre()
    {
        string[] arguments = ["a b", "", "$HOME", "ü;'\"\\", "*"];
        var exit = await RunAsync("/usr/bin/printf", ["%s|", .. arguments]);
        Assert.Equal(new ChildExit(0, null), exit);
        Assert.Equal(string.Concat(arguments.Select(a => a + "|")), await File.ReadAllTextAsync(Log));
    }

    [Fact]
    public async Task Child_SeesOnlyItsDescriptorsSessionAndPlainSignals()
    {
        Environment.SetEnvironmentVariable("PKR_VAR_SECRET", "s3cret");
        using var stray = new FileStream("/dev/null", FileMode.Open);
        await RunAsync("/bin/sh", ["-c", "echo $$; ls /proc/$$/fd | tr '\\n' ' '; cat /proc/$$/stat; env; cat; exit 7"]);
        var said = await File.ReadAllTextAsync(Log);
        var pid = said.Split('\n')[0];
        Assert.StartsWith($"{pid}\n0 1 2 {pid} (", said, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", said, StringComparison.Ordinal);
        Assert.Contains("PATH=", said, StringComparison.Ordinal);
        var stat = said.Split(')')[1].Split(' ');
        Assert.Equal(pid, stat[4]); // the session
    }

    [Theory]
    [InlineData("exit 7", 7, null)]
    [InlineData("kill -9 $$", null, 9)]
    public async Task Child_Ended_SaysHow(string script, int? code, int? signal) =>
        Assert.Equal(new ChildExit(code, signal), await RunAsync("/bin/sh", ["-c", script]));

    [Fact]
    public async Task Children_ManyAtOnce_AreAllCollected()
    {
        var children = Enumerable.Range(0, 30).Select(i => RunAsync("/bin/sh", ["-c", $"exit {i}"])).ToList();
        var exits = await Task.WhenAll(children);
        Assert.Equal(Enumerable.Range(0, 30), exits.Select(e => e.Code!.Value));
    }

    [Fact]
    public void MissingProgram_IsSaid()
    {
        var error = Assert.Throws<IOException>(() => Spawner.Start(Request("/no/such/program", [])));
        Assert.Contains("/no/such/program", error.Message, StringComparison.Ordinal);
    }

    private Task<ChildExit> RunAsync(string program, string[] arguments) =>
        Spawner.Start(Request(program, arguments)).Exited.WaitAsync(TimeSpan.FromSeconds(30));

    private SpawnRequest Request(string program, string[] arguments) =>
        new() { Program = program, Arguments = arguments, LogPath = Log };

    public void Dispose() => _folder.Delete(recursive: true);
}
