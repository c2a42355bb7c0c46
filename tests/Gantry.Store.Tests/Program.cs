using Gantry.Store.Tests.Processes;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Gantry.Store.Tests;

/// <summary>Runs the tests; or, started by one of them with a role in its environment, plays that role.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(ChildWriter.RoleVariable) is { Length: > 0 } role)
            return await ChildWriter.RunAsync(role, args);
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
