using Gantry.Control.Cache;
using Gantry.Control.Consoles;
using Gantry.Control.Intents;
using Gantry.Model.State;

namespace Gantry.Control.Api;

/// <summary>What the endpoints work with.</summary>
internal sealed record Services
{
    public required IStateStore Store { get; init; }

    public required ClusterCache Cache { get; init; }

    public required PowerDesk Desk { get; init; }

    public required ConsoleDesk Consoles { get; init; }

    public required TimeProvider Time { get; init; }

    public required NodeResource Node { get; init; }

    public StateIdentity Identity => Store.Identity;
}
