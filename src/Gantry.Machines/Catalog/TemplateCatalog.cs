using System.Collections.Immutable;
using System.Text;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.State;

namespace Gantry.Machines.Catalog;

/// <summary>
/// The templates' records, the key that says which record a name means, and who uses each. A template's user is a
/// machine cloned from it, a template laid over it, or a build that stands on it.
/// </summary>
public sealed class TemplateCatalog(IStateStore store)
{
    private const string NamePrefix = "template-names/";
    private const int MaxUsersNamed = 20;

    private readonly DocumentCollection<TemplateRecord> _records =
        new(store, "templates/", () => ModelJson.Default.TemplateRecord, schema: 1);

    /// <summary>All records, superseded ones too.</summary>
    public async ValueTask<ImmutableArray<TemplateRecord>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await _records.ListAsync(cancellationToken).ConfigureAwait(false)).Select(document => document.Value)
            .OrderBy(record => record.Name, StringComparer.Ordinal).ThenByDescending(record => record.Created)];

    public async ValueTask<TemplateRecord?> FindByIdAsync(string id, CancellationToken cancellationToken) =>
        (await _records.GetAsync(id, cancellationToken).ConfigureAwait(false))?.Value;

    /// <summary>What the name means now.</summary>
    public async ValueTask<TemplateRecord?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!Model.Machines.Names.IsValid(name))
            return null;
        var entry = await store.GetAsync(NamePrefix + name, cancellationToken).ConfigureAwait(false);
        return entry is null
            ? null
            : await FindByIdAsync(Encoding.ASCII.GetString(entry.Value.Span), cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="ProblemException">There is none; the message offers names that are near.</exception>
    public async ValueTask<TemplateRecord> GetAsync(string name, CancellationToken cancellationToken)
    {
        if (await FindAsync(name, cancellationToken).ConfigureAwait(false) is { } found)
            return found;
        var all = await ListAsync(cancellationToken).ConfigureAwait(false);
        throw new ProblemException(
            ProblemKind.NotFound,
            $"there is no template '{name}'",
            NearNames.Suggest(name, all.Select(record => record.Name).Distinct())
                ?? (all.Length == 0
                    ? "there are no templates yet: gantry build makes one, and gantry demo shows how"
                    : "gantry template list shows all templates"));
    }

    /// <summary>
    /// Gives a name to a new record. The record that had it becomes superseded; the caller removes that one if nothing
    /// uses it. False, and nothing written, when somebody else moved the name or a condition did not hold.
    /// </summary>
    public async ValueTask<bool> TryPublishAsync(
        TemplateRecord template,
        TemplateRecord? previous,
        IEnumerable<StateCompare> conditions,
        IEnumerable<StateOperation> changes,
        CancellationToken cancellationToken)
    {
        var nameKey = NamePrefix + template.Name;
        List<StateCompare> when = [_records.Absent(template.Id), .. conditions];
        List<StateOperation> then =
        [
            _records.Put(template.Id, template),
            new StateOperation.Put(nameKey, Encoding.ASCII.GetBytes(template.Id)),
            .. changes,
        ];
        if (previous is null)
        {
            when.Add(new StateCompare.Absent(nameKey));
        }
        else
        {
            when.Add(new StateCompare.ValueIs(nameKey, Encoding.ASCII.GetBytes(previous.Id)));
            then.Add(_records.Put(previous.Id, previous with { Superseded = true }));
        }

        if (template.Parent is { } parent)
        {
            when.Add(new StateCompare.Exists(_records.KeyOf(parent)));
            then.Add(Use(parent, $"template-{template.Id}"));
        }

        var commit = await store.CommitAsync(
            new StateTransaction { When = [.. when], Then = [.. then] }, cancellationToken).ConfigureAwait(false);
        return commit.Succeeded;
    }

    /// <summary>
    /// Takes back what <see cref="TryPublishAsync"/> did: the record goes, and its name belongs to the one before
    /// again where that is still there. False, and nothing written, when somebody uses the template by now.
    /// </summary>
    public async ValueTask<bool> TryUnpublishAsync(
        TemplateRecord template, string? previousId, IEnumerable<StateOperation> changes,
        CancellationToken cancellationToken)
    {
        var nameKey = NamePrefix + template.Name;
        var previous = previousId is null
            ? null : await _records.GetAsync(previousId, cancellationToken).ConfigureAwait(false);
        List<StateCompare> when =
        [
            new StateCompare.RangeEmpty(UserPrefix(template.Id)),
            new StateCompare.ValueIs(nameKey, Encoding.ASCII.GetBytes(template.Id)),
        ];
        List<StateOperation> then = [_records.Delete(template.Id), .. changes];
        if (template.Parent is { } parent)
            then.Add(Unuse(parent, $"template-{template.Id}"));
        if (previous is null)
        {
            then.Add(new StateOperation.Delete(nameKey));
        }
        else
        {
            when.Add(_records.Unchanged(previous));
            then.Add(_records.Put(previousId!, previous.Value with { Superseded = false }));
            then.Add(new StateOperation.Put(nameKey, Encoding.ASCII.GetBytes(previousId!)));
        }

        var commit = await store.CommitAsync(
            new StateTransaction { When = [.. when], Then = [.. then] }, cancellationToken).ConfigureAwait(false);
        return commit.Succeeded;
    }

    /// <summary>Gives a template another name; its id, and all that stands on it, stay.</summary>
    /// <exception cref="ProblemException">The new name is none or is taken, or the template changed meanwhile.</exception>
    public async ValueTask<TemplateRecord> RenameAsync(
        TemplateRecord template, string newName, CancellationToken cancellationToken)
    {
        Model.Machines.Names.Check(newName, "template");
        if (await FindAsync(newName, cancellationToken).ConfigureAwait(false) is not null)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"there is already a template '{newName}'",
                $"choose another name, or delete that one: gantry template delete {newName}");
        }

        var renamed = template with { Name = newName, Spec = template.Spec with { Name = newName } };
        var id = Encoding.ASCII.GetBytes(template.Id);
        var commit = await store.CommitAsync(
            new StateTransaction
            {
                When =
                [
                    new StateCompare.ValueIs(NamePrefix + template.Name, id),
                    new StateCompare.Absent(NamePrefix + newName),
                    new StateCompare.Exists(_records.KeyOf(template.Id)),
                ],
                Then =
                [
                    _records.Put(template.Id, renamed),
                    new StateOperation.Delete(NamePrefix + template.Name),
                    new StateOperation.Put(NamePrefix + newName, id),
                ],
            },
            cancellationToken).ConfigureAwait(false);
        return commit.Succeeded
            ? renamed
            : throw new ProblemException(
                ProblemKind.Conflict, $"template {template.Name} changed in the meantime", "try again");
    }

    /// <summary>Takes a record away in one transaction with the count of its users; whether it did.</summary>
    public async ValueTask<bool> TryRemoveAsync(
        TemplateRecord template, IEnumerable<StateOperation> changes, CancellationToken cancellationToken)
    {
        List<StateOperation> then = [_records.Delete(template.Id), .. changes];
        List<StateCompare> when = [new StateCompare.RangeEmpty(UserPrefix(template.Id)), new StateCompare.Exists(_records.KeyOf(template.Id))];
        if (template.Parent is { } parent)
            then.Add(Unuse(parent, $"template-{template.Id}"));
        if (!template.Superseded)
        {
            when.Add(new StateCompare.ValueIs(NamePrefix + template.Name, Encoding.ASCII.GetBytes(template.Id)));
            then.Add(new StateOperation.Delete(NamePrefix + template.Name));
        }

        var commit = await store.CommitAsync(
            new StateTransaction { When = [.. when], Then = [.. then] }, cancellationToken).ConfigureAwait(false);
        return commit.Succeeded;
    }

    public async ValueTask<ImmutableArray<string>> UsersAsync(string id, CancellationToken cancellationToken)
    {
        var range = await store.RangeAsync(UserPrefix(id), MaxUsersNamed, null, cancellationToken)
            .ConfigureAwait(false);
        return [.. range.Entries.Select(entry => Encoding.UTF8.GetString(entry.Value.Span))];
    }

    public StateOperation Use(string id, string user) =>
        new StateOperation.Put(UserPrefix(id) + user, Encoding.UTF8.GetBytes(user));

    public StateOperation Unuse(string id, string user) => new StateOperation.Delete(UserPrefix(id) + user);

    public StateCompare Exists(string id) => new StateCompare.Exists(_records.KeyOf(id));

    private static string UserPrefix(string id) => $"template-users/{id}/";
}
