using System.Buffers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Model;

namespace Gantry.Engines.Qemu.Running;

/// <summary>
/// Talks to QEMU's guest agent on its serial port: one connection for a command, opened with a synchronization, since
/// nobody knows what an earlier speaker left in the channel (QEMU's docs/interop/qemu-ga).
/// </summary>
internal static class GuestAgent
{
    /// <summary>guest-file-read's largest answer is 48 MB before base64; nothing of ours asks for that much.</summary>
    private const int MaxAnswerBytes = 16 * 1024 * 1024;

    /// <summary>Old answers in the channel that are read past.</summary>
    private const int MaxStaleLines = 1000;

    /// <exception cref="ProblemException">No answer in time, or the agent refused.</exception>
    public static async Task<JsonElement> RunAsync(
        string socketPath, string command, JsonObject? arguments, TimeSpan timeout, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = new CancellationTokenSource(timeout, clock);
        using var link = timer.Token.Register(deadline.Cancel);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), deadline.Token).ConfigureAwait(false);
            var lines = new LineReader(socket, MaxAnswerBytes);
            await SynchronizeAsync(socket, lines, deadline.Token).ConfigureAwait(false);
            await SendAsync(socket, command, arguments, deadline.Token).ConfigureAwait(false);
            var answer = await NextAsync(lines, deadline.Token).ConfigureAwait(false);
            if (answer.TryGetProperty("return"u8, out var value))
                return value;
            var reason = answer.TryGetProperty("error"u8, out var error) && error.TryGetProperty("desc"u8, out var desc)
                ? desc.ToString() : answer.ToString();
            throw new ProblemException(ProblemKind.Failed, $"the guest agent refused '{command}': {reason}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(
                ProblemKind.TimedOut,
                $"the guest agent did not answer '{command}' within {timeout.TotalSeconds:0.#} s",
                "qemu-guest-agent must be installed and running in the guest");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"the guest agent can't be reached: {e.Message}", inner: e);
        }
    }

    /// <summary>
    /// The delimiter ends whatever half command is in the agent's parser; then everything up to our own number is old.
    /// </summary>
    private static async Task SynchronizeAsync(Socket socket, LineReader lines, CancellationToken cancellationToken)
    {
        // Any number will do as long as no earlier speaker chose it.
        var id = RandomNumberGenerator.GetInt32(1, int.MaxValue);
        await socket.SendAsync(new byte[] { 0xff }, cancellationToken).ConfigureAwait(false);
        await SendAsync(socket, "guest-sync", new JsonObject { ["id"] = id }, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < MaxStaleLines; i++)
        {
            var answer = await NextAsync(lines, cancellationToken).ConfigureAwait(false);
            if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("return"u8, out var value)
                && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var found) && found == id)
                return;
        }
        throw new IOException("the channel is full of other answers");
    }

    private static async Task<JsonElement> NextAsync(LineReader lines, CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = await lines.ReadAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new IOException("QEMU closed the channel");
            try
            {
                var message = JsonElement.Parse(line.Span.Trim([(byte)0xff, (byte)'\r', (byte)' ']));
                if (message.ValueKind == JsonValueKind.Object)
                    return message;
            }
            catch (JsonException)
            {
                // The rest of something older.
            }
        }
    }

    private static async Task SendAsync(
        Socket socket, string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("execute"u8, command);
            if (arguments is { Count: > 0 })
            {
                writer.WritePropertyName("arguments"u8);
                arguments.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        for (var rest = buffer.WrittenMemory; !rest.IsEmpty;)
            rest = rest[await socket.SendAsync(rest, cancellationToken).ConfigureAwait(false)..];
    }
}
