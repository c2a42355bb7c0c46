using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Running;
using Gantry.Model.State;

namespace Gantry.Machines.Catalog;

/// <summary>
/// The machines' records: numbers and names are unique because each has a key of its own, made in the same transaction
/// as the record.
/// </summary>
public sealed class MachineCatalog(IStateStore store)
{
    private const string NamePrefix = "machine-names/";

    private readonly DocumentCollection<MachineRecord> _records = RunningRecords.Machines(store);

    public async ValueTask<ImmutableArray<MachineRecord>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _records.ListAsync(cancellationToken).ConfigureAwait(false))
            .Select(document => document.Value).OrderBy(record => record.Number)];

    /// <summary>What a list shows of each, by number; much sooner than <see cref="ListAsync"/> in a new process.</summary>
    public async ValueTask<ImmutableArray<MachineOutline>> OutlinesAsync(CancellationToken cancellationToken) =>
        (await _records.ListPartsAsync(MachineOutline.Read, cancellationToken).ConfigureAwait(false))
            .Sort((left, right) => left.Number.CompareTo(right.Number));

    public async ValueTask<MachineRecord?> FindAsync(MachineNumber number, CancellationToken cancellationToken) =>
        (await _records.GetAsync(RunningRecords.Id(number), cancellationToken).ConfigureAwait(false))?.Value;

    /// <summary>By name or number, as people give it.</summary>
    /// <exception cref="ProblemException">There is none; the message offers names that are near.</exception>
    public async ValueTask<MachineRecord> GetAsync(string nameOrNumber, CancellationToken cancellationToken)
    {
        if (await FindAsync(nameOrNumber, cancellationToken).ConfigureAwait(false) is { } found)
            return found;
        var all = await ListAsync(cancellationToken).ConfigureAwait(false);
        throw new ProblemException(
            ProblemKind.NotFound,
            $"there is no machine '{nameOrNumber}'",
            NearNames.Suggest(nameOrNumber, all.Select(record => record.Spec.Name))
                ?? (all.Length == 0
                    ? "there are no machines yet: gantry launch makes one" : "gantry list shows all machines"));
    }

    public async ValueTask<MachineRecord?> FindAsync(string nameOrNumber, CancellationToken cancellationToken)
    {
        if (MachineNumber.TryParse(nameOrNumber, out var number))
            return await FindAsync(number, cancellationToken).ConfigureAwait(false);
        if (!Names.IsValid(nameOrNumber))
            return null;
        var entry = await store.GetAsync(NamePrefix + nameOrNumber, cancellationToken).ConfigureAwait(false);
        return entry is null || !MachineNumber.TryParse(Encoding.ASCII.GetString(entry.Value.Span), out number)
            ? null
            : await FindAsync(number, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Records a machine, together with changes of the caller's. Null when everything was written; otherwise which of
    /// the conditions did not hold.
    /// </summary>
    /// <exception cref="ProblemException">The name is taken.</exception>
    public async ValueTask<bool> TryAddAsync(
        MachineRecord machine,
        IEnumerable<StateCompare> conditions,
        IEnumerable<StateOperation> changes,
        CancellationToken cancellationToken)
    {
        var nameKey = NamePrefix + machine.Spec.Name;
        var commit = await store.CommitAsync(
            new StateTransaction
            {
                When = [_records.Absent(RunningRecords.Id(machine.Number)), new StateCompare.Absent(nameKey), .. conditions],
                Then =
                [
                    _records.Put(RunningRecords.Id(machine.Number), machine),
                    new StateOperation.Put(nameKey, Encoding.ASCII.GetBytes(machine.Number.ToString())),
                    .. changes,
                ],
                Else = [new StateRead.Get(nameKey)],
            },
            cancellationToken).ConfigureAwait(false);
        if (commit.Succeeded)
            return true;
        if (commit.Reads[0].Entries.Length > 0)
            throw NameTaken(machine.Spec.Name);
        return false;
    }

    /// <summary>The lowest number that no machine has.</summary>
    public async ValueTask<MachineNumber> NextNumberAsync(CancellationToken cancellationToken)
    {
        var next = MachineNumber.First;
        foreach (var machine in await ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (machine.Number.Value != next)
                break;
            next++;
        }

        return new MachineNumber(next);
    }

    /// <summary>Changes a record; a new name moves its key in the same transaction.</summary>
    /// <exception cref="ProblemException">The machine is gone, or the new name is taken.</exception>
    public async ValueTask<MachineRecord> UpdateAsync(
        MachineNumber number,
        Func<MachineRecord, MachineRecord> change,
        CancellationToken cancellationToken,
        Func<MachineRecord, MachineRecord, IEnumerable<StateOperation>>? alsoDo = null)
    {
        for (var attempt = 0; attempt < DocumentCollection<MachineRecord>.MaxAttempts; attempt++)
        {
            var read = await _records.GetAsync(RunningRecords.Id(number), cancellationToken).ConfigureAwait(false)
                ?? throw new ProblemException(
                    ProblemKind.NotFound, string.Create(CultureInfo.InvariantCulture, $"machine {number} is gone"));
            var changed = change(read.Value);
            var extra = alsoDo?.Invoke(read.Value, changed) ?? [];
            var transaction = new StateTransaction
            {
                When = [_records.Unchanged(read)],
                Then = [_records.Put(read.Id, changed), .. extra],
            };
            if (changed.Spec.Name != read.Value.Spec.Name)
                transaction = Rename(transaction, read.Value, changed);
            var commit = await store.CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
            if (commit.Succeeded)
                return changed;
            if (commit.Reads is [{ Entries.Length: > 0 }])
                throw NameTaken(changed.Spec.Name);
        }

        throw new DocumentConflictException(_records.KeyOf(RunningRecords.Id(number)), DocumentCollection<MachineRecord>.MaxAttempts);
    }

    /// <summary>
    /// Takes a record away if it is still as it was read, with changes of the caller's; whether it did.
    /// </summary>
    public async ValueTask<bool> TryRemoveAsync(
        MachineRecord machine,
        IEnumerable<StateCompare> conditions,
        IEnumerable<StateOperation> changes,
        CancellationToken cancellationToken)
    {
        var read = await _records.GetAsync(RunningRecords.Id(machine.Number), cancellationToken).ConfigureAwait(false);
        if (read is null || read.Value != machine)
            return false;
        var commit = await store.CommitAsync(
            new StateTransaction
            {
                When = [_records.Unchanged(read), .. conditions],
                Then = [_records.Delete(read.Id), new StateOperation.Delete(NamePrefix + machine.Spec.Name), .. changes],
            },
            cancellationToken).ConfigureAwait(false);
        return commit.Succeeded;
    }

    private static StateTransaction Rename(StateTransaction transaction, MachineRecord before, MachineRecord after) =>
        transaction with
        {
            When = transaction.When.Add(new StateCompare.Absent(NamePrefix + after.Spec.Name)),
            Then =
            [
                .. transaction.Then,
                new StateOperation.Delete(NamePrefix + before.Spec.Name),
                new StateOperation.Put(NamePrefix + after.Spec.Name, Encoding.ASCII.GetBytes(after.Number.ToString())),
            ],
            Else = [new StateRead.Get(NamePrefix + after.Spec.Name)],
        };

    private static ProblemException NameTaken(string name) => new(
        ProblemKind.Conflict, $"there is already a machine '{name}'",
        $"choose another name, or delete that one: gantry delete {name}");
}
