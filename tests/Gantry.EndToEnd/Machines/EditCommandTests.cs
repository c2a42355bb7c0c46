using System.Text.Json;
using Gantry.EndToEnd.Builds;
using Gantry.Model;

namespace Gantry.EndToEnd.Machines;

/// <summary>Settings that a person changes in an editor, and templates that get other names; by the real program.</summary>
[Collection(nameof(BuildCollection))]
public sealed class EditCommandTests(BuildNode builds) : IAsyncDisposable
{
    private readonly GantryProgram _gantry = new(builds.Folders.Home);
    private readonly string _machine = $"edit-{SystemEntropy.Instance.NewHex(4)}";
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-e2e-edit-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _gantry.RunAsync("delete", "--force", _machine);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Edit_WithTheUsersEditor_ChangesWhatIsValid_AndNothingElse()
    {
        await _gantry.OkAsync("create", "first", "--name", _machine, "--memory", "192M");
        Editor("s/\"memoryMiB\": 192/\"memoryMiB\": 208/; s/\"notes\": \"\"/\"notes\": \"by hand\"/");
        Assert.Equal($"{_machine} is changed\n", await _gantry.OkAsync("edit", _machine));
        var changed = await ShowAsync();
        Assert.Equal((208, "by hand"), (changed.GetProperty("memoryMiB").GetInt32(), changed.GetProperty("notes").GetString()));

        foreach (var (wrong, named) in new[]
        {
            ("s/\"memoryMiB\": 208/\"memoryMiB\": \"much\"/", "memoryMiB"),
            ("s/\"memoryMiB\"/\"memoryMB\"/", "memoryMB"),
            ("s/\"memoryMiB\": 208/\"memoryMiB\": 3/", "3 MiB of memory"),
        })
        {
            Editor(wrong);
            var (code, _, error) = await _gantry.RunAsync("edit", _machine);
            Assert.Equal(1, code);
            Assert.Contains(named, error, StringComparison.Ordinal);
            Assert.Equal(changed.GetRawText(), (await ShowAsync()).GetRawText());
        }

        Editor("");
        Assert.Equal($"{_machine} stays as it is\n", await _gantry.OkAsync("edit", _machine));
        _gantry.Environment["VISUAL"] = "false";
        Assert.Contains("exit code 1", (await _gantry.RunAsync("edit", _machine)).Error, StringComparison.Ordinal);
        Assert.Equal(changed.GetRawText(), (await ShowAsync()).GetRawText());
        // The text may hold a password's hash: it is gone.
        Assert.Empty(Directory.GetFiles(builds.Folders.Machines, "edit-*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task RenamedTemplate_KeepsItsClones_AndItsOldNameIsFree()
    {
        await builds.BuildAsync("old-name", BuildNode.Shell("echo one > /root/last"), new Lines());
        await _gantry.OkAsync("create", "old-name", "--name", _machine, "--memory", "192M");
        Assert.Equal("template old-name is now new-name\n", await _gantry.OkAsync("template", "rename", "old-name", "new-name"));
        using (var shown = JsonDocument.Parse(await _gantry.OkAsync("template", "show", "new-name", "-o", "json")))
            Assert.Contains(_machine, shown.RootElement.GetProperty("usedBy").EnumerateArray().Select(user => user.GetString()!.Split(' ')[^1]));
        Assert.Equal(3, (await _gantry.RunAsync("template", "show", "old-name")).Code);
        Assert.Equal(4, (await _gantry.RunAsync("template", "rename", "new-name", "first")).Code);

        await _gantry.OkAsync("start", _machine);
        await _gantry.OkAsync("wait", _machine, "--for", "ssh");
        Assert.Equal("one\n", await _gantry.OkAsync("exec", _machine, "cat", "/root/last"));
        // Another build takes the name that became free, and the renamed one stays what it was.
        var again = await builds.BuildAsync("old-name", BuildNode.Shell("echo two > /root/last"), new Lines());
        Assert.Equal("old-name", again.Template!.Name);
        using var list = JsonDocument.Parse(await _gantry.OkAsync("template", "list", "-o", "json"));
        var names = list.RootElement.EnumerateArray().Select(one => one.GetProperty("name").GetString()).ToList();
        Assert.Superset(new HashSet<string?> { "first", "new-name", "old-name" }, names.ToHashSet());
    }

    /// <summary>The user's editor from now on: sed with a script.</summary>
    private void Editor(string script)
    {
        var path = Path.Combine(_folder, "editor");
        File.WriteAllText(path, $"#!/bin/sh\nexec sed -i '{script}' \"$1\"\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _gantry.Environment["VISUAL"] = "";
        _gantry.Environment["EDITOR"] = path;
    }

    private async Task<JsonElement> ShowAsync()
    {
        using var shown = JsonDocument.Parse(await _gantry.OkAsync("show", _machine, "-o", "json"));
        return shown.RootElement.Clone();
    }
}
