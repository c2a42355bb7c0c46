using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>
/// The part of a QEMU monitor that the keyboard, the screen and the engine need; a seam for tests.
/// </summary>
public interface IQemuMonitor
{
    /// <summary>Runs one QMP command and gives its <c>return</c> value (often an empty object).</summary>
    /// <exception cref="QmpException">QEMU refused the command.</exception>
    /// <exception cref="QmpConnectionException">The connection is, or was during the call, lost.</exception>
    /// <exception cref="TimeoutException">QEMU did not answer within the command timeout.</exception>
    Task<JsonElement> ExecuteAsync(
        string command, JsonObject? arguments = null, CancellationToken cancellationToken = default);

    /// <summary>Like <see cref="ExecuteAsync"/>, and tells where among the events the answer stands.</summary>
    Task<QmpAnswer> ExecuteInOrderAsync(
        string command, JsonObject? arguments = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs one line of the human monitor and gives what it printed. QEMU has no error channel there:
    /// a refusal is text too.
    /// </summary>
    Task<string> HumanMonitorAsync(string line, CancellationToken cancellationToken = default);

    /// <summary>
    /// Starts to collect events at once, so that nothing is missed between this call and the first read.
    /// </summary>
    /// <param name="names">The event names wanted, for example <c>SHUTDOWN</c>; none means every event.</param>
    QmpSubscription Subscribe(params ReadOnlySpan<string> names);

    /// <summary>
    /// Adds a file to a set (<c>add-fd</c>), for <c>/dev/fdset/N</c> where QEMU takes a path. QEMU uses it only
    /// with the access that it was opened with.
    /// </summary>
    /// <param name="fdset">The set's number; null lets QEMU choose.</param>
    /// <param name="note">Free text that <c>query-fdsets</c> shows.</param>
    Task<QmpFdSetEntry> AddDescriptorAsync(
        SafeHandle file, int? fdset = null, string? note = null, CancellationToken cancellationToken = default);
}
