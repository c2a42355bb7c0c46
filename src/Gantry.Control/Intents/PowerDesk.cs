using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Control.Intents;

/// <summary>What somebody asks of a machine's power.</summary>
public sealed record PowerRequest
{
    public required PowerState Wanted { get; init; }

    public StopManner Manner { get; init; }

    /// <summary>Seconds that the guest has to shut down.</summary>
    public int PatienceSeconds { get; init; } = PowerIntent.UsualPatience;

    /// <summary>A run that begins after this request.</summary>
    public bool Anew { get; init; }
}

/// <summary>What became of a request: it is fulfilled already, or recorded.</summary>
public sealed record PowerAdmission
{
    public required MachineNumber Machine { get; init; }

    /// <summary>The intent that stands for it; it is settled when the machine's status says so.</summary>
    public required long Sequence { get; init; }

    /// <summary>Nothing was to be done.</summary>
    public required bool Done { get; init; }
}

/// <summary>
/// Admits or refuses what is asked of machines' power, and records what it admits before anything happens.
/// </summary>
public sealed class PowerDesk(IStateStore store, TimeProvider time)
{
    /// <summary>Seconds; longer than any guest's shutdown.</summary>
    private const int MostPatience = 24 * 3600;

    private readonly DocumentCollection<MachineRecord> _machines = RunningRecords.Machines(store);
    private readonly DocumentCollection<PowerIntent> _intents = RunningRecords.Intents(store);
    private readonly DocumentCollection<MachineStatus> _statuses = RunningRecords.Statuses(store);

    /// <param name="machine">The machine's number.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancellationToken">Ends it before anything is recorded, or after.</param>
    /// <exception cref="ProblemException">Refused; the summary says why.</exception>
    public async Task<PowerAdmission> AdmitAsync(
        MachineNumber machine, PowerRequest request, string by, CancellationToken cancellationToken)
    {
        if (request.PatienceSeconds is < 0 or > MostPatience)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"timeout: expected 0 to {MostPatience} seconds, found {request.PatienceSeconds}");
        }

        var id = RunningRecords.Id(machine);
        for (var attempt = 0; attempt < DocumentCollection<PowerIntent>.MaxAttempts; attempt++)
        {
            var record = await _machines.GetAsync(id, cancellationToken).ConfigureAwait(false)
                ?? throw new ProblemException(ProblemKind.NotFound, $"there is no machine {machine}");
            if (record.Value.Role != MachineRole.Ordinary)
            {
                throw new ProblemException(
                    ProblemKind.Conflict, $"{record.Value.Spec.Name} belongs to a build, which starts and ends it",
                    "wait for the build, or cancel it");
            }

            var intent = await _intents.GetAsync(id, cancellationToken).ConfigureAwait(false);
            var status = await _statuses.GetAsync(id, cancellationToken).ConfigureAwait(false);
            var known = intent?.Value.Machine == record.Value.Uuid ? intent.Value : null;
            var seen = status?.Value.Machine == record.Value.Uuid ? status.Value : null;
            if (Standing(request, known, seen) is { } done)
                return new PowerAdmission { Machine = machine, Sequence = known!.Sequence, Done = done };
            var next = new PowerIntent
            {
                Sequence = (known?.Sequence ?? 0) + 1,
                Machine = record.Value.Uuid,
                Wanted = request.Wanted,
                Manner = request.Manner,
                PatienceSeconds = request.PatienceSeconds,
                Anew = request.Anew,
                By = by,
                At = time.GetUtcNow(),
            };
            var commit = await store.CommitAsync(
                new StateTransaction
                {
                    When =
                    [
                        _machines.Unchanged(record), intent is null ? _intents.Absent(id) : _intents.Unchanged(intent),
                    ],
                    Then = [_intents.Put(id, next)],
                },
                cancellationToken).ConfigureAwait(false);
            if (commit.Succeeded)
                return new PowerAdmission { Machine = machine, Sequence = next.Sequence, Done = false };
        }

        throw new DocumentConflictException(_intents.KeyOf(id), DocumentCollection<PowerIntent>.MaxAttempts);
    }

    /// <summary>
    /// Whether the newest intent stands for the request: true when it is fulfilled, false when it is under way, null
    /// when a new one is needed.
    /// </summary>
    private static bool? Standing(PowerRequest request, PowerIntent? intent, MachineStatus? status)
    {
        // A restart is a new wish each time.
        if (intent is null || intent.Wanted != request.Wanted || request.Anew)
            return null;
        if ((status?.Settled ?? 0) >= intent.Sequence)
        {
            var stopped = status!.Phase == MachinePhase.Stopped;
            return stopped == (request.Wanted == PowerState.Stopped) ? true : null;
        }

        // Pulling the plug of a guest that is shutting down is another wish; pressing its button is not.
        var covers = intent.Manner == request.Manner || intent.Manner == StopManner.Kill;
        return request.Wanted == PowerState.Running || covers ? false : null;
    }
}
