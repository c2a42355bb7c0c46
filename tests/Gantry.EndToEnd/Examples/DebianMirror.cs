namespace Gantry.EndToEnd.Examples;

internal static class DebianMirror
{
    /// <summary>Where this host's own apt takes Debian from, without a slash at its end.</summary>
    public static async Task<string> FindAsync(string home)
    {
        var (targets, _) = await ExampleScript.RunAsync(
            home, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Component: main", "Created-By: Packages");
        return targets.Split('\n')[0].TrimEnd('/');
    }
}
