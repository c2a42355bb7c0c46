using System.CommandLine;
using Gantry.Model;
using Gantry.Storage.Media;

namespace Gantry.App.Commands;

/// <summary>How an ISO that <c>gantry image make-iso</c> makes boots.</summary>
internal sealed class MakeIsoOptions
{
    /// <summary>Reading more than this as an MBR's code means that another file was named.</summary>
    private const int LargestMbr = 64 * 1024;

    private readonly Option<string> _bios = new("--bios")
    {
        HelpName = "PATH",
        Description = "BIOS boot image on the ISO, such as isolinux/isolinux.bin",
    };

    private readonly Option<string> _efi = new("--efi")
    {
        HelpName = "PATH",
        Description = "EFI boot image on the ISO: a FAT image with EFI/BOOT/...",
    };

    private readonly Option<string> _catalog = new("--catalog")
    {
        HelpName = "PATH",
        Description = "Where the boot catalogue appears (boot.cat)",
    };

    private readonly Option<bool> _hybrid = new("--hybrid")
    {
        Description = "Also start from a disk or USB stick: adds a partition table",
    };

    private readonly Option<string> _mbr = new("--mbr")
    {
        HelpName = "FILE",
        Description = "Code for --hybrid with BIOS: isolinux' isohdpfx.bin",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _bios, _efi, _catalog, _hybrid, _mbr })
            command.Options.Add(option);
    }

    /// <summary>Null for an ISO that does not boot.</summary>
    /// <exception cref="ProblemException">Options that need others, an MBR's code that can't be read.</exception>
    public async Task<IsoBoot?> BootAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (bios, efi, mbr) = (parse.GetValue(_bios), parse.GetValue(_efi), parse.GetValue(_mbr));
        var isHybrid = parse.GetValue(_hybrid) || mbr is not null;
        if (bios is null && efi is null)
        {
            return !isHybrid && parse.GetValue(_catalog) is null ? null : throw new ProblemException(
                ProblemKind.InvalidInput,
                "--hybrid, --mbr and --catalog are for an ISO that boots",
                "give --bios or --efi too");
        }

        return new IsoBoot
        {
            BiosImage = bios,
            EfiImage = efi,
            CatalogPath = parse.GetValue(_catalog) ?? "boot.cat",
            Hybrid = isHybrid,
            HybridMbr = mbr is null ? default : await ReadMbrAsync(mbr, cancellationToken),
        };
    }

    private static async Task<byte[]> ReadMbrAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(file).Length <= LargestMbr)
                return await File.ReadAllBytesAsync(file, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.NotFound, $"--mbr {file} can't be read: {e.Message}", inner: e);
        }

        throw new ProblemException(
            ProblemKind.InvalidInput, $"--mbr {file} is too large for boot code", "isolinux brings isohdpfx.bin");
    }
}
