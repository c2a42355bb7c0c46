using System.Security.Cryptography;
using System.Text;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>UUIDs.</summary>
internal static class IdentityFunctions
{
    public static IEnumerable<HclFunction> All(FunctionServices services) =>
    [
        Function("uuidv4", Text, _ => Random(services.Entropy).ToValue()),
        Function("uuidv5", Text, Named, Of("namespace", Text), Of("name", Text)),
    ];

    private static string Random(EntropySource entropy)
    {
        var bytes = new byte[16];
        entropy(bytes);
        return Format(bytes, 4);
    }

    private static string Format(byte[] bytes, int version)
    {
        bytes[6] = (byte)((bytes[6] & 0x0F) | (version << 4));
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes.AsSpan(0, 16), bigEndian: true).ToString();
    }

    // The well-known namespaces of RFC 4122 differ in one byte.
    private static HclValue Named(FunctionCall call)
    {
        var text = call.Text(0);
        var id = text switch
        {
            "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
            "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
            "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
            _ => text,
        };
        if (!Guid.TryParse(id, out var space))
            throw new HclException(0, $"{ValueText.Quote(text)} is not a UUID, and none of dns, url, oid and x500");
        byte[] input = [.. space.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(call.Text(1))];
#pragma warning disable CA5350 // RFC 4122 prescribes SHA-1 for version 5.
        return Format(SHA1.HashData(input)[..16], 5).ToValue();
#pragma warning restore CA5350
    }
}
