using System.Reflection;
using System.Runtime.CompilerServices;
using Gantry.Model;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Gantry.Machines.Guest;

/// <summary>
/// The input of a command that may end at any moment. The library (SSH.NET 2026.0) looks whether the channel is open
/// and sends afterwards, while its own thread may answer the guest's "close" in between; dropbear ends the whole
/// connection on data or an end of input for a channel that is closed. So what is sent here is sent under the lock
/// that the library closes a channel under.
/// </summary>
internal sealed class CommandInput : IDisposable
{
    private static readonly TimeSpan WindowPoll = TimeSpan.FromMilliseconds(1);

    private static readonly FieldInfo ChannelOfCommand =
        typeof(SshCommand).GetField("_channel", BindingFlags.Instance | BindingFlags.NonPublic)
        ?? throw new MissingFieldException("the SSH library's commands have no field '_channel' any more");

    private readonly Stream _stream;
    private readonly object _channel;
    private readonly Lock _messages;
    private readonly TimeProvider _time;

    private CommandInput(Stream stream, object channel, TimeProvider time)
    {
        _stream = stream;
        _channel = channel;
        _messages = MessagingLock(channel);
        _time = time;
    }

    /// <summary>The input of a command that was begun; null when it has ended already.</summary>
    public static CommandInput? Open(SshCommand command, TimeProvider time)
    {
        if (ChannelOfCommand.GetValue(command) is not { } channel)
            return null;
        try
        {
            return new CommandInput(command.CreateInputStream(), channel, time);
        }
        catch (Exception e) when (IsEnd(e))
        {
            return null;
        }
    }

    /// <summary>
    /// Sends bytes, waiting for the guest to take them; false when the command ended without reading them.
    /// </summary>
    public async Task<bool> TryWriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            var sent = TryWrite(bytes.Span);
            if (sent < 0)
                return false;
            bytes = bytes[sent..];
            if (sent == 0)
                await Task.Delay(WindowPoll, _time, cancellationToken);
        }

        return true;
    }

    /// <summary>Tells the command that there is no more input, where it still runs.</summary>
    public void Dispose()
    {
        lock (_messages)
        {
            try
            {
                // The library says "end of input" only after at least one byte; a command that reads would wait for ever.
                if (_stream.Position == 0)
                    BytesWritten(_stream) = 1;
                _stream.Dispose();
            }
            catch (Exception e) when (IsEnd(e))
            {
            }
        }
    }

    /// <summary>
    /// Sends as much as the guest's window takes without waiting: the library's thread that would widen the window may
    /// want the lock. The number of bytes sent; -1 when the channel is closed.
    /// </summary>
    private int TryWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_messages)
        {
            try
            {
                if (!IsOpen(_channel))
                    return -1;
                var count = (int)Math.Min(RemoteWindow(_channel), (uint)bytes.Length);
                if (count > 0)
                    _stream.Write(bytes[..count]);
                return count;
            }
            catch (Exception e) when (IsEnd(e))
            {
                return -1;
            }
        }
    }

    private static bool IsEnd(Exception e) =>
        GuestExecution.IsLoss(e) || e is SshException or InvalidOperationException;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_totalPosition")]
    private static extern ref long BytesWritten(
        [UnsafeAccessorType("Renci.SshNet.Common.ChannelInputStream, Renci.SshNet")] object stream);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_messagingLock")]
    private static extern ref Lock MessagingLock(
        [UnsafeAccessorType("Renci.SshNet.Channels.Channel, Renci.SshNet")] object channel);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsOpen")]
    private static extern bool IsOpen(
        [UnsafeAccessorType("Renci.SshNet.Channels.Channel, Renci.SshNet")] object channel);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_RemoteWindowSize")]
    private static extern uint RemoteWindow(
        [UnsafeAccessorType("Renci.SshNet.Channels.Channel, Renci.SshNet")] object channel);
}
