using System.Diagnostics;

namespace Gantry.Storage.Tests.Media;

/// <summary>Independent programs that read what we write, and write what we read.</summary>
internal static class Oracle
{
    public static string Run(string program, params string[] arguments) => RunIn(null, program, arguments);

    public static string RunIn(string? folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["TZ"] = "UTC";
        start.Environment["MTOOLS_SKIP_CHECK"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string errors = error.GetAwaiter().GetResult();
        Assert.True(process.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{output}\n{errors}");
        return output;
    }
}
