using System.Globalization;

namespace Gantry.Storage.Media;

/// <summary>
/// A GRUB menu: grub.cfg with all that it reads by "source" or "configfile". It finds entries, and changes the chosen
/// one, the default and the timeout, leaving every other byte as it is.
/// </summary>
internal sealed class GrubMenu
{
    private const int MaxFiles = 64;

    private readonly Func<string, byte[]?> _read;
    private readonly Dictionary<string, TextEdit> _files = new(StringComparer.Ordinal);
    private readonly List<Entry> _entries = [];

    /// <summary>Files that are a menu's last word: the main one, and each that "configfile" goes over to.</summary>
    private readonly List<TextEdit> _contexts = [];

    private string? _default;

    private GrubMenu(string path, Func<string, byte[]?> read)
    {
        Path = path;
        _read = read;
        Load(path, null, context: true);
    }

    public string Path { get; }

    public IEnumerable<TextEdit> Files => _files.Values;

    public IEnumerable<string> Names => _entries.Where(entry => !entry.IsSubmenu).Select(entry => entry.Title);

    /// <param name="read">Gives a file's bytes by its path, or null.</param>
    public static GrubMenu? Parse(string path, Func<string, byte[]?> read)
    {
        var menu = new GrubMenu(path, read);
        return menu._entries.Exists(entry => !entry.IsSubmenu) ? menu : null;
    }

    /// <summary>Makes an entry boot by itself, with more kernel arguments. Returns the entry's title.</summary>
    /// <exception cref="MediaException">No such entry, or it starts no kernel that takes arguments.</exception>
    /// <param name="wanted">Title or id; null for the menu's default.</param>
    /// <param name="otherName">What another menu of the same image calls the entry, if it is not called as wanted.</param>
    public string Apply(string? wanted, string? otherName, KernelArguments arguments, TimeSpan timeout)
    {
        Entry entry = wanted is null ? Default() : Find(wanted.Trim(), otherName);
        if (!arguments.IsEmpty) Append(entry, arguments);
        var path = new List<string>();
        int number = 0;
        for (Entry? at = entry; at is not null; at = at.Parent) path.Insert(0, Identify(at, number++));
        int seconds = Math.Max(1, (int)Math.Ceiling(timeout.TotalSeconds));
        foreach (TextEdit file in _contexts)
        {
            // The last assignment counts, so everything above may stay as it is.
            string newLine = file.NewLine;
            string start = file.Text.EndsWith('\n') || file.Text.Length == 0 ? "" : newLine;
            file.Insert(
                file.Text.Length,
                $"{start}set default={Quote(string.Join('>', path))}{newLine}"
                + $"set timeout_style=menu{newLine}"
                + $"set timeout={seconds.ToString(CultureInfo.InvariantCulture)}{newLine}");
        }
        return entry.Title;
    }

    /// <summary>A word as GRUB takes it literally.</summary>
    public static string Quote(string word)
    {
        bool plain = word.Length > 0
            && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_=.,:/+@%~".Contains(c, StringComparison.Ordinal));
        return plain ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    private Entry Find(string wanted, string? otherName)
    {
        var bootable = _entries.Where(entry => !entry.IsSubmenu).ToList();
        return bootable.Find(entry => Same(entry.Title, wanted))
            ?? bootable.Find(entry => entry.Id is { } id && Same(id, wanted))
            ?? bootable.Find(entry => Same(Bare(entry.Title), wanted))
            ?? (otherName is null ? null : bootable.Find(entry => Same(Bare(entry.Title), otherName)))
            ?? throw new MediaException(
                $"'{Path}' has no menu entry '{wanted}'; it has: {string.Join(", ", Names.Distinct().Take(40))}");
    }

    /// <summary>Debian writes "... Expert install" in submenus.</summary>
    private static string Bare(string title) => title.TrimStart('.', ' ');

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    /// <summary>The entry that "set default" names by number, title or id, else the first one.</summary>
    private Entry Default()
    {
        IEnumerable<Entry> level = _entries.Where(entry => entry.Parent is null);
        Entry? found = null;
        foreach (string step in (_default ?? "0").Split('>'))
        {
            List<Entry> here = [.. level];
            found = int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                ? here.ElementAtOrDefault(index)
                : here.Find(entry => entry.Title == step || entry.Id == step);
            if (found is null) break;
            Entry parent = found;
            level = _entries.Where(entry => entry.Parent == parent);
        }
        return found is { IsSubmenu: false } ? found : _entries.First(entry => !entry.IsSubmenu);
    }

    private static void Append(Entry entry, KernelArguments arguments)
    {
        var kernels = Below(entry.Command.Body!).Where(IsKernel).ToList();
        if (kernels.Count == 0)
            throw new MediaException(
                $"the entry '{entry.Title}' of '{entry.File.Path}' has no 'linux' command, so it cannot take kernel "
                + "arguments");
        foreach (GrubCommand kernel in kernels)
        {
            int index = kernel.Words.FindIndex(word => KernelArguments.IsSeparator(word.Value));
            (IReadOnlyList<string> atSeparator, IReadOnlyList<string> atEnd) = arguments.Place(index >= 0);
            if (atSeparator.Count > 0)
                entry.File.Insert(kernel.Words[index].Start, string.Join(' ', atSeparator.Select(Word)) + " ");
            if (atEnd.Count > 0) entry.File.Insert(kernel.Words[^1].End, " " + string.Join(' ', atEnd.Select(Word)));
        }

        // GRUB puts quotes around a word with spaces itself, and the kernel takes them off.
        static string Word(string argument) => Quote(argument.Replace("\"", "", StringComparison.Ordinal));
    }

    private static bool IsKernel(GrubCommand command) =>
        command.Name is "linux" or "linux16" or "linuxefi" or "$linux" or "${linux}";

    private static IEnumerable<GrubCommand> Below(List<GrubCommand> commands) =>
        commands.SelectMany(command => command.Body is null ? [command] : Below(command.Body).Prepend(command));

    /// <summary>What "set default" can call an entry: an id, its own or one that it gets.</summary>
    private static string Identify(Entry entry, int number)
    {
        if (entry.Id is { } own) return own.Replace(">", ">>", StringComparison.Ordinal);
        string id = number == 0 ? "gantry" : $"gantry-menu-{number.ToString(CultureInfo.InvariantCulture)}";
        entry.File.Insert(entry.Command.BraceStart, $"--id {id} ");
        return id;
    }

    private void Load(string path, Entry? parent, bool context)
    {
        if (_files.ContainsKey(path)) return;
        if (_files.Count >= MaxFiles) throw new MediaException($"'{Path}' reads more than {MaxFiles} files");
        if (_read(path) is not { } bytes) return;
        var file = new TextEdit(path, bytes);
        _files[path] = file;
        if (context) _contexts.Add(file);
        Collect(GrubScriptParser.Parse(file.Text, path), file, parent);
    }

    private void Collect(List<GrubCommand> commands, TextEdit file, Entry? parent)
    {
        foreach (GrubCommand command in commands)
        {
            switch (command.Name)
            {
                case "menuentry" when command.Body is not null:
                    _entries.Add(Entry.Of(command, file, parent, isSubmenu: false));
                    break;
                case "submenu" when command.Body is not null:
                    Entry submenu = Entry.Of(command, file, parent, isSubmenu: true);
                    _entries.Add(submenu);
                    Collect(command.Body, file, submenu);
                    break;
                case "source" or "." or "configfile" when command.Words.Count > 1:
                    if (Resolve(command.Words[1].Value) is { } path)
                        Load(path, parent, command.Name == "configfile" && parent is null);
                    break;
                case "set" when parent is null && command.Words.Count > 1:
                    TakeDefault(command.Words[1]);
                    break;
            }
        }
    }

    private void TakeDefault(GrubWord word)
    {
        const string Name = "default=";
        if (!word.HasVariable && word.Value.StartsWith(Name, StringComparison.Ordinal))
            _default = word.Value[Name.Length..];
    }

    /// <summary>
    /// A path that GRUB reads, in the image; null when it depends on what only the running GRUB knows.
    /// </summary>
    private string? Resolve(string path)
    {
        string folder = Path.LastIndexOf('/') is var slash and >= 0 ? Path[..slash] : "";
        string resolved = path
            .Replace("${prefix}", $"/{folder}", StringComparison.Ordinal)
            .Replace("$prefix", $"/{folder}", StringComparison.Ordinal)
            .Replace("($root)", "", StringComparison.Ordinal)
            .Replace("(${root})", "", StringComparison.Ordinal);
        bool known = resolved.StartsWith('/') && !resolved.Contains('$', StringComparison.Ordinal)
            && !resolved.Contains('(', StringComparison.Ordinal);
        return known ? string.Join('/', resolved.Split('/').Where(part => part is not ("" or "."))) : null;
    }

    private sealed record Entry(
        GrubCommand Command, TextEdit File, Entry? Parent, bool IsSubmenu, string Title, string? Id)
    {
        public static Entry Of(GrubCommand command, TextEdit file, Entry? parent, bool isSubmenu)
        {
            string? title = null, id = null;
            for (int i = 1; i < command.Words.Count; i++)
            {
                GrubWord word = command.Words[i];
                bool hasNext = i + 1 < command.Words.Count;
                if (word.Value is "--id" or "$menuentry_id_option" or "${menuentry_id_option}" && hasNext)
                {
                    GrubWord next = command.Words[++i];
                    id = next.HasVariable ? null : TextEdit.Decode(next.Value);
                }
                else if (word.Value.StartsWith("--id=", StringComparison.Ordinal) && !word.HasVariable)
                    id = TextEdit.Decode(word.Value[5..]);
                else if (word.Value is "--class" or "--users" or "--hotkey" && hasNext) i++;
                else if (!word.Value.StartsWith("--", StringComparison.Ordinal)) title ??= TextEdit.Decode(word.Value);
            }
            return new Entry(command, file, parent, isSubmenu, title ?? "", id);
        }
    }
}
