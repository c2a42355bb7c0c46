#!/usr/bin/env python3
"""Makes the *.glyphs files beside this script from fonts in Debian packages (see README.md).

A *.glyphs file: the bytes "GLYPHS1\\n", one byte with the height, two bytes (little endian) with the count; then
for each glyph two bytes with its Unicode number and one byte for each row, leftmost pixel in the highest bit.
"""
import gzip, json, lzma, os, socket, struct, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
CP437 = (
    "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
    + "".join(chr(c) for c in range(32, 127)) + "⌂"
    + bytes(range(128, 255)).decode("cp437") + "\u00a0")


def write(name, height, glyphs):
    """glyphs: list of (code, rows); the first glyph of a code wins, empty ones but the blank are left out."""
    seen = {}
    for code, rows in glyphs:
        if code < 0x10000 and len(rows) == height and (any(rows) or code == 0x20):
            seen.setdefault(code, bytes(rows))
    with open(os.path.join(HERE, name + ".glyphs"), "wb") as f:
        f.write(b"GLYPHS1\n" + struct.pack("<BH", height, len(seen)))
        for code, rows in sorted(seen.items()):
            f.write(struct.pack("<H", code) + rows)
    print(f"{name}: {len(seen)} glyphs of 8x{height}")


def vga():
    """The ROM fonts in SeaBIOS' VGA BIOS, found by the shape of the letter A."""
    rom = open("/usr/share/seabios/vgabios-stdvga.bin", "rb").read()
    letters = {
        16: bytes.fromhex("000010386cc6c6fec6c6c6c600000000"),
        14: bytes.fromhex("000010386cc6c6fec6c6c6000000"),
        8: bytes.fromhex("3078ccccfccccc00"),
    }
    for height, letter in letters.items():
        start = rom.find(letter) - 65 * height
        if start < 0:
            sys.exit(f"no 8x{height} font in the VGA BIOS")
        font = rom[start:start + 256 * height]
        # ASCII first, so that it wins where two codes look alike.
        order = list(range(32, 127)) + [c for c in range(1, 255) if not 32 <= c < 127]
        write(f"vga8x{height}", height,
              [(ord(CP437[c]), font[c * height:(c + 1) * height]) for c in order])


def edk2():
    """The narrow glyphs (EFI_NARROW_GLYPH, 22 bytes each) in OVMF's compressed volume."""
    image = open("/usr/share/OVMF/OVMF_CODE_4M.fd", "rb").read()
    guid = bytes.fromhex("98584eee1439 5942 9d6edc7bd79403cf".replace(" ", ""))
    at = image.find(guid)
    while at >= 0:
        section = at - 4
        offset = struct.unpack_from("<H", image, at + 16)[0]
        try:
            volume = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(image[section + offset:])
        except lzma.LZMAError:
            volume = b""
        first = volume.find(struct.pack("<HB", 0x20, 0) + bytes(19) + struct.pack("<HB", 0x21, 0))
        if first >= 0:
            glyphs = []
            while True:
                code, attributes = struct.unpack_from("<HB", volume, first)
                if (glyphs and code <= glyphs[-1][0]) or attributes:
                    break
                glyphs.append((code, volume[first + 3:first + 22]))
                first += 22
            return write("edk2-8x19", 19, glyphs)
        at = image.find(guid, at + 1)
    sys.exit("no narrow glyphs in OVMF")


def unifont():
    """GRUB's conversion of GNU Unifont (PF2), as far as Latin, punctuation, arrows, boxes and blocks."""
    data = open("/usr/share/grub/unicode.pf2", "rb").read()
    sections, at = {}, 0
    while at + 8 <= len(data):
        name, length = data[at:at + 4], struct.unpack_from(">I", data, at + 4)[0]
        if name == b"DATA":
            break
        sections[name] = data[at + 8:at + 8 + length]
        at += 8 + length
    ascent = struct.unpack(">H", sections[b"ASCE"])[0]
    wanted = [(0x20, 0x17f), (0x2010, 0x2027), (0x2190, 0x2195), (0x2500, 0x25ff), (0x2713, 0x2717)]
    glyphs, index = [], sections[b"CHIX"]
    for i in range(0, len(index), 9):
        code, _, offset = struct.unpack_from(">IBI", index, i)
        if not any(low <= code <= high for low, high in wanted):
            continue
        width, height, x, y, _ = struct.unpack_from(">HHhhh", data, offset)
        bits = int.from_bytes(data[offset + 10:offset + 10 + (width * height + 7) // 8], "big")
        bits >>= -(width * height) % 8
        rows, fits = [0] * 16, width + x <= 8
        for row in range(height):
            line = bits >> (width * (height - 1 - row)) & ((1 << width) - 1)
            place = ascent - y - height + row
            if fits and 0 <= place < 16:
                rows[place] = line << (8 - width - x)
        if fits:
            glyphs.append((code, rows))
    write("unifont8x16", 16, glyphs)


def psf(name, path):
    """A Linux console font (PSF 1 or 2) with its Unicode table."""
    data = gzip.open(path).read()
    if data[:2] == b"\x36\x04":
        count, height, start = 512 if data[2] & 1 else 256, data[3], 4
        table = struct.iter_unpack("<H", data[start + count * height:])
        glyphs, glyph, sequence = [], 0, False
        for (code,) in table:
            if code == 0xffff:
                glyph, sequence = glyph + 1, False
            elif code == 0xfffe:
                sequence = True
            elif not sequence:
                glyphs.append((code, data[start + glyph * height:start + (glyph + 1) * height]))
        write(name, height, glyphs)
    else:
        sys.exit(f"{path} is no PSF 1 font")


def archive(files):
    """A cpio archive (newc) of (name, mode, content)."""
    out = b""
    for name, mode, content in files + [("TRAILER!!!", 0, b"")]:
        fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + content
        out += bytes(-len(out) % 4)
    return out


def linux(kernel, busybox):
    """The kernel's built-in font, as a guest draws it: 16 rows of 16 codes with the kernel's own mapping."""
    init = b"#!/bin/busybox sh\n/bin/busybox mount -t devtmpfs d /dev\n/bin/busybox printf '\\033[2J\\033%%@"
    for code in range(256):
        if code % 16 == 0:
            init += b"\\033[%d;1H\\033[11m" % (code // 16 + 1)
        # These stay control characters whatever the mode.
        init += b" " if code in (0, 8, 10, 11, 12, 13, 14, 15, 27, 0x9b) else b"\\%03o" % code
        if code % 16 == 15:
            init += b"\\033[10m"
    init += b"\\033[30;1H' >/dev/tty1\necho drawn >/dev/ttyS0\nwhile :; do /bin/busybox sleep 9; done\n"
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        with open(path("initrd"), "wb") as f:
            f.write(archive([
                ("dev", 0o040755, b""), ("bin", 0o040755, b""),
                ("bin/busybox", 0o100755, open(busybox, "rb").read()), ("init", 0o100755, init)]))
        qemu = subprocess.Popen([
            "qemu-system-x86_64", "-M", "pc", "-m", "256", "-display", "none", "-kernel", kernel,
            "-initrd", path("initrd"), "-append", "vga=0x301 quiet vt.global_cursor_default=0",
            "-serial", "file:" + path("serial"), "-qmp", "unix:" + path("qmp") + ",server=on,wait=off"])
        try:
            deadline = time.time() + 120
            while not os.path.exists(path("serial")) or b"drawn" not in open(path("serial"), "rb").read():
                if time.time() > deadline or qemu.poll() is not None:
                    sys.exit("the guest drew nothing")
                time.sleep(0.2)
            time.sleep(1)
            qmp = socket.socket(socket.AF_UNIX)
            qmp.connect(path("qmp"))
            lines = qmp.makefile("rw")
            lines.readline()
            for command in ({"execute": "qmp_capabilities"},
                            {"execute": "screendump", "arguments": {"filename": path("screen")}}):
                lines.write(json.dumps(command) + "\n")
                lines.flush()
                while "return" not in lines.readline():
                    pass
            screen = open(path("screen"), "rb").read()
        finally:
            qemu.kill()
            qemu.wait()
    _, size, _, pixels = screen.split(b"\n", 3)
    width = int(size.split()[0])
    glyphs = []
    for code in list(range(32, 127)) + [c for c in range(1, 255) if not 32 <= c < 127]:
        x, y = code % 16 * 8, code // 16 * 16
        rows = [sum(0x80 >> i for i in range(8) if pixels[((y + row) * width + x + i) * 3] > 80)
                for row in range(16)]
        glyphs.append((ord(CP437[code]), rows))
    write("linux8x16", 16, glyphs)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: regenerate.py FOLDER_WITH_CONSOLE_SETUP_LINUX VMLINUZ BUSYBOX_STATIC")
    vga()
    edk2()
    unifont()
    fonts = os.path.join(sys.argv[1], "usr/share/consolefonts")
    psf("fixed8x16", os.path.join(fonts, "Lat15-Fixed16.psf.gz"))
    psf("terminus8x16", os.path.join(fonts, "Lat15-Terminus16.psf.gz"))
    linux(sys.argv[2], sys.argv[3])
