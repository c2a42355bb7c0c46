using System.Buffers.Binary;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Writes ISO 9660 images (level 3) with Rock Ridge, Joliet and El Torito, optionally bootable as a disk. One pass,
/// constant memory per file; the same tree and options give the same bytes. Files over 4 GiB are written as several
/// extents, which Linux and Windows read.
/// </summary>
public static class IsoWriter
{
    /// <summary>The size in bytes of the image that would be written.</summary>
    /// <exception cref="MediaException">The tree or the options cannot be an ISO image.</exception>
    public static long Measure(MediaTree tree, IsoOptions options) => Plan(tree, options).TotalBytes;

    /// <summary>
    /// Writes an image to a file, replacing one of that name once the new one is whole. On failure or cancellation
    /// nothing is left behind.
    /// </summary>
    /// <returns>The image's size in bytes.</returns>
    /// <exception cref="MediaSpaceException">The disk has, or turns out to have, too little room.</exception>
    /// <exception cref="MediaException">The tree or the options cannot be an ISO image, or a source cannot be
    /// read.</exception>
    public static async Task<long> WriteFileAsync(
        MediaTree tree,
        IsoOptions options,
        string path,
        IProgress<MediaProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        IsoLayout layout = Plan(tree, options);
        await MediaFileOutput.WriteAsync(
            path,
            layout.TotalBytes,
            (output, cancel) => WriteAsync(layout, options, output, progress, cancel),
            cancellation).ConfigureAwait(false);
        return layout.TotalBytes;
    }

    /// <summary>As the other, to a stream, which is only written to, from its current position.</summary>
    public static async Task<long> WriteAsync(
        MediaTree tree,
        IsoOptions options,
        Stream output,
        IProgress<MediaProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        IsoLayout layout = Plan(tree, options);
        await WriteAsync(layout, options, output, progress, cancellation).ConfigureAwait(false);
        return layout.TotalBytes;
    }

    private static IsoLayout Plan(MediaTree tree, IsoOptions options)
    {
        Check(options);
        return IsoLayout.Create(tree, options);
    }

    private static void Check(IsoOptions options)
    {
        string label = options.VolumeLabel;
        if (label.Length is 0 or > 32 || !IsPrintable(label) || label.Trim() != label)
            throw new MediaException(
                $"the volume label '{label}' must be 1 to 32 printable ASCII characters without spaces at its ends");
        if (options.ApplicationId.Length > 128 || !IsPrintable(options.ApplicationId))
            throw new MediaException("the application id must be at most 128 printable ASCII characters");
        if (options.Timestamp.UtcDateTime.Year is < 1970 or > 2155)
            throw new MediaException($"the volume's time {options.Timestamp:O} must lie in the years 1970 to 2155");
        if (options.Boot is not { HybridMbr.IsEmpty: false } boot) return;
        if (!boot.Hybrid) throw new MediaException("HybridMbr is given, but Hybrid is not set");
        if (boot.BiosImage is null) throw new MediaException("HybridMbr starts isolinux, so BiosImage must be given");
        int length = boot.HybridMbr.Length;
        bool tooMuch = length > IsoHybrid.MbrCodeLength
            && boot.HybridMbr.Span[IsoHybrid.MbrCodeLength..].ContainsAnyExcept((byte)0);
        if (length < IsoHybrid.MbrCodeLength || tooMuch)
            throw new MediaException(
                $"HybridMbr has {length} bytes, expected the {IsoHybrid.MbrCodeLength} of isohdpfx.bin (package "
                + "isolinux)");
    }

    private static bool IsPrintable(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static async Task WriteAsync(
        IsoLayout layout,
        IsoOptions options,
        Stream target,
        IProgress<MediaProgress>? progress,
        CancellationToken cancellation)
    {
        await layout.GenerateAsync(cancellation).ConfigureAwait(false);
        var output = new ProgressStream(target, layout.TotalBytes, progress);
        await using (output.ConfigureAwait(false))
        {
            if (options.Boot is { Hybrid: true } boot)
                await output.WriteAsync(IsoHybrid.SystemArea(layout, boot), cancellation).ConfigureAwait(false);
            await output.PadToAsync(IsoConstants.SystemAreaSectors * IsoConstants.SectorSize, cancellation)
                .ConfigureAwait(false);

            await output.WriteAsync(IsoDescriptors.Primary(layout, options), cancellation).ConfigureAwait(false);
            if (layout.Catalog is { } catalog)
                await output.WriteAsync(ElToritoCatalog.Descriptor(catalog.DataSector), cancellation)
                    .ConfigureAwait(false);
            if (layout.Joliet is not null)
                await output.WriteAsync(IsoDescriptors.Joliet(layout, options), cancellation).ConfigureAwait(false);
            await output.WriteAsync(IsoDescriptors.Terminator(), cancellation).ConfigureAwait(false);

            await layout.Primary.WriteAsync(output, cancellation).ConfigureAwait(false);
            if (layout.Joliet is not null) await layout.Joliet.WriteAsync(output, cancellation).ConfigureAwait(false);
            await WriteFilesAsync(layout, output, cancellation).ConfigureAwait(false);

            byte[] trailer = options.Boot is { Hybrid: true } ? IsoHybrid.Trailer(layout) : [];
            await output.PadToAsync(layout.TotalBytes - trailer.Length, cancellation).ConfigureAwait(false);
            await output.WriteAsync(trailer, cancellation).ConfigureAwait(false);
            await output.FlushAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static async Task WriteFilesAsync(IsoLayout layout, ProgressStream output, CancellationToken cancellation)
    {
        foreach (IsoItem file in layout.Files)
        {
            await output.PadToAsync((long)file.DataSector * IsoConstants.SectorSize, cancellation)
                .ConfigureAwait(false);
            if (file.Generated is { } bytes)
                await output.WriteAsync(bytes, cancellation).ConfigureAwait(false);
            else
                await ((MediaNode.File)file.Node).Content.CopyToAsync(output, file.Path, cancellation)
                    .ConfigureAwait(false);
        }
    }
}

/// <summary>Volume descriptors (ECMA-119 8.4, 8.5; the Joliet text for the escape sequence).</summary>
internal static class IsoDescriptors
{
    public static byte[] Primary(IsoLayout layout, IsoOptions options) =>
        Volume(layout, options, layout.Primary, IsoConstants.PrimaryDescriptor);

    public static byte[] Joliet(IsoLayout layout, IsoOptions options) =>
        Volume(layout, options, layout.Joliet!, IsoConstants.SupplementaryDescriptor);

    public static byte[] Terminator() => Header(IsoConstants.TerminatorDescriptor);

    private static byte[] Header(byte type)
    {
        byte[] sector = new byte[IsoConstants.SectorSize];
        sector[0] = type;
        Encoding.ASCII.GetBytes("CD001", sector.AsSpan(1));
        sector[6] = 1;
        return sector;
    }

    private static byte[] Volume(IsoLayout layout, IsoOptions options, IsoView view, byte type)
    {
        byte[] sector = Header(type);
        bool wide = type == IsoConstants.SupplementaryDescriptor;
        IsoBytes.Padded(sector.AsSpan(8, 32), "", wide);
        IsoBytes.Padded(sector.AsSpan(40, 32), options.VolumeLabel, wide);
        IsoBytes.Both32(sector.AsSpan(80), layout.TotalSectors);
        // UCS-2 level 3.
        if (wide) "%/E"u8.CopyTo(sector.AsSpan(88));
        IsoBytes.Both16(sector.AsSpan(120), 1);
        IsoBytes.Both16(sector.AsSpan(124), 1);
        IsoBytes.Both16(sector.AsSpan(128), IsoConstants.SectorSize);
        IsoBytes.Both32(sector.AsSpan(132), (uint)view.PathTableSize);
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(140), view.LittleEndianTableSector);
        BinaryPrimitives.WriteUInt32BigEndian(sector.AsSpan(148), view.BigEndianTableSector);
        view.RootRecord.CopyTo(sector, 156);
        // Set, publisher, preparer and application; then three file names.
        IsoBytes.Padded(sector.AsSpan(190, 128), "", wide);
        IsoBytes.Padded(sector.AsSpan(318, 128), "", wide);
        IsoBytes.Padded(sector.AsSpan(446, 128), "", wide);
        IsoBytes.Padded(sector.AsSpan(574, 128), options.ApplicationId, wide);
        IsoBytes.Padded(sector.AsSpan(702, 37), "", wide);
        IsoBytes.Padded(sector.AsSpan(739, 37), "", wide);
        IsoBytes.Padded(sector.AsSpan(776, 37), "", wide);
        IsoBytes.LongTime(sector.AsSpan(813, 17), options.Timestamp);
        IsoBytes.LongTime(sector.AsSpan(830, 17), options.Timestamp);
        IsoBytes.LongTime(sector.AsSpan(847, 17), null);
        IsoBytes.LongTime(sector.AsSpan(864, 17), null);
        sector[881] = 1;
        return sector;
    }
}
