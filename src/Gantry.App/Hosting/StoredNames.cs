using Gantry.App.Commands;
using Gantry.Machines.Catalog;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Store.Sqlite;

namespace Gantry.App.Hosting;

/// <summary>Names out of the state file, for a shell's completion: whatever goes wrong, there are no names then.</summary>
internal sealed class StoredNames(Func<string> stateFile) : INameSource
{
    /// <summary>A person waits for the Tab key.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public IEnumerable<string> Machines() =>
        Read(async (store, cancellationToken) =>
            (await new MachineCatalog(store).ListAsync(cancellationToken).ConfigureAwait(false))
                .Select(machine => machine.Spec.Name).ToArray());

    public IEnumerable<string> Templates() =>
        Read(async (store, cancellationToken) =>
            (await new TemplateCatalog(store).ListAsync(cancellationToken).ConfigureAwait(false))
                .Where(template => !template.Superseded).Select(template => template.Name).ToArray());

    public IEnumerable<string> Snapshots() =>
        Read(async (store, cancellationToken) =>
            (await new MachineCatalog(store).ListAsync(cancellationToken).ConfigureAwait(false))
                .SelectMany(machine => machine.Snapshots).Select(snapshot => snapshot.Name).Distinct().ToArray());

    /// <summary>Completion is not asynchronous, and the work goes to another thread so that nothing can deadlock.</summary>
    private string[] Read(Func<IStateStore, CancellationToken, Task<string[]>> read) =>
        Task.Run(() => ReadAsync(read)).GetAwaiter().GetResult();

    private async Task<string[]> ReadAsync(Func<IStateStore, CancellationToken, Task<string[]>> read)
    {
        try
        {
            var file = stateFile();
            // Opening makes the file; pressing Tab must not.
            if (!File.Exists(file))
                return [];
            using var limit = new CancellationTokenSource(Patience);
            await using var store = await SqliteStateStore.OpenAsync(file, null, limit.Token).ConfigureAwait(false);
            return await read(store, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StateStoreException or ProblemException or IOException
            or UnauthorizedAccessException or OperationCanceledException)
        {
            return [];
        }
    }
}
