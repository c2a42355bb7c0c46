using Gantry.Steps.Tests.Processes;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Gantry.Steps.Tests;

/// <summary>Runs the tests; or, started by one of them with a place to die in its environment, runs a job.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(ChildJob.PlaceVariable) is { Length: > 0 } place)
            return await ChildJob.RunAsync(place, args);
        return await TestAsync(args);
    }

    // Apart, so that a child does not load the test framework.
    private static async Task<int> TestAsync(string[] args)
    {
        if (args.Any(argument => argument is "--server" or "--internal-msbuild-node"))
        {
            return await TestPlatformTestFramework.RunAsync(
                args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
        }

        return await ConsoleRunner.Run(args);
    }
}
