using System.Text.Json;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Running;

namespace Gantry.Engines.Qemu;

public sealed partial class QemuGuest
{
    private static readonly TimeSpan AgentPatience = TimeSpan.FromSeconds(5);

    public Task<JsonElement> GuestAgentAsync(
        string command, JsonObject? arguments = null, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default) =>
        GuestAgent.RunAsync(
            _run.GuestAgent, command, arguments, timeout ?? AgentPatience, _clock, cancellationToken);
}
