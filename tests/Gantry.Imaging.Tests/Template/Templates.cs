namespace Gantry.Imaging.Tests.Template;

internal static class Templates
{
    /// <summary>A template whose source has more arguments, from line 5 on.</summary>
    public static string Source(string more, string build = "") =>
        $$"""
        source "qemu" "mini" {
          iso_url      = "mini.iso"
          iso_checksum = "none"

          {{more}}
        }

        build {
          sources = ["source.qemu.mini"]
          {{build}}
        }
        """;
}
