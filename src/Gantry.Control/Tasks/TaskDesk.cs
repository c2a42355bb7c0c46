using System.Security.Cryptography;
using System.Text;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Model.Tasks;

namespace Gantry.Control.Tasks;

/// <summary>Who asks for a task, and under which key.</summary>
/// <param name="By">A user's name, or a part of Gantry.</param>
/// <param name="Key">
/// What the asker calls this one request, so that asking again after a lost answer does not do it twice; null asks anew
/// each time.
/// </param>
public sealed record TaskAsker(string By, string? Key = null);

/// <summary>Records what is to be done, before anything of it happens.</summary>
public sealed class TaskDesk(IStateStore store, TimeProvider time, IEntropy entropy)
{
    private const int LongestKey = 255;

    private readonly DocumentCollection<TaskOrder> _orders = TaskRecords.Orders(store);

    /// <summary>Records an order; with a key that was used before, gives the order of that time.</summary>
    /// <param name="node">Who is to do it.</param>
    /// <param name="work">What.</param>
    /// <param name="asker">Who asks.</param>
    /// <param name="cancellationToken">Ends it before anything is recorded, or after.</param>
    /// <exception cref="ProblemException">The key was used for something else.</exception>
    public async Task<TaskOrder> AdmitAsync(
        string node, TaskWork work, TaskAsker asker, CancellationToken cancellationToken)
    {
        var key = asker.Key is { } text ? Digest(asker.By, text) : null;
        for (var attempt = 0; attempt < DocumentCollection<TaskOrder>.MaxAttempts; attempt++)
        {
            if (key is not null && await FindByKeyAsync(key, cancellationToken).ConfigureAwait(false) is { } before)
            {
                return before.Work == work ? before : throw new ProblemException(
                    ProblemKind.Conflict,
                    $"this Idempotency-Key was used for another request, which is task {before.Id}",
                    "use a new key for each thing that is asked for");
            }

            var now = time.GetUtcNow();
            var order = new TaskOrder
            {
                Id = TaskRecords.NewId(now, entropy),
                Node = node,
                Work = work,
                By = asker.By,
                At = now,
                Key = key,
            };
            var conditions = new List<StateCompare> { _orders.Absent(order.Id) };
            var changes = new List<StateOperation> { _orders.Put(order.Id, order) };
            if (key is not null)
            {
                conditions.Add(new StateCompare.Absent(TaskRecords.KeyOf(key)));
                changes.Add(new StateOperation.Put(TaskRecords.KeyOf(key), Encoding.ASCII.GetBytes(order.Id)));
            }

            var commit = await store.CommitAsync(
                new StateTransaction { When = [.. conditions], Then = [.. changes] }, cancellationToken)
                .ConfigureAwait(false);
            if (commit.Succeeded)
                return order;
        }

        throw new DocumentConflictException(_orders.Prefix, DocumentCollection<TaskOrder>.MaxAttempts);
    }

    /// <summary>Says that a task is not wanted any more. One that has ended stays as it is.</summary>
    /// <returns>Null when there is no such task.</returns>
    public async Task<TaskOrder?> CancelAsync(string id, CancellationToken cancellationToken) =>
        (await _orders.UpdateAsync(
            id, order => order.Cancelled ? order : order with { Cancelled = true }, cancellationToken)
            .ConfigureAwait(false))?.Value;

    /// <summary>An order as it is recorded now; null when there is none.</summary>
    public ValueTask<Document<TaskOrder>?> FindAsync(string id, CancellationToken cancellationToken) =>
        _orders.GetAsync(id, cancellationToken);

    private async Task<TaskOrder?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        var entry = await store.GetAsync(TaskRecords.KeyOf(key), cancellationToken).ConfigureAwait(false);
        return entry is null
            ? null
            : (await _orders.GetAsync(Encoding.ASCII.GetString(entry.Value.Span), cancellationToken)
                .ConfigureAwait(false))?.Value;
    }

    private static string Digest(string by, string key)
    {
        if (key.Length is 0 or > LongestKey)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"Idempotency-Key: expected 1 to {LongestKey} characters, found {key.Length}");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{by}\n{key}")));
    }
}
