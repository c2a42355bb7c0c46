namespace Gantry.Storage.Media;

/// <summary>How far the writing of a medium is, in bytes of the finished file.</summary>
public readonly record struct MediaProgress(long BytesDone, long BytesTotal);
