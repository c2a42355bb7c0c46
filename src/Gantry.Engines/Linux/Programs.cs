namespace Gantry.Engines.Linux;

internal static class Programs
{
    /// <summary>The absolute path of a program on PATH or in the usual places; null when it is not installed.</summary>
    public static string? Find(string name)
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        string[] usual = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/sbin", "/usr/libexec"];
        foreach (var folder in path.Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(usual))
        {
            var file = Path.Combine(folder, name);
            const int execute = 1;
            if (Path.IsPathRooted(file) && File.Exists(file) && Libc.Access(file, execute) == 0)
                return file;
        }
        return null;
    }
}
