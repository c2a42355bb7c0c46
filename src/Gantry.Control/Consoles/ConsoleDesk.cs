using System.Net.WebSockets;
using Gantry.Model;
using Gantry.Model.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gantry.Control.Consoles;

/// <summary>Gives tickets for consoles, and opens a console for a ticket.</summary>
internal sealed partial class ConsoleDesk(
    INodeService node, ConsoleLimits limits, TimeProvider time, ILoggerFactory logs)
{
    private readonly ConsoleTickets _tickets = new(limits, time);
    private readonly ILogger _log = logs.CreateLogger<ConsoleDesk>();
    private int _open;

    /// <summary>What its machines give beside consoles.</summary>
    public INodeService Node => node;

    /// <summary>A ticket for a console that could be opened at this moment.</summary>
    /// <exception cref="ProblemException">It could not.</exception>
    public async Task<(string Text, ConsoleTicket Ticket)> IssueAsync(
        MachineKey machine, ConsoleRequest request, CancellationToken cancellationToken)
    {
        await node.CheckAsync(machine, request, cancellationToken).ConfigureAwait(false);
        return _tickets.Issue(machine, request);
    }

    /// <summary>Takes one of the places for what stays open until it is disposed.</summary>
    /// <exception cref="ProblemException">All are taken.</exception>
    public Place Enter()
    {
        if (Interlocked.Increment(ref _open) > limits.MostOpen)
        {
            Interlocked.Decrement(ref _open);
            throw new ProblemException(
                ProblemKind.Unavailable, $"{limits.MostOpen} consoles and logs are open, and there can be no more",
                "close one");
        }

        return new Place(this);
    }

    /// <summary>
    /// Makes a console of a request for a WebSocket. What is wrong with the request is thrown; whatever goes wrong from
    /// then on is told by how the WebSocket is closed, which is all that a browser shows of it.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="machine">Whose console.</param>
    /// <param name="ticket">As it was given; null when there is none.</param>
    /// <param name="nodeEnds">The node's program is to end.</param>
    public async Task ServeAsync(HttpContext http, MachineKey machine, string? ticket, CancellationToken nodeEnds)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            throw new BadHttpRequestException(
                "expected a request to open a WebSocket, found another", StatusCodes.Status426UpgradeRequired);
        }

        var redeemed = _tickets.Redeem(ticket ?? "", machine)
            ?? throw new BadHttpRequestException(
                "expected a ticket for this machine that is new and was not used, found another",
                StatusCodes.Status403Forbidden,
                new InvalidOperationException("POST .../console gives one; it can be used once, within seconds"));
        var wire = ConsoleWire.For(redeemed.Request);
        var offered = http.WebSockets.WebSocketRequestedProtocols;
        if (offered.Count > 0 && !offered.Contains(wire.Protocol))
        {
            throw new BadHttpRequestException(
                $"Sec-WebSocket-Protocol: expected none or {wire.Protocol}, found {string.Join(", ", offered)}");
        }

        using var place = Enter();
        using var socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            SubProtocol = offered.Count > 0 ? wire.Protocol : null,
            KeepAliveInterval = limits.KeepAlive,
            KeepAliveTimeout = limits.KeepAlive,
        }).ConfigureAwait(false);
        try
        {
            await RunAsync(
                socket, machine, redeemed.Request, wire, http.RequestAborted, nodeEnds).ConfigureAwait(false);
        }
        catch (ProblemException e)
        {
            await RefuseAsync(socket, ConsoleClose.Of(e.Problem)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (nodeEnds.IsCancellationRequested)
        {
            await RefuseAsync(socket, ConsoleClose.NodeEnds).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            Bug(_log, machine.Number.Value, e);
            await RefuseAsync(socket, ConsoleClose.Mistake).ConfigureAwait(false);
        }
    }

    private async Task RunAsync(
        WebSocket socket, MachineKey machine, ConsoleRequest request, ConsoleWire wire, CancellationToken gone,
        CancellationToken nodeEnds)
    {
        using var opening = CancellationTokenSource.CreateLinkedTokenSource(gone, nodeEnds);
        await using var channel = await node.OpenAsync(machine, request, opening.Token).ConfigureAwait(false);
        await new ConsoleSession(socket, channel, wire, limits, time).RunAsync(gone, nodeEnds).ConfigureAwait(false);
    }

    /// <summary>Closes what did not come to be; nothing where it is closed already.</summary>
    private async Task RefuseAsync(WebSocket socket, ConsoleClose close)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
            return;
        using var limit = new CancellationTokenSource(limits.Farewell, time);
        try
        {
            await socket.CloseAsync((WebSocketCloseStatus)close.Code, close.Text, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            socket.Abort();
        }
    }

    [LoggerMessage(LogLevel.Error, "A console of machine {Machine} failed")]
    private static partial void Bug(ILogger log, int machine, Exception exception);

    /// <summary>One of the places for what stays open.</summary>
    public sealed class Place(ConsoleDesk desk) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref desk._open);
    }
}
