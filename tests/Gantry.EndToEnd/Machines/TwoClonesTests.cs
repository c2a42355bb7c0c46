using System.Text.Json;
using Gantry.EndToEnd.Builds;

namespace Gantry.EndToEnd.Machines;

/// <summary>Two clones of one sealed template have nothing in common that tells machines apart.</summary>
[Collection(nameof(BuildCollection))]
public sealed class TwoClonesTests(BuildNode builds)
{
    private const string Ask = """
        echo machine-id $(cat /etc/machine-id)
        for f in /etc/dropbear/*_host_key; do echo $(basename $f) $(md5sum < $f | cut -c 1-32); done
        echo mac $(cat /sys/class/net/eth0/address)
        echo uuid $(cat /sys/class/dmi/id/product_uuid)
        echo urandom $(od -An -tx1 -N16 /dev/urandom | tr -d ' ')
        echo hostname $(hostname)
        """;

    private readonly GantryProgram _gantry = new(builds.Folders.Home);

    [Fact]
    public async Task Clones_DifferInIdentityAndRandomness_NotInContent()
    {
        string[] names = ["twin-a", "twin-b"];
        var said = new List<Dictionary<string, string>>();
        foreach (var name in names)
        {
            await _gantry.OkAsync("launch", "first", "--name", name, "--memory", "192M");
            await _gantry.OkAsync("wait", name, "--for", "ssh");
            said.Add((await _gantry.OkAsync("exec", name, Ask)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' ', 2)).ToDictionary(pair => pair[0], pair => pair[1]));
            Assert.Equal("built\n", await _gantry.OkAsync("exec", name, "cat", "/root/built"));
        }

        Assert.Equal(said[0].Keys.Order(), said[1].Keys.Order());
        Assert.Contains(said[0].Keys, key => key.EndsWith("_host_key", StringComparison.Ordinal));
        foreach (var (key, value) in said[0])
        {
            Assert.True(value.Length > 0, key);
            Assert.True(value != said[1][key], $"both clones have the {key} {value}");
        }

        Assert.Matches("^[0-9a-f]{32}$", said[0]["machine-id"]);
        foreach (var name in names)
        {
            using var shown = JsonDocument.Parse(await _gantry.OkAsync("show", name, "-o", "json"));
            Assert.Equal(
                shown.RootElement.GetProperty("uuid").GetString(), said[Array.IndexOf(names, name)]["uuid"], ignoreCase: true);
        }

        await _gantry.OkAsync(["delete", "--force", .. names]);
    }
}
