using System.Runtime.CompilerServices;

namespace Gantry.Hcl.Tests.Golden;

/// <summary>Compares texts with files beside the tests; GANTRY_UPDATE_GOLDEN=1 writes them anew.</summary>
internal static class GoldenFile
{
    public static void Check(string name, string actual, [CallerFilePath] string caller = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(caller)!, name);
        if (Environment.GetEnvironmentVariable("GANTRY_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        Assert.True(File.Exists(path), $"{path} is missing; run the tests once with GANTRY_UPDATE_GOLDEN=1");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
