namespace Gantry.EndToEnd.Keyboard;

/// <summary>
/// Tiny real-mode programs that report the keys they get on the first serial port, after an 'R' for ready.
/// Assembled by hand: each line is one instruction.
/// </summary>
internal static class BootSector
{
    private static readonly byte[] Start =
    [
        0xFA, // cli
        0x31, 0xC0, // xor ax, ax
        0x8E, 0xD0, // mov ss, ax
        0xBC, 0x00, 0x7C, // mov sp, 0x7c00
        0xFB, // sti
        0xBA, 0xF8, 0x03, // mov dx, 0x3f8
        0xB0, 0x52, // mov al, 'R'
        0xEE, // out dx, al
    ];

    /// <summary>Reads characters from the BIOS, and dawdles after each.</summary>
    /// <param name="pause">How long, in units of 65536 port accesses.</param>
    public static byte[] BiosReader(ushort pause) => Sector(
    [
        .. Start,
        // next:
        0x30, 0xE4, // xor ah, ah
        0xCD, 0x16, // int 0x16
        0xBA, 0xF8, 0x03, // mov dx, 0x3f8
        0xEE, // out dx, al
        0xBB, (byte)pause, (byte)(pause >> 8), // mov bx, pause
        // outer:
        0xB9, 0x00, 0x10, // mov cx, 0x1000
        // inner:
        0xE4, 0x80, // in al, 0x80
        0xE2, 0xFC, // loop inner
        0x4B, // dec bx
        0x75, 0xF6, // jnz outer
        0xEB, 0xE9, // jmp next
    ]);

    /// <summary>
    /// Reads scancodes from the controller itself with interrupts off, as a system's driver would, and dawdles
    /// after each.
    /// </summary>
    public static byte[] ControllerReader(ushort pause) => Sector(
    [
        .. Start,
        0xFA, // cli
        // next:
        0xE4, 0x64, // in al, 0x64
        0xA8, 0x01, // test al, 1
        0x74, 0xFA, // jz next
        0xE4, 0x60, // in al, 0x60
        0xEE, // out dx, al
        0xBB, (byte)pause, (byte)(pause >> 8), // mov bx, pause
        // outer:
        0xB9, 0x00, 0x10, // mov cx, 0x1000
        // inner:
        0xE4, 0x80, // in al, 0x80
        0xE2, 0xFC, // loop inner
        0x4B, // dec bx
        0x75, 0xF6, // jnz outer
        0xEB, 0xE8, // jmp next
    ]);

    private static byte[] Sector(byte[] code)
    {
        var sector = new byte[512];
        code.CopyTo(sector, 0);
        sector[510] = 0x55;
        sector[511] = 0xAA;
        return sector;
    }
}
