using System.Buffers.Binary;
using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>
/// What a guest needs to be renewed, as <see cref="RenewalProgram"/> reads it: a <c>struct timespec</c> (seconds and
/// nanoseconds, 8 bytes each) and a <c>struct rand_pool_info</c> of linux/random.h (the number of random bits, the
/// number of bytes that follow, 4 bytes each, and those bytes), all little-endian.
/// </summary>
internal static class RenewalMessage
{
    public const int Length = 16 + 8 + EntropyBytes;

    private const int EntropyBytes = 32;
    private const int NanosecondsPerTick = 100;

    /// <summary>The message of this moment, with random bits of its own.</summary>
    public static byte[] Now(IEntropy entropy, TimeProvider time)
    {
        var message = new byte[Length];
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(16), EntropyBytes * 8);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(20), EntropyBytes);
        entropy.Fill(message.AsSpan(24));
        var now = time.GetUtcNow() - DateTimeOffset.UnixEpoch;
        var (seconds, ticks) = Math.DivRem(now.Ticks, TimeSpan.TicksPerSecond);
        BinaryPrimitives.WriteInt64LittleEndian(message, seconds);
        BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(8), ticks * NanosecondsPerTick);
        return message;
    }
}
