using System.Buffers.Binary;
using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

/// <summary>
/// Programs that read a <see cref="RenewalMessage"/> from standard input, set the clock to it at once, mix its bits
/// into the kernel's random numbers and make those reseed; before they read they write an empty line. The code is
/// assembled from the <c>renewal-*.S</c> files beside this one; the ELF file around it is written here.
/// </summary>
internal static class RenewalProgram
{
    private const ulong Base = 0x400000;
    private const int HeaderBytes = 64 + 56;

    private const string X86Code =
        "SIPsQLgBAAAAvwEAAABIjTWYAAAAugEAAAAPBTHbMcAx/0iNNBy6OAAAACnaDwWFwH5hAcOD+zhy5LjjAAAAMf9IieYPBYXAeEq4"
        + "AgAAAEiNPUoAAAC+AgAAADHSDwWFwHgxicOJ37gQAAAAvgNSCEBIjVQkEA8FhcB4GInfuBAAAAC+B1IAADHSDwWFwHgEMf/rBb8B"
        + "AAAAuDwAAAAPBS9kZXYvdXJhbmRvbQAK";

    private const string Aarch64Code =
        "/wMB0SAAgNJBBgAwIgCA0ggIgNIBAADUEwCA0gAAgNLhAwCRIQATiwIHgNJCABPL6AeA0gEAANQfAADx7QMAVHMCAIt/4gDxo/7/"
        + "VAAAgNLhAwCRCA6A0gEAANTgAvi3YAyAkgEDABBCAIDSAwCA0ggHgNIBAADUAAL4t/MDAKphQIrSAQGo8uJDAJGoA4DSAQAA1CAB"
        + "+LfgAxOq4UCK0gIAgNKoA4DSAQAA1GAA+LcAAIDSAgAAFCAAgNKoC4DSAQAA1C9kZXYvdXJhbmRvbQAK";

    /// <summary>A static ELF program for the ISA; null where there is none, and <see cref="Perl"/> does it.</summary>
    public static byte[]? For(Isa isa) => isa switch
    {
        Isa.X86_64 => Elf(62, Convert.FromBase64String(X86Code)),
        Isa.Aarch64 => Elf(183, Convert.FromBase64String(Aarch64Code)),
        Isa.I386 or Isa.Armhf or Isa.Ppc64 or Isa.Ppc64le or Isa.Riscv64 => null,
    };

    /// <summary>The same in Perl, without a single quote in it.</summary>
    public static string Perl(Isa isa)
    {
        // RNDADDENTROPY and RNDRESEEDCRNG; POWER has other bits for the direction of an ioctl.
        var power = isa is Isa.Ppc64 or Isa.Ppc64le;
        var (add, reseed) = power ? ("0x80085203", "0x20005207") : ("0x40085203", "0x5207");
        var setClock = isa switch // clock_settime
        {
            Isa.X86_64 => 227,
            Isa.I386 => 264,
            Isa.Armhf => 262,
            Isa.Aarch64 or Isa.Riscv64 => 112,
            Isa.Ppc64 or Isa.Ppc64le => 245,
        };
        // The numbers come low half first, whatever the guest's own order; its long is as wide as its kernel's.
        return "$|=1; print \"\\n\"; read(STDIN,$p,56)==56 or exit 1; ($s,$x,$n,$y,$b,$c,$e)=unpack(\"V6a32\",$p); "
            + $"syscall({setClock},0,pack(\"l!2\",$s,$n))==0 or exit 1; open(R,\"+>/dev/urandom\") or exit 1; "
            + $"ioctl(R,{add},pack(\"i2a32\",$b,$c,$e)) or exit 1; ioctl(R,{reseed},0) or exit 1; exit 0";
    }

    /// <summary>One loadable segment that begins with the headers themselves (ELF-64, little-endian).</summary>
    private static byte[] Elf(ushort machine, byte[] code)
    {
        var file = new byte[HeaderBytes + code.Length];
        var head = file.AsSpan();
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(head);
        BinaryPrimitives.WriteUInt16LittleEndian(head[16..], 2); // an executable
        BinaryPrimitives.WriteUInt16LittleEndian(head[18..], machine);
        BinaryPrimitives.WriteUInt32LittleEndian(head[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(head[24..], Base + HeaderBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(head[32..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(head[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(head[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(head[56..], 1);
        var segment = head[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1); // loadable
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 5); // read and execute
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], Base);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], Base);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x10000);
        code.CopyTo(head[HeaderBytes..]);
        return file;
    }
}
