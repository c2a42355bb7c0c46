using System.IO.Compression;
using Gantry.Engines.Screen;

namespace Gantry.Engines.Tests.Screen;

/// <summary>Screens of real guests, recorded with QEMU's <c>screendump</c> (some are cut to the part of interest).</summary>
internal static class Recorded
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Screen", "Pictures");

    public static Picture Picture(string name) => Gantry.Engines.Screen.Picture.FromPpm(Unzip($"{name}.ppm.gz"));

    public static byte[] Memory(string name) => Unzip($"{name}.memory.gz");

    /// <summary>What a person reads there.</summary>
    public static string Text(string name) => File.ReadAllText(Path.Combine(Folder, $"{name}.txt")).TrimEnd('\n');

    private static byte[] Unzip(string name)
    {
        using var gzip = new GZipStream(File.OpenRead(Path.Combine(Folder, name)), CompressionMode.Decompress);
        using var all = new MemoryStream();
        gzip.CopyTo(all);
        return all.ToArray();
    }
}
