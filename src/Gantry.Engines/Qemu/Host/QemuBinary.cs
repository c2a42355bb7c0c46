using Gantry.Model;

namespace Gantry.Engines.Qemu;

/// <summary>A machine type that a QEMU knows.</summary>
/// <param name="Alias">Another name of it, without a version: <c>pc</c> for <c>pc-i440fx-7.2</c>.</param>
public sealed record QemuMachineType(string Name, string? Alias, bool Deprecated);

/// <summary>An installed QEMU program and what it says about itself.</summary>
public sealed record QemuBinary
{
    public required string Path { get; init; }

    public required long Size { get; init; }

    /// <summary>The file's time of change, in ticks: with path and size, what tells that it is still the same.</summary>
    public required long Changed { get; init; }

    /// <summary>Such as <c>7.2.22</c>.</summary>
    public required string Version { get; init; }

    /// <summary>SHA-256 of the file, in hexadecimal digits.</summary>
    public required string Digest { get; init; }

    public required ValueList<QemuMachineType> MachineTypes { get; init; }
}
