namespace Gantry.App.Hosting;

/// <summary>
/// Where Gantry keeps what must survive: <c>GANTRY_STATE</c> if set, <c>/var/lib/gantry</c> for root, and
/// <c>~/.local/state/gantry</c> (the XDG base directory specification) for everybody else.
/// </summary>
internal static class StateFolder
{
    public static string Find(Func<string, string?> environment, bool isRoot)
    {
        if (environment("GANTRY_STATE") is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen);
        if (isRoot)
            return "/var/lib/gantry";
        // The specification tells to ignore a relative path.
        if (environment("XDG_STATE_HOME") is { Length: > 0 } state && Path.IsPathRooted(state))
            return Path.Combine(state, "gantry");
        return environment("HOME") is { Length: > 0 } home
            ? Path.Combine(home, ".local", "state", "gantry")
            : Path.Combine(Path.GetTempPath(), "gantry-" + Environment.UserName);
    }
}
