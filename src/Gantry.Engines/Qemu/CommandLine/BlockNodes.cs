using System.Text.Json.Nodes;
using Gantry.Model;
using Gantry.Model.Volumes;

namespace Gantry.Engines.Qemu.CommandLine;

/// <summary>
/// Descriptions of block nodes (QEMU's BlockdevOptions). Every node names its format and its backing node, so that
/// what an image says about itself is never followed: it can't reach a file that is not in our records.
/// </summary>
internal static class BlockNodes
{
    /// <summary>How a disk's nodes are cached.</summary>
    /// <param name="Direct">Bypass the host's page cache.</param>
    /// <param name="NoFlush">Ignore the guest's flushes.</param>
    public readonly record struct Cache(bool Direct, bool NoFlush, bool GuestMayWriteBack)
    {
        /// <exception cref="ProblemException">No word of QEMU's.</exception>
        public static Cache Parse(string word) => word switch
        {
            "writeback" => new(false, false, true),
            "none" => new(true, false, true),
            "unsafe" => new(false, true, true),
            "directsync" => new(true, false, false),
            "writethrough" => new(false, false, false),
            _ => throw new ProblemException(
                ProblemKind.InvalidInput,
                $"'{word}' is no way to cache a disk",
                "use writeback, none, unsafe, directsync or writethrough"),
        };
    }

    /// <summary>
    /// The nodes of a chain, lowest first: NAME is the top, NAME-1 the one beneath it, and so on; their files are
    /// NAME-file, NAME-1-file.
    /// </summary>
    public static IEnumerable<JsonObject> Chain(string name, LaunchDisk disk)
    {
        if (disk.Chain.Count == 0)
            throw new ArgumentException($"{name} has no file", nameof(disk));
        var cache = Cache.Parse(disk.Cache);
        for (var depth = disk.Chain.Count - 1; depth >= 0; depth--)
        {
            var link = disk.Chain[depth];
            var isBottom = depth == disk.Chain.Count - 1;
            if (link.Format == VolumeFormat.Raw && !isBottom)
            {
                throw new ProblemException(
                    ProblemKind.Failed, $"{link.Path} is a raw image, which can't be laid over another one");
            }
            var node = Format(link, NodeName(name, depth), cache, disk.Discard);
            node["read-only"] = depth > 0;
            if (depth == 0 && disk.DetectZeroes is { } detect && detect != "off")
                node["detect-zeroes"] = detect;
            if (link.Format == VolumeFormat.Qcow2)
                node["backing"] = isBottom ? null : NodeName(name, depth + 1);
            yield return node;
        }
    }

    /// <summary>A new overlay, opened without its backing file: the snapshot puts it over the node it is for.</summary>
    public static JsonObject Overlay(string name, string path, Cache cache, bool discard, string detectZeroes)
    {
        var node = Format(new ChainLink(path, VolumeFormat.Qcow2), name, cache, discard);
        node["read-only"] = false;
        if (detectZeroes != "off")
            node["detect-zeroes"] = detectZeroes;
        node["backing"] = null;
        return node;
    }

    /// <summary>A file that is never written, byte for byte as the guest sees it: a CD, a firmware.</summary>
    public static JsonObject ReadOnly(string name, string path, VolumeFormat format = VolumeFormat.Raw)
    {
        var node = Format(new ChainLink(path, format), name, new Cache(false, false, true), discard: false);
        node["read-only"] = true;
        if (format == VolumeFormat.Qcow2)
            node["backing"] = null;
        return node;
    }

    private static string NodeName(string name, int depth) => depth == 0 ? name : $"{name}-{depth}";

    private static JsonObject Format(ChainLink link, string name, Cache cache, bool discard)
    {
        var node = new JsonObject
        {
            ["driver"] = link.Format switch { VolumeFormat.Qcow2 => "qcow2", VolumeFormat.Raw => "raw" },
            ["node-name"] = name,
            ["file"] = new JsonObject
            {
                ["driver"] = "file",
                ["node-name"] = $"{name}-file",
                ["filename"] = link.Path,
            },
        };
        if (cache.Direct || cache.NoFlush)
            node["cache"] = new JsonObject { ["direct"] = cache.Direct, ["no-flush"] = cache.NoFlush };
        if (discard)
            node["discard"] = "unmap";
        return node;
    }
}
