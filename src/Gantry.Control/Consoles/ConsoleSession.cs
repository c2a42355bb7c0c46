using System.Net.WebSockets;
using Gantry.Model.Nodes;

namespace Gantry.Control.Consoles;

/// <summary>
/// One console over one WebSocket, until either side ends it or a limit does. Each direction waits for its receiver.
/// </summary>
internal sealed class ConsoleSession(
    WebSocket socket, IConsoleChannel channel, ConsoleWire wire, ConsoleLimits limits, TimeProvider time)
{
    private long _lastUse = time.GetTimestamp();

    /// <param name="gone">The client is gone.</param>
    /// <param name="nodeEnds">The node's program is to end.</param>
    /// <returns>How it was closed, also where the client was no longer there to hear it.</returns>
    public async Task<ConsoleClose> RunAsync(CancellationToken gone, CancellationToken nodeEnds)
    {
        // A WebSocket whose calls are cancelled can't be closed in order any more: only the channel's are.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(gone);
        var sending = SendAsync(over.Token, gone);
        var receiving = ReceiveAsync(over.Token, gone);
        var limiting = LimitAsync(over.Token, nodeEnds);
        var first = await Task.WhenAny(sending, receiving, limiting).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        ConsoleClose? close = null;
        try
        {
            close = await first.ConfigureAwait(false);
        }
        catch (Exception e) when (IsGone(e))
        {
            close = ConsoleClose.ByClient;
        }
        finally
        {
            await CloseAsync(close ?? ConsoleClose.Mistake, sending, receiving).ConfigureAwait(false);
            await ((Task)limiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return close;
    }

    private static bool IsGone(Exception e) => e is WebSocketException or OperationCanceledException or IOException;

    private async Task<ConsoleClose> SendAsync(CancellationToken over, CancellationToken gone)
    {
        while (true)
        {
            var frame = await channel.ReceiveAsync(over).ConfigureAwait(false);
            if (wire.Write(frame) is { } message)
            {
                Touch();
                using var limit = new CancellationTokenSource(limits.Send, time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, gone);
                try
                {
                    await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, both.Token)
                        .ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!gone.IsCancellationRequested)
                {
                    return ConsoleClose.TooSlow;
                }
            }

            if (frame is ConsoleFrame.Ended ended)
                return ConsoleClose.Of(ended.End);
        }
    }

    private async Task<ConsoleClose> ReceiveAsync(CancellationToken over, CancellationToken gone)
    {
        var most = wire.IsWhole ? 1 + ConsoleFrame.MostBytes : limits.LongestMessage;
        var buffer = new byte[wire.IsWhole ? most + 1 : ConsoleFrame.MostBytes];
        while (true)
        {
            var length = 0;
            var total = 0;
            ValueWebSocketReceiveResult piece;
            do
            {
                piece = await socket.ReceiveAsync(buffer.AsMemory(length), gone).ConfigureAwait(false);
                if (piece.MessageType == WebSocketMessageType.Close)
                    return ConsoleClose.ByClient;
                if (piece.MessageType == WebSocketMessageType.Text && !wire.TakesText)
                    return ConsoleClose.NoText;
                total += piece.Count;
                if (total > most)
                    return ConsoleClose.TooLong(most);
                length += piece.Count;
                if (wire.IsWhole && !piece.EndOfMessage)
                    continue;
                Touch();
                if (wire.Read(buffer.AsMemory(0, length)) is not { } frame)
                    return ConsoleClose.NoSense;
                await channel.SendAsync(frame, over).ConfigureAwait(false);
                length = 0;
            }
            while (!piece.EndOfMessage);
        }
    }

    private async Task<ConsoleClose> LimitAsync(CancellationToken over, CancellationToken nodeEnds)
    {
        var began = time.GetTimestamp();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(over, nodeEnds);
        try
        {
            while (true)
            {
                var idle = limits.Idle - time.GetElapsedTime(Volatile.Read(ref _lastUse));
                var total = limits.Total - time.GetElapsedTime(began);
                if (idle <= TimeSpan.Zero)
                    return ConsoleClose.Idle;
                if (total <= TimeSpan.Zero)
                    return ConsoleClose.Long;
                await Task.Delay(idle < total ? idle : total, time, both.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (nodeEnds.IsCancellationRequested)
        {
            return ConsoleClose.NodeEnds;
        }
    }

    /// <summary>Says good-bye, and waits for the client's for a while; what it sends until then is let go.</summary>
    private async Task CloseAsync(ConsoleClose close, Task<ConsoleClose> sending, Task<ConsoleClose> receiving)
    {
        using var limit = new CancellationTokenSource(limits.Farewell, time);
        try
        {
            // Two can't send at once.
            await ((Task)sending).WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (sending.IsCompleted && socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync((WebSocketCloseStatus)close.Code, close.Text, limit.Token)
                    .ConfigureAwait(false);
            }

            await ((Task)receiving).WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var buffer = new byte[4096];
            while (receiving.IsCompleted && socket.State == WebSocketState.CloseSent)
                await socket.ReceiveAsync(buffer.AsMemory(), limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsGone(e))
        {
            // It does not want to hear it.
        }

        if (socket.State != WebSocketState.Closed)
            socket.Abort();
        await ((Task)Task.WhenAll(sending, receiving)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Touch() => Volatile.Write(ref _lastUse, time.GetTimestamp());
}
