using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Address ranges of IPv4 and IPv6.</summary>
internal static class AddressFunctions
{
    public static IEnumerable<HclFunction> All =>
    [
        Function("cidrhost", Text, Host, Of("prefix", Text), Of("hostnum", Number)),
        Function("cidrnetmask", Text, Netmask, Of("prefix", Text)),
        Function("cidrsubnet", Text, Subnet, Of("prefix", Text), Of("newbits", Number), Of("netnum", Number)),
        Variadic("cidrsubnets", Texts, Of("newbits", Number), Subnets, Of("prefix", Text)),
    ];

    private readonly record struct Network(BigInteger Start, int Length, int Bits)
    {
        public BigInteger Size => BigInteger.One << (Bits - Length);

        public override string ToString() => $"{Address(Start, Bits)}/{Length}";
    }

    private static Network Parse(FunctionCall call)
    {
        var text = call.Text(0);
        var slash = text.IndexOf('/');
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var address) || text[..slash].Contains('%')
            || (address.AddressFamily == AddressFamily.InterNetwork && text[..slash].Count(c => c == '.') != 3)
            || !int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out var length))
        {
            throw new HclException(
                0, $"this is no address range: {ValueText.Quote(text)} is not an address, a slash and a prefix length");
        }
        var bytes = address.GetAddressBytes();
        var bits = bytes.Length * 8;
        if (length > bits)
            throw new HclException(0, $"this is no address range: the prefix length may be at most {bits}");
        var value = new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
        return new Network(value >> (bits - length) << (bits - length), length, bits);
    }

    private static string Address(BigInteger value, int bits)
    {
        var bytes = new byte[bits / 8];
        var given = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        given.CopyTo(bytes, bytes.Length - given.Length);
        return new IPAddress(bytes).ToString();
    }

    private static BigInteger Whole(FunctionCall call, int index) => call[index].AsNumber().IsInteger
        ? call[index].AsNumber().Truncate()
        : throw new HclException(index, "a whole number is required");

    private static HclValue Host(FunctionCall call)
    {
        var network = Parse(call);
        var number = Whole(call, 1);
        // A negative number counts from the end of the range.
        var host = number.Sign < 0 ? network.Size + number : number;
        if (host.Sign < 0 || host >= network.Size)
            throw new HclException(1, $"a network with a prefix of {network.Length} has no host number {number}");
        return Address(network.Start + host, network.Bits).ToValue();
    }

    private static HclValue Netmask(FunctionCall call)
    {
        var network = Parse(call);
        if (network.Bits != 32)
            throw new HclException(0, "only IPv4 networks have a netmask");
        var mask = (BigInteger.One << 32) - network.Size;
        return Address(mask, 32).ToValue();
    }

    private static HclValue Subnet(FunctionCall call)
    {
        var network = Parse(call);
        var length = Extended(network, call.Integer(1), 1);
        var number = Whole(call, 2);
        if (number.Sign < 0 || number >= BigInteger.One << (length - network.Length))
            throw new HclException(
                2, $"prefix extension of {length - network.Length} does not accommodate a subnet numbered {number}");
        return new Network(network.Start + (number << (network.Bits - length)), length, network.Bits).ToString().ToValue();
    }

    private static int Extended(Network network, int newBits, int argument)
    {
        if (newBits < 0 || network.Length + newBits > network.Bits)
            throw new HclException(
                argument, $"not enough remaining address space to extend prefix of {network.Length} by {newBits}");
        return network.Length + newBits;
    }

    private static HclValue Subnets(FunctionCall call)
    {
        var network = Parse(call);
        var next = network.Start;
        var result = new List<string>();
        for (var i = 1; i < call.Arguments.Length; i++)
        {
            var length = Extended(network, call.Integer(i), i);
            if (length == network.Length)
                throw new HclException(i, "the prefix must grow by one bit or more");
            var size = BigInteger.One << (network.Bits - length);
            // A network starts at a multiple of its size.
            next = (next + size - 1) / size * size;
            if (next + size > network.Start + network.Size)
                throw new HclException(
                    i,
                    $"not enough remaining address space for a subnet with a prefix of {length} bits after "
                        + $"{(result.Count == 0 ? network : result[^1])}");
            result.Add(new Network(next, length, network.Bits).ToString());
            next += size;
        }
        return result.ToTexts();
    }
}
