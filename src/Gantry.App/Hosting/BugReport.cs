using System.Globalization;
using System.Runtime.InteropServices;
using Gantry.Model;

namespace Gantry.App.Hosting;

/// <summary>What is kept of an exception that nobody expected.</summary>
internal static class BugReport
{
    /// <summary>Writes the report and returns its path; null when it can't be written. The command's arguments stay
    /// out of it: they may hold passwords.</summary>
    public static string? TryWrite(
        string folder, string? command, Exception exception, TimeProvider time, IEntropy entropy)
    {
        var now = time.GetUtcNow();
        var name = string.Create(CultureInfo.InvariantCulture, $"bug-{now:yyyyMMdd-HHmmss}-{entropy.NewHex(2)}.txt");
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            Gantry {Commands.VersionInfo.Current.Version}, {RuntimeInformation.FrameworkDescription}
            {RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}
            {now:O}
            command: {command ?? "none"}

            {exception}

            """);
        try
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, name);
            File.WriteAllText(path, text);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
