using Gantry.Model;

namespace Gantry.Engines.Qemu;

/// <summary>Files of facts that can be found out again: a failure to keep one is no failure.</summary>
internal static class FactsFile
{
    public static void Write(string path, byte[] content)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var part = $"{path}.{Environment.ProcessId}-{SystemEntropy.Instance.NewHex(4)}";
            File.WriteAllBytes(part, content);
            File.Move(part, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A read-only or full home: the fact is found out again next time.
        }
    }
}
