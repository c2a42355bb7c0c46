using System.Text.Json;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>QEMU's version as its greeting tells it.</summary>
public sealed record QmpVersion
{
    public required int Major { get; init; }

    public required int Minor { get; init; }

    public required int Micro { get; init; }

    /// <summary>The packager's suffix, for example <c>Debian 1:7.2+dfsg-7+deb12u18</c>; may be empty.</summary>
    public required string Package { get; init; }

    public override string ToString() => $"{Major}.{Minor}.{Micro}";

    internal static QmpVersion Of(JsonElement greeting)
    {
        var version = greeting.GetProperty("version"u8);
        var qemu = version.GetProperty("qemu"u8);
        return new QmpVersion
        {
            Major = qemu.GetProperty("major"u8).GetInt32(),
            Minor = qemu.GetProperty("minor"u8).GetInt32(),
            Micro = qemu.GetProperty("micro"u8).GetInt32(),
            Package = version.TryGetProperty("package"u8, out var package) ? package.ToString() : "",
        };
    }
}
