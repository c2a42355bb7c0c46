using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Gantry.EndToEnd.Examples;

/// <summary>Runs the examples' scripts, and Gantry itself, as a person does.</summary>
internal static class ExampleScript
{
    public static string Gantry { get; } = Path.Combine(AppContext.BaseDirectory, "gantry");

    /// <summary>The path of a file below <c>examples/</c>.</summary>
    public static string PathOf(string name, [CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../examples", name));

    /// <summary>Runs a program to its end; a failure fails the test with all that it said.</summary>
    /// <param name="home">The data folder of the Gantry that it uses.</param>
    /// <param name="program">Absolute.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Its standard output and standard error.</returns>
    public static async Task<(string Output, string Error)> RunAsync(string home, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = home,
            Environment = { ["GANTRY"] = Gantry, ["GANTRY_HOME"] = home, ["NO_COLOR"] = "1" },
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }

        var (said, errors) = (await output, await error);
        Assert.True(
            process.ExitCode == 0,
            $"{Path.GetFileName(program)} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{said}{errors}");
        return (said, errors);
    }
}

/// <summary>A data folder of its own for one test class; its machines are gone when it ends.</summary>
public sealed class ExampleHome : IAsyncDisposable
{
    // Short: a machine's sockets lie in it.
    private readonly string _folder = Directory.CreateTempSubdirectory("gx").FullName;

    internal string Folder => _folder;

    internal Task<(string Output, string Error)> GantryAsync(params string[] arguments) =>
        ExampleScript.RunAsync(_folder, ExampleScript.Gantry, arguments);

    public async ValueTask DisposeAsync()
    {
        var (list, _) = await GantryAsync("list", "-o", "yaml");
        var machines = list.Split('\n').Where(line => line.TrimStart(' ', '-').StartsWith("number: ", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim().Trim('"')).ToArray();
        if (machines.Length > 0)
            await GantryAsync(["delete", "--force", .. machines]);
        Directory.Delete(_folder, recursive: true);
    }
}
