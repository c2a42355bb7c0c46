using System.Buffers.Binary;
using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

/// <summary>
/// A program of a few instructions for guests that have no other way to make the kernel's random numbers their own. Its
/// code is assembled from the <c>reseed-*.S</c> files beside this one; the ELF file around it is written here.
/// </summary>
internal static class ReseedProgram
{
    private const ulong Base = 0x400000;
    private const int HeaderBytes = 64 + 56;

    private const string X86Code =
        "SIPsQDHAMf9Iiea6KAAAAA8Fg/godUi4AgAAAEiNPUgAAAC+AgAAADHSDwWFwHgvicOJ37gQAAAAvgNSCEBIieIPBYXAeBiJ"
        + "37gQAAAAvgdSAAAx0g8FhcB4BDH/6wW/AQAAALg8AAAADwUvZGV2L3VyYW5kb20A";

    private const string Aarch64Code =
        "/wMB0QAAgNLhAwCRAgWA0ugHgNIBAADUH6AA8eECAFRgDICSAQMAEEIAgNIDAIDSCAeA0gEAANQAAvi38wMAqmFAitIBAajy"
        + "4gMAkagDgNIBAADUIAH4t+ADE6rhQIrSAgCA0qgDgNIBAADUYAD4twAAgNICAAAUIACA0qgLgNIBAADUL2Rldi91cmFuZG9t"
        + "AA==";

    /// <summary>A static ELF program for the ISA; null where there is none.</summary>
    public static byte[]? For(Isa isa) => isa switch
    {
        Isa.X86_64 => Elf(62, Convert.FromBase64String(X86Code)),
        Isa.Aarch64 => Elf(183, Convert.FromBase64String(Aarch64Code)),
        Isa.I386 or Isa.Armhf or Isa.Ppc64 or Isa.Ppc64le or Isa.Riscv64 => null,
    };

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
