using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Agent.Assignments;

/// <summary>The machine is no longer recorded, or another has its number.</summary>
internal sealed class MachineGoneException : Exception;

/// <summary>
/// Writes one machine's status. Nobody else does, except for whoever deletes the machine: its status goes with it, and
/// is not made again.
/// </summary>
internal sealed class StatusWriter(IStateStore store, MachineNumber number, Guid uuid)
{
    private readonly DocumentCollection<MachineStatus> _statuses = RunningRecords.Statuses(store);
    private readonly DocumentCollection<MachineRecord> _machines = RunningRecords.Machines(store);
    private readonly string _id = RunningRecords.Id(number);
    private Document<MachineStatus>? _last;

    /// <summary>Null before there is one.</summary>
    public MachineStatus? Last => _last?.Value;

    public async Task ReadAsync(CancellationToken cancellationToken) =>
        _last = await _statuses.GetAsync(_id, cancellationToken).ConfigureAwait(false);

    /// <exception cref="MachineGoneException">There is nothing to write a status of.</exception>
    public async Task WriteAsync(MachineStatus status, CancellationToken cancellationToken)
    {
        while (_last?.Value != status)
        {
            var written = _last is null
                ? await CreateAsync(status, cancellationToken).ConfigureAwait(false)
                : await _statuses.ReplaceAsync(_last, status, cancellationToken).ConfigureAwait(false);
            if (written is not null)
                _last = written;
            else
                await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Document<MachineStatus>?> CreateAsync(MachineStatus status, CancellationToken cancellationToken)
    {
        var machine = await _machines.GetAsync(_id, cancellationToken).ConfigureAwait(false);
        if (machine is null || machine.Value.Uuid != uuid)
            throw new MachineGoneException();
        await store.CommitAsync(
            new StateTransaction
            {
                When = [_machines.Unchanged(machine), _statuses.Absent(_id)],
                Then = [_statuses.Put(_id, status)],
            },
            cancellationToken).ConfigureAwait(false);
        return await _statuses.GetAsync(_id, cancellationToken).ConfigureAwait(false);
    }
}
