using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>
/// A client of QEMU's machine protocol (QMP) on a Unix socket. Safe for use from many threads: commands are
/// pipelined and matched by id. QEMU serves one client per socket; a second one is accepted but not greeted.
/// </summary>
public sealed partial class QmpClient : IQemuMonitor, IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly QmpOptions _options;
    private readonly string _where;
    private readonly LineReader _lines;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly SemaphoreSlim _passing = new(1, 1);
    private readonly ConcurrentDictionary<long, Pending> _pending = new();
    private readonly ConcurrentDictionary<QmpSubscription, byte> _subscriptions = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<QmpConnectionException> _closed =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task _receiving = Task.CompletedTask;
    private long _lastId;
    private long _lastEvent; // the receiving loop's own

    private QmpClient(Socket socket, string where, QmpOptions options)
    {
        _socket = socket;
        _where = where;
        _options = options;
        _lines = new LineReader(socket, options.MaxMessageBytes);
    }

    private sealed record Pending(string Command, TaskCompletionSource<QmpAnswer> Answer);

    /// <summary>The version in QEMU's greeting.</summary>
    public QmpVersion Version { get; private set; } = null!;

    /// <summary>Completes, never fails, when the connection has ended; its value says why.</summary>
    public Task<QmpConnectionException> Closed => _closed.Task;

    public async Task<JsonElement> ExecuteAsync(
        string command, JsonObject? arguments = null, CancellationToken cancellationToken = default) =>
        (await ExecuteInOrderAsync(command, arguments, cancellationToken).ConfigureAwait(false)).Value;

    public async Task<QmpAnswer> ExecuteInOrderAsync(
        string command, JsonObject? arguments = null, CancellationToken cancellationToken = default) =>
        await SendAsync(command, arguments, descriptor: null, cancellationToken).ConfigureAwait(false);

    public async Task<string> HumanMonitorAsync(string line, CancellationToken cancellationToken = default)
    {
        var answer = await ExecuteAsync(
            "human-monitor-command", new JsonObject { ["command-line"] = line }, cancellationToken)
            .ConfigureAwait(false);
        return answer.GetString() ?? "";
    }

    public QmpSubscription Subscribe(params ReadOnlySpan<string> names)
    {
        var subscription = new QmpSubscription(
            _options.EventCapacity, names, s => _subscriptions.TryRemove(s, out _));
        _subscriptions[subscription] = 0;
        if (_closed.Task.IsCompletedSuccessfully)
            subscription.Fail(Lost());
        return subscription;
    }

    /// <summary>
    /// Gives QEMU a file under a name (<c>getfd</c>), for <c>fd:NAME</c> in a later command such as
    /// <c>migrate</c>. A file of the same name is replaced. QEMU has its own copy when this returns.
    /// </summary>
    public Task PassDescriptorAsync(string name, SafeHandle file, CancellationToken cancellationToken = default) =>
        SendWithDescriptorAsync("getfd", new JsonObject { ["fdname"] = name }, file, cancellationToken);

    public async Task<QmpFdSetEntry> AddDescriptorAsync(
        SafeHandle file, int? fdset = null, string? note = null, CancellationToken cancellationToken = default)
    {
        var arguments = new JsonObject();
        if (fdset is { } number)
            arguments["fdset-id"] = number;
        if (note is not null)
            arguments["opaque"] = note;
        var answer = await SendWithDescriptorAsync("add-fd", arguments, file, cancellationToken).ConfigureAwait(false);
        return new QmpFdSetEntry(
            answer.GetProperty("fdset-id"u8).GetInt32(), answer.GetProperty("fd"u8).GetInt32());
    }

    public async ValueTask DisposeAsync()
    {
        End(new QmpConnectionException($"the connection to {_where} was closed by this program"));
        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
    }

    /// <summary>
    /// One at a time: QEMU keeps the descriptors of one message only, until the next that carries any.
    /// </summary>
    private async Task<JsonElement> SendWithDescriptorAsync(
        string command, JsonObject arguments, SafeHandle file, CancellationToken cancellationToken)
    {
        await _passing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return (await SendAsync(command, arguments, file, cancellationToken).ConfigureAwait(false)).Value;
        }
        finally
        {
            _passing.Release();
        }
    }

    private async Task<QmpAnswer> SendAsync(
        string command, JsonObject? arguments, SafeHandle? descriptor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var id = Interlocked.Increment(ref _lastId);
        var bytes = QmpMessages.Command(command, arguments, id);
        var pending = new Pending(command, new(TaskCreationOptions.RunContinuationsAsynchronously));
        _pending[id] = pending;
        try
        {
            if (_closed.Task.IsCompletedSuccessfully)
                throw Lost();
            return await WriteThenAnswerAsync(bytes, descriptor, pending)
                .WaitAsync(_options.CommandTimeout, _options.Clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(
                $"QEMU did not answer '{command}' within {_options.CommandTimeout.TotalSeconds:0.#} s ({_where})", e);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    private async Task<QmpAnswer> WriteThenAnswerAsync(
        ReadOnlyMemory<byte> bytes, SafeHandle? descriptor, Pending pending)
    {
        await WriteAsync(bytes, descriptor).ConfigureAwait(false);
        return await pending.Answer.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// A message that was begun is finished even if its caller gave up: half a message would spoil the stream.
    /// </summary>
    private async Task WriteAsync(ReadOnlyMemory<byte> bytes, SafeHandle? descriptor)
    {
        // Held until it is written, else its number could by then be another file's.
        var held = false;
        try
        {
            descriptor?.DangerousAddRef(ref held);
            await _writing.WaitAsync(_ending.Token).ConfigureAwait(false);
            try
            {
                while (descriptor is not null)
                {
                    var number = (int)descriptor.DangerousGetHandle();
                    var sent = DescriptorSender.TrySend(_socket, bytes.Span, number);
                    if (sent > 0)
                    {
                        bytes = bytes[sent..];
                        break;
                    }
                    await Task.Delay(TimeSpan.FromMilliseconds(2), _options.Clock, _ending.Token)
                        .ConfigureAwait(false);
                }
                while (!bytes.IsEmpty)
                {
                    var sent = await _socket.SendAsync(bytes, _ending.Token).ConfigureAwait(false);
                    bytes = bytes[sent..];
                }
            }
            finally
            {
                _writing.Release();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            End(new QmpConnectionException($"writing to {_where} failed: {e.Message}", e));
            throw Lost();
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            throw Lost();
        }
        finally
        {
            if (held)
                descriptor!.DangerousRelease();
        }
    }

    private async Task ReceiveLoopAsync()
    {
        try
        {
            while (await _lines.ReadAsync(_ending.Token).ConfigureAwait(false) is { } line)
            {
                if (!IsBlank(line.Span))
                    Dispatch(Parse(line));
            }
            End(new QmpConnectionException($"QEMU closed its monitor ({_where}): it has ended or was killed"));
        }
        catch (OperationCanceledException)
        {
            End(new QmpConnectionException($"the connection to {_where} was closed by this program"));
        }
        catch (QmpConnectionException e)
        {
            End(e);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            End(new QmpConnectionException($"reading from {_where} failed: {e.Message}", e));
        }
    }

    private void Dispatch(JsonElement message)
    {
        if (QmpMessages.Event(message, _lastEvent + 1) is { } happened)
        {
            _lastEvent++;
            foreach (var (subscription, _) in _subscriptions)
                subscription.Offer(happened);
            return;
        }
        var failed = message.TryGetProperty("error"u8, out var error);
        if (!message.TryGetProperty("id"u8, out var id) || !id.TryGetInt64(out var number))
        {
            // QEMU could not even read what it was sent, so it is unknown which call this belongs to.
            throw new QmpConnectionException($"QEMU answered without an id ({_where}): {Shorten(message.ToString())}");
        }
        if (!_pending.TryGetValue(number, out var pending))
            return; // its caller gave up
        if (failed)
        {
            var (errorClass, description) = QmpMessages.Error(error);
            pending.Answer.TrySetException(new QmpException(pending.Command, errorClass, description));
        }
        else if (message.TryGetProperty("return"u8, out var value))
            pending.Answer.TrySetResult(new QmpAnswer(value, _lastEvent));
    }

    private void End(QmpConnectionException reason)
    {
        if (!_closed.TrySetResult(reason))
            return;
        _ending.Cancel();
        foreach (var (_, pending) in _pending)
            pending.Answer.TrySetException(Again(reason));
        foreach (var (subscription, _) in _subscriptions)
            subscription.Fail(Again(reason));
    }

    // Each caller gets an exception object of its own: a shared one would mix their stack traces.
    private QmpConnectionException Lost() => Again(_closed.Task.GetAwaiter().GetResult());

    private static QmpConnectionException Again(QmpConnectionException reason) => new(reason.Message, reason);

    private JsonElement Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            var message = JsonElement.Parse(line.Span);
            if (message.ValueKind == JsonValueKind.Object)
                return message;
        }
        catch (JsonException)
        {
            // said below, with what was found
        }
        throw new QmpConnectionException(
            $"expected a JSON object from {_where}, found: {Shorten(System.Text.Encoding.UTF8.GetString(line.Span))}");
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.Trim(" \r\t"u8).IsEmpty;

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}

/// <summary>Where a passed file sits: <c>/dev/fdset/SET</c>, with its number inside QEMU.</summary>
public readonly record struct QmpFdSetEntry(int Set, int Descriptor);
