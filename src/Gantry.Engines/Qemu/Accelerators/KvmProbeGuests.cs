using System.Buffers.Binary;

namespace Gantry.Engines.Qemu.Accelerators;

/// <summary>
/// The smallest guests that show whether KVM runs guest code: through the modes that a kernel goes through, an
/// exception, a ring change, and arithmetic whose result says that all of it happened. Sources: probe-*.S beside this
/// file.
/// </summary>
internal static class KvmProbeGuests
{
    /// <summary>What the x86 guest writes to the isa-debug-exit device is 0x2A: QEMU ends with (0x2A &lt;&lt; 1) | 1.</summary>
    public const int X86Success = 85;

    /// <summary>What the ARM guest prints on its serial port before it switches the machine off.</summary>
    public const string ArmSuccess = "GANTRY-PROBE-OK";

    private const string X86Code =
        "fa31c08ed08ec0b800f08ed8660f0116a0010f20c06683c8010f22c066ea24000f00080066b810008ed88ec08ed0bc00" +
        "000800bf0000010031c0b9000c0000fcf3abc7050000010007100100c7050010010007200100c7050020010087000000" +
        "bf0000020031c0b900040000f3abc7056000020017011800c70564000200008e0f00c7050003020030011800c7050403" +
        "020000ee0f00bf0000030031c0b940000000f3abc70504000300000007000f20e083c8200f22e0b8000001000f22d8b9" +
        "800000c00f320d000100000f300f20c00d000000800f22c0eadf000f0018000f011c25a6010f0066b838000f00d848c7" +
        "c40000060048bb88776655443322110f0b6a3368000005006a026a2b488d042521010f005048cf488304240248ffc348" +
        "cf48b808070605040302014801c3cd3048b8917e6c5a483624124839c37507b82a000000eb05b81500000066baf400ef" +
        "f4ebfd0f1f4400000000000000000000ffff0000009acf00ffff00000092cf00ffff0000009aaf000000000000000000" +
        "ffff000000faaf00ffff000000f2cf0067000000038900000000000000000000470058010f000f030000020000000000";

    private const string ArmCode =
        "0040001000c018d5df3f03d5206200101f0000915324e2d213f18ef2010000d4007880d2004018d560000010204018d5" +
        "e0039fd64120e0d201e180f27302018b010000d4000000148144e2d221d28ff27f0201eb82010010e30100304200839a" +
        "0420a1d24514403865000034850000b9fdffff170080b0d2000180f2020000d40000001447414e5452592d50524f4245" +
        "2d4f4b0a0047414e5452592d50524f42452d4241440a00001f2003d5";

    /// <summary>A BIOS image: real mode to long mode.</summary>
    public static byte[] X86Firmware()
    {
        var image = new byte[64 * 1024];
        Array.Fill(image, (byte)0xF4); // hlt: whoever runs astray stops
        Convert.FromHexString(X86Code).CopyTo(image, 0);
        // The reset vector: jmp far F000:0000.
        ReadOnlySpan<byte> jump = [0xEA, 0x00, 0x00, 0x00, 0xF0];
        jump.CopyTo(image.AsSpan(0xFFF0));
        return image;
    }

    /// <summary>A flat kernel: EL1 to EL0 and back.</summary>
    public static byte[] ArmKernel()
    {
        var image = new byte[4096];
        for (var i = 0; i < image.Length; i += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(i), 0x14000000); // b . (stay here)
        Convert.FromHexString(ArmCode).CopyTo(image, 0);
        // The vector table is at 0x800: synchronous exceptions from EL1 (0x200) and from EL0 (0x400).
        ReadOnlySpan<byte> fromKernel = [0x73, 0x06, 0x00, 0x91, 0xE0, 0x03, 0x9F, 0xD6]; // add x19, x19, #1; eret
        ReadOnlySpan<byte> fromUser = [0x12, 0xFD, 0xFF, 0x17]; // b finish
        fromKernel.CopyTo(image.AsSpan(0xA00));
        fromUser.CopyTo(image.AsSpan(0xC00));
        return image;
    }
}
