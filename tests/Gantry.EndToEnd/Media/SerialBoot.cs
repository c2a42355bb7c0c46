using System.Diagnostics;
using System.Text;

namespace Gantry.EndToEnd.Media;

/// <summary>Boots an image in QEMU without a key and waits for text on the serial line.</summary>
internal static class SerialBoot
{
    private const string Code = "/usr/share/OVMF/OVMF_CODE_4M.fd", Variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(150);

    /// <returns>What the serial line said up to the text.</returns>
    public static async Task<string> WaitForAsync(string image, bool efi, bool asDisk, string text)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("gantry-boot-");
        try
        {
            List<string> arguments =
            [
                "-nodefaults", "-machine", efi ? "q35" : "pc", "-accel", "tcg", "-m", "256", "-display", "none",
                "-vga", "std", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            ];
            if (efi)
            {
                string variables = Path.Combine(folder.FullName, "vars.fd");
                File.Copy(Variables, variables);
                arguments.AddRange(["-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={Code}"]);
                arguments.AddRange(["-drive", $"if=pflash,format=raw,unit=1,file={variables}"]);
            }
            string media = asDisk ? "disk" : "cdrom", device = asDisk ? "virtio-blk-pci" : "ide-cd";
            arguments.AddRange(["-drive", $"if=none,id=boot,media={media},format=raw,readonly=on,file={image}"]);
            arguments.AddRange(["-device", $"{device},drive=boot,bootindex=1"]);
            return await RunAsync(arguments, text);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> RunAsync(List<string> arguments, string text)
    {
        var start = new ProcessStartInfo("qemu-system-x86_64", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit);
        var seen = new StringBuilder();
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
            char[] buffer = new char[4096];
            while (!seen.ToString().Contains(text, StringComparison.Ordinal))
            {
                int got = await process.StandardOutput.ReadAsync(buffer, limit.Token);
                Assert.True(got > 0, $"QEMU ended before '{text}' was seen.\n{seen}\n{(got == 0 ? await errors : "")}");
                seen.Append(buffer, 0, got);
            }
            return seen.ToString();
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"'{text}' was not seen on the serial line within {Limit}:\n{seen}");
            throw;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }
}
