using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gantry.Model;
using Gantry.Model.Nodes;

namespace Gantry.Control.Consoles;

/// <summary>What a ticket lets its bearer do, once.</summary>
internal sealed record ConsoleTicket(MachineKey Machine, ConsoleRequest Request, DateTimeOffset Expires);

/// <summary>
/// Tickets that were given and not used yet. A browser can't send a token along with a WebSocket, and what stands in an
/// address is soon in a log: so it is worth nothing a moment later. Only hashes are kept.
/// </summary>
internal sealed class ConsoleTickets(ConsoleLimits limits, TimeProvider time)
{
    /// <summary>256 bits can't be guessed.</summary>
    private const int Length = 32;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ConsoleTicket> _tickets = new(StringComparer.Ordinal);

    /// <exception cref="ProblemException">Too many wait to be used.</exception>
    public (string Text, ConsoleTicket Ticket) Issue(MachineKey machine, ConsoleRequest request)
    {
        var text = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Length));
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_tickets.Count >= limits.MostTickets)
                Forget(now);
            if (_tickets.Count >= limits.MostTickets)
            {
                throw new ProblemException(
                    ProblemKind.Unavailable,
                    $"{_tickets.Count} console tickets wait to be used, and there can be no more",
                    $"one that is not used goes after {limits.TicketLife.TotalSeconds:0} s");
            }

            var ticket = new ConsoleTicket(machine, request, now + limits.TicketLife);
            _tickets.Add(HashOf(text), ticket);
            return (text, ticket);
        }
    }

    /// <summary>The ticket, which is used up by this; null when it can't be used, for a machine or at all.</summary>
    public ConsoleTicket? Redeem(string text, MachineKey machine)
    {
        lock (_gate)
        {
            return _tickets.Remove(HashOf(text), out var ticket) && ticket.Expires > time.GetUtcNow()
                && ticket.Machine == machine
                ? ticket : null;
        }
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (hash, ticket) in _tickets)
        {
            if (ticket.Expires <= now)
                _tickets.Remove(hash);
        }
    }

    private static string HashOf(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
