using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Builds;

internal sealed partial class BuildSession
{
    private const string CommunicatorAddress = "127.0.0.1";

    /// <summary>Each time another program was quicker; more often than this is no coincidence.</summary>
    private const int MostPorts = 8;

    private async Task StartAsync(string? memoryFile, CancellationToken cancellationToken)
    {
        for (var tried = 1; ; tried++)
        {
            try
            {
                _machine = await BuildMachine.StartAsync(
                    _services, Source, _randoms!, Log, _record!, memoryFile, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (ProblemException) when (tried < MostPorts && _randoms!.CommunicatorPort is > 0 and var port
                && !HostPorts.IsFree(CommunicatorAddress, port))
            {
                await ChangePortAsync(port, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private int ChoosePort() => HostPorts.Choose(
        CommunicatorAddress, Source.Communicator.HostPortMin, Source.Communicator.HostPortMax, new HashSet<int>());

    /// <summary>Another program, a build beside this one perhaps, took the port between its choice and the start.</summary>
    private async Task ChangePortAsync(int taken, CancellationToken cancellationToken)
    {
        _randoms!.CommunicatorPort = ChoosePort();
        Log.Note($"Port {taken} was taken meanwhile: going on with port {_randoms.CommunicatorPort}");
        PublishedPort Change(PublishedPort port) =>
            port.HostPort == taken ? port with { HostPort = _randoms.CommunicatorPort } : port;
        _record = await _services.Machines.UpdateAsync(
            _record!.Number,
            machine => machine with
            {
                Spec = machine.Spec with
                {
                    NetworkCards = machine.Spec.NetworkCards
                        .Select(card => card with { Published = card.Published.Select(Change).ToValueList() })
                        .ToValueList(),
                },
            },
            cancellationToken).ConfigureAwait(false);
    }
}
