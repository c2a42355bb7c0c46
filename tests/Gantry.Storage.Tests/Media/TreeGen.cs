using System.Text;
using CsCheck;
using Gantry.Storage.Media;

namespace Gantry.Storage.Tests.Media;

/// <summary>Random trees for the round-trip properties of all formats.</summary>
internal static class TreeGen
{
    private static readonly Gen<string> Name = Gen.OneOf(
        Gen.Char["abcXYZ.-_ 019~;+äß名"].Array[1, 12].Select(chars => new string(chars)),
        Gen.Char["abcXYZ.-_019"].Array[60, 250].Select(chars => new string(chars)),
        Gen.Int[0, 5].Select(i => new[] { "isolinux.cfg", "README", "readme", "🦊.txt", "a.b.c.d", "LONGNA~1.TXT" }[i]))
        .Where(name => name is not ("." or "..") && Encoding.UTF8.GetByteCount(name) <= 255);

    private static readonly Gen<byte[]> Content = Gen.OneOf(
        Gen.Byte.Array[0, 40],
        Gen.Byte.Array[2040, 2060],
        Gen.Int[0, 40_000].Select(size => Enumerable.Range(0, size).Select(i => (byte)(i * 7)).ToArray()));

    /// <param name="posix">With links, devices, modes and owners.</param>
    public static Gen<MediaTree> Trees(bool posix) =>
        Gen.Select(
            Gen.Select(Name, Name, Name, Gen.Int[1, 3]), Gen.Int[0, posix ? 9 : 6], Content, Gen.UInt, Gen.Int[0, 0xFFF])
            .Array[0, 25]
            .Select(items => Build(items, posix));

    private static MediaTree Build(((string, string, string, int), int, byte[], uint, int)[] items, bool posix)
    {
        var tree = new MediaTree();
        foreach (((string a, string b, string c, int depth), int kind, byte[] content, uint number, int mode) in items)
        {
            string path = depth switch { 1 => a, 2 => $"{a}/{b}", _ => $"{a}/{b}/{c}" };
            MediaNode node = Node(kind, content, number, posix ? (UnixFileMode)mode : MediaModes.File);
            DateTimeOffset time = DateTimeOffset.FromUnixTimeSeconds(number);
            if (posix) node = node with { Uid = number, Gid = ~number, ModifiedAt = time };
            try
            {
                tree.Add(path, node);
            }
            catch (MediaException)
            {
                // Random paths collide now and then; the tree's own tests cover that.
            }
        }
        return tree;
    }

    private static MediaNode Node(int kind, byte[] content, uint number, UnixFileMode mode) => kind switch
    {
        7 => new MediaNode.Symlink($"../x{number}/{new string('l', 1 + (int)(number % 600))}/./é")
        {
            Permissions = MediaModes.Link,
        },
        8 => new MediaNode.Device(MediaDeviceKind.Character, 1 + number % 300, number % 70_000) { Permissions = mode },
        9 => new MediaNode.Device(MediaDeviceKind.Block, 1 + number % 300, number % 200) { Permissions = mode },
        0 => new MediaNode.Directory { Permissions = mode },
        _ => new MediaNode.File(MediaContent.FromBytes(content)) { Permissions = mode },
    };
}
