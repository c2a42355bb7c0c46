using Microsoft.AspNetCore.Http;

namespace Gantry.Control.Api;

/// <summary>Knows whether anybody needs the node.</summary>
internal sealed class RequestCount(TimeProvider time)
{
    private int _open;
    private long _lastTicks = time.GetUtcNow().UtcTicks;

    /// <summary>The requests under way.</summary>
    public int Open => Volatile.Read(ref _open);

    public DateTimeOffset LastUse => Volatile.Read(ref _open) > 0
        ? time.GetUtcNow() : new DateTimeOffset(Volatile.Read(ref _lastTicks), TimeSpan.Zero);

    public async Task CountAsync(RequestDelegate next, HttpContext http)
    {
        Interlocked.Increment(ref _open);
        try
        {
            await next(http).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _lastTicks, time.GetUtcNow().UtcTicks);
            Interlocked.Decrement(ref _open);
        }
    }
}
