namespace Gantry.Model.Machines;

/// <summary>An instruction set that a guest's CPU runs, with the mode and byte order its operating system uses.</summary>
public enum Isa
{
    X86_64,
    I386,
    Aarch64,
    Armhf,
    Ppc64,
    Ppc64le,
    Riscv64,
}

/// <summary>How a guest's instructions are executed on the host.</summary>
public enum Accelerator
{
    /// <summary>Hardware-assisted: guest code runs on the CPU itself, between VM entry and VM exit.</summary>
    Kvm,

    /// <summary>Emulation: QEMU translates blocks of guest code into host code.</summary>
    Tcg,
}

public enum FirmwareKind
{
    /// <summary>What the ISA's machines start with: BIOS on x86, UEFI on ARM, Open Firmware on POWER.</summary>
    Default,
    Bios,
    Uefi,
}

public static class IsaNames
{
    /// <summary>The name used in files and on the command line, which is also what <c>uname -m</c> says (but for
    /// armhf and i386, which are Debian's names).</summary>
    public static string Name(this Isa isa) => isa switch
    {
        Isa.X86_64 => "x86_64",
        Isa.I386 => "i386",
        Isa.Aarch64 => "aarch64",
        Isa.Armhf => "armhf",
        Isa.Ppc64 => "ppc64",
        Isa.Ppc64le => "ppc64le",
        Isa.Riscv64 => "riscv64",
    };

    /// <summary>Reads a name, also under the other names in use (amd64, arm64, i686, ppc64el, arm).</summary>
    public static bool TryParse(string text, out Isa isa)
    {
        (var found, isa) = text.ToLowerInvariant() switch
        {
            "x86_64" or "amd64" or "x86-64" => (true, Isa.X86_64),
            "i386" or "i486" or "i586" or "i686" or "x86" => (true, Isa.I386),
            "aarch64" or "arm64" => (true, Isa.Aarch64),
            "armhf" or "arm" or "armv7l" or "armv7" => (true, Isa.Armhf),
            "ppc64" => (true, Isa.Ppc64),
            "ppc64le" or "ppc64el" => (true, Isa.Ppc64le),
            "riscv64" => (true, Isa.Riscv64),
            _ => (false, default),
        };
        return found;
    }
}
