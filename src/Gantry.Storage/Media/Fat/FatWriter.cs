namespace Gantry.Storage.Media;

/// <summary>
/// Writes FAT images without a partition table: floppies (FAT12) and EFI system or answer disks (FAT16, FAT32), with
/// long names. One pass; the same tree and options give the same bytes. Modes and owners have no place in FAT; links
/// and devices are refused.
/// </summary>
public static class FatWriter
{
    /// <summary>The size in bytes of the image that would be written.</summary>
    /// <exception cref="MediaException">The tree or the options cannot be a FAT image.</exception>
    public static long Measure(MediaTree tree, FatOptions options) => FatLayout.Create(tree, options).TotalBytes;

    /// <summary>Writes an image to a file, replacing one of that name once the new one is whole.</summary>
    /// <returns>The image's size in bytes.</returns>
    /// <exception cref="MediaSpaceException">The disk has, or turns out to have, too little room.</exception>
    /// <exception cref="MediaException">The tree does not fit or cannot be a FAT image; a source cannot be
    /// read.</exception>
    public static async Task<long> WriteFileAsync(
        MediaTree tree,
        FatOptions options,
        string path,
        IProgress<MediaProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        FatLayout layout = FatLayout.Create(tree, options);
        await MediaFileOutput.WriteAsync(
            path, layout.TotalBytes, (output, cancel) => WriteAsync(layout, output, progress, cancel), cancellation)
            .ConfigureAwait(false);
        return layout.TotalBytes;
    }

    /// <summary>As the other, to a stream, which is only written to and stays open.</summary>
    public static async Task<long> WriteAsync(
        MediaTree tree,
        FatOptions options,
        Stream output,
        IProgress<MediaProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        FatLayout layout = FatLayout.Create(tree, options);
        await WriteAsync(layout, output, progress, cancellation).ConfigureAwait(false);
        return layout.TotalBytes;
    }

    private static async Task WriteAsync(
        FatLayout layout, Stream target, IProgress<MediaProgress>? progress, CancellationToken cancellation)
    {
        FatGeometry geometry = layout.Geometry;
        var output = new ProgressStream(target, layout.TotalBytes, progress);
        await using (output.ConfigureAwait(false))
        {
            byte[] reserved = geometry.ReservedArea(layout.Label, layout.Serial, layout.UsedClusters);
            await output.WriteAsync(reserved, cancellation).ConfigureAwait(false);
            byte[] table = layout.Table();
            for (int copy = 0; copy < geometry.Fats; copy++)
            {
                long start = geometry.ReservedSectors + copy * geometry.SectorsPerFat;
                await output.PadToAsync(start * FatGeometry.SectorSize, cancellation).ConfigureAwait(false);
                await output.WriteAsync(table, cancellation).ConfigureAwait(false);
            }
            await output.PadToAsync(geometry.RootSector * FatGeometry.SectorSize, cancellation).ConfigureAwait(false);
            await output.WriteAsync(layout.FixedRoot(), cancellation).ConfigureAwait(false);
            await layout.WriteDataAsync(output, cancellation).ConfigureAwait(false);
            await output.PadToAsync(layout.TotalBytes, cancellation).ConfigureAwait(false);
            await output.FlushAsync(cancellation).ConfigureAwait(false);
        }
    }
}
