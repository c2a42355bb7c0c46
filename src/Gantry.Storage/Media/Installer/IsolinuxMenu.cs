using System.Globalization;

namespace Gantry.Storage.Media;

/// <summary>
/// An isolinux menu: isolinux.cfg with all that it includes. It finds entries, and changes the chosen one, the default
/// and the timeout, leaving every other byte as it is. Source of the grammar: doc/syslinux.txt and doc/menu.txt of
/// Syslinux 6.
/// </summary>
internal sealed class IsolinuxMenu
{
    // Syslinux itself allows 16 includes inside each other.
    private const int MaxDepth = 16;
    private const int MaxFiles = 64;

    private readonly Func<string, byte[]?> _read;
    private readonly string _folder;
    private readonly Dictionary<string, TextEdit> _files = new(StringComparer.Ordinal);
    private readonly List<Label> _labels = [];
    private readonly List<Line> _lines = [];

    /// <summary>The submenus that are open, each by a number of its own; the main menu is 0.</summary>
    private readonly Stack<int> _menus = new([0]);

    private Label? _current;
    private int _menuCount;
    private bool _inHelp;

    private IsolinuxMenu(string path, Func<string, byte[]?> read)
    {
        _read = read;
        int slash = path.LastIndexOf('/');
        _folder = slash < 0 ? "" : path[..slash];
        Path = path;
        Load(path, 0);
    }

    public string Path { get; }

    public IEnumerable<TextEdit> Files => _files.Values;

    /// <summary>Labels and texts of all entries, for messages.</summary>
    public IEnumerable<string> Names =>
        _labels.Select(label => label.Text is { } text ? $"{label.Name} ({text})" : label.Name);

    /// <param name="read">Gives a file's bytes by its path in the image, or null.</param>
    public static IsolinuxMenu? Parse(string path, Func<string, byte[]?> read)
    {
        var menu = new IsolinuxMenu(path, read);
        return menu._labels.Count == 0 ? null : menu;
    }

    /// <summary>What the menu shows for a label, or null.</summary>
    public string? TextOf(string label) => _labels.Find(other => other.Name == label)?.Text;

    /// <summary>Makes an entry boot by itself, with more kernel arguments. Returns the entry's label.</summary>
    /// <exception cref="MediaException">No such entry, or it starts no kernel that takes arguments.</exception>
    public string Apply(string? entry, KernelArguments arguments, TimeSpan timeout)
    {
        Label label = entry is null ? Default() : Find(entry);
        if (!arguments.IsEmpty) Append(label, arguments);
        MakeDefault(label);
        SetGlobal("prompt", "0");
        // Tenths of a second.
        int tenths = Math.Max(1, (int)Math.Ceiling(timeout.TotalSeconds * 10));
        SetGlobal("timeout", tenths.ToString(CultureInfo.InvariantCulture));
        // The menu system runs this command at the timeout, whatever submenu is open.
        SetGlobal("ontimeout", label.Name);
        return label.Name;
    }

    private Label Find(string entry)
    {
        string wanted = entry.Trim();
        return _labels.Find(label => Same(label.Name, wanted))
            ?? _labels.Find(label => label.Text is { } text && Same(text, wanted))
            ?? throw new MediaException(
                $"'{Path}' has no menu entry '{wanted}'; it has: {string.Join(", ", Names.Take(40))}");
    }

    private Label Default()
    {
        // ONTIMEOUT and DEFAULT may be a label or a command; a command is no entry that could be changed.
        Label? byName = LabelOf("ontimeout") ?? LabelOf("default");
        return byName ?? _labels.Find(label => label.MenuDefault is not null && label.Menu == 0)
            ?? _labels.Find(label => label.Menu == 0) ?? _labels[0];
    }

    private Label? LabelOf(string keyword)
    {
        Line? line = _lines.FindLast(line => line.Keyword == keyword);
        return line is null ? null : _labels.Find(label => Same(label.Name, line.Value.Split(' ', '\t')[0]));
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private void Append(Label label, KernelArguments arguments)
    {
        if (label.Append is { } line && line.Value != "-")
        {
            string[] words = line.Value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            bool separator = words.Any(KernelArguments.IsSeparator);
            (IReadOnlyList<string> atSeparator, IReadOnlyList<string> atEnd) = arguments.Place(separator);
            if (atSeparator.Count > 0) line.File.Insert(SeparatorStart(line), string.Join(' ', atSeparator) + " ");
            if (atEnd.Count > 0) line.File.Insert(line.ValueStart + line.Value.Length, " " + string.Join(' ', atEnd));
            return;
        }
        if (label.Kernel is null)
            throw new MediaException(
                $"the entry '{label.Name}' of '{Path}' starts no kernel, so it cannot take kernel arguments");
        // Without a line of its own an entry takes the global one; "append -" takes none.
        Line? global = label.Append is null
            ? _lines.FindLast(line => line.Keyword == "append" && line.Label is null)
            : null;
        (_, IReadOnlyList<string> all) = arguments.Place(false);
        string text = string.Join(' ', all.Prepend(global?.Value ?? "").Where(word => word.Length > 0));
        if (label.Append is { } none) none.File.Replace(none.ValueStart, 1, text);
        else InsertAfter(label.Kernel, $"append {text}");
    }

    private static int SeparatorStart(Line line)
    {
        int at = 0;
        foreach (string word in line.Value.Split(' ', '\t'))
        {
            if (KernelArguments.IsSeparator(word)) break;
            at += word.Length + 1;
        }
        return line.ValueStart + at;
    }

    private void MakeDefault(Label chosen)
    {
        foreach (Label label in _labels.Where(label => label != chosen && label.Menu == chosen.Menu))
        {
            if (label.MenuDefault is { } line) line.File.Replace(line.Start, line.Length, "");
        }
        if (chosen.MenuDefault is null) InsertAfter(chosen.Start, "menu default");
        // DEFAULT names either an entry or the menu program, which must stay; a submenu's own may stay too.
        foreach (Line line in _lines.Where(line => line.Keyword == "default" && line.Menu == 0))
        {
            bool names = _labels.Exists(label => Same(label.Name, line.Value.Split(' ', '\t')[0]));
            if (names) line.File.Replace(line.ValueStart, line.Value.Length, chosen.Name);
        }
        bool starts = _lines.Exists(line => line.Keyword is "default" or "ui");
        if (!starts) _files[Path].Insert(0, $"default {chosen.Name}{_files[Path].NewLine}");
    }

    /// <summary>
    /// Replaces a directive wherever it stands. Submenus inherit what was said before them, so unless the main file
    /// says it before any of them, it is said first.
    /// </summary>
    private void SetGlobal(string keyword, string value)
    {
        foreach (Line line in _lines.Where(line => line.Keyword == keyword && line.Value != value))
            line.File.Replace(line.ValueStart, line.Value.Length, line.Value.Length == 0 ? " " + value : value);
        int firstMenu = _lines.FindIndex(line => line.Keyword is "include" or "label" || line.Keyword == "menu begin");
        int first = _lines.FindIndex(line => line.Keyword == keyword);
        if (first >= 0 && (firstMenu < 0 || first < firstMenu)) return;
        _files[Path].Insert(0, $"{keyword} {value}{_files[Path].NewLine}");
    }

    private static void InsertAfter(Line line, string text)
    {
        string content = line.File.Text.Substring(line.Start, line.Length);
        string indent = content[..(content.Length - content.TrimStart().Length)];
        // A label stands at the margin, what belongs to it mostly does not.
        if (line.Keyword == "label" && indent.Length == 0) indent = "\t";
        bool ended = content.EndsWith('\n');
        string newLine = line.File.NewLine;
        line.File.Insert(line.Start + line.Length, ended ? $"{indent}{text}{newLine}" : $"{newLine}{indent}{text}");
    }

    private void Load(string path, int depth)
    {
        if (depth > MaxDepth || _files.Count > MaxFiles)
            throw new MediaException(
                $"'{Path}' includes more than {MaxFiles} files or more than {MaxDepth} inside each other");
        // A file that is included twice has one text; its entries count once.
        if (_files.ContainsKey(path)) return;
        if (_read(path) is not { } bytes) return;
        var file = new TextEdit(path, bytes);
        _files[path] = file;
        int at = 0;
        while (at < file.Text.Length)
        {
            int end = file.Text.IndexOf('\n', at);
            end = end < 0 ? file.Text.Length : end + 1;
            Take(new Line(file, at, end - at), depth);
            at = end;
        }
    }

    private void Take(Line line, int depth)
    {
        if (line.Keyword.Length == 0) return;
        if (_inHelp)
        {
            if (line.Keyword == "endtext") _inHelp = false;
            return;
        }
        line.Label = _current;
        line.Menu = _menus.Peek();
        _lines.Add(line);
        switch (line.Keyword)
        {
            case "text" when Same(line.Value, "help"):
                _inHelp = true;
                break;
            case "include" or "menu include":
                Load(Resolve(line.Value.Split(' ', '\t')[0]), depth + 1);
                break;
            case "menu begin":
                _menus.Push(++_menuCount);
                _current = null;
                break;
            case "menu end":
                if (_menus.Count > 1) _menus.Pop();
                _current = null;
                break;
            case "label" when line.Value.Length > 0:
                _current = new Label(line, line.Value.Split(' ', '\t')[0], _menus.Peek());
                _labels.Add(_current);
                break;
            default:
                TakeInLabel(line);
                break;
        }
    }

    private void TakeInLabel(Line line)
    {
        if (_current is null) return;
        switch (line.Keyword)
        {
            case "menu label":
                _current.Text = TextEdit.Decode(line.Value).Replace("^", "", StringComparison.Ordinal).Trim();
                break;
            case "menu default":
                _current.MenuDefault = line;
                break;
            case "append":
                _current.Append = line;
                break;
            case "kernel" or "linux" or "com32":
                _current.Kernel = line;
                break;
        }
    }

    private string Resolve(string path)
    {
        string[] parts = path.StartsWith('/') ? path.Split('/') : $"{_folder}/{path}".Split('/');
        return string.Join('/', parts.Where(part => part is not ("" or ".")));
    }

    private sealed class Label(Line start, string name, int menu)
    {
        public Line Start { get; } = start;

        public string Name { get; } = name;

        public int Menu { get; } = menu;

        public string? Text { get; set; }

        public Line? MenuDefault { get; set; }

        public Line? Append { get; set; }

        public Line? Kernel { get; set; }
    }

    /// <summary>
    /// A line with its end, its keyword in small letters ("menu x" is one), and where its value stands.
    /// </summary>
    private sealed class Line
    {
        public Line(TextEdit file, int start, int length)
        {
            File = file;
            Start = start;
            Length = length;
            string text = file.Text.Substring(start, length).TrimEnd('\r', '\n');
            int at = Skip(text, 0, blank: true);
            int end = Skip(text, at, blank: false);
            Keyword = at < text.Length && text[at] == '#' ? "" : text[at..end].ToLowerInvariant();
            at = Skip(text, end, blank: true);
            if (Keyword == "menu")
            {
                end = Skip(text, at, blank: false);
                Keyword = $"menu {text[at..end].ToLowerInvariant()}";
                at = Skip(text, end, blank: true);
            }
            Value = text[at..].TrimEnd();
            ValueStart = start + at;
        }

        public TextEdit File { get; }

        public int Start { get; }

        public int Length { get; }

        public string Keyword { get; }

        public string Value { get; }

        public int ValueStart { get; }

        public Label? Label { get; set; }

        public int Menu { get; set; }

        private static int Skip(string text, int at, bool blank)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]) == blank) at++;
            return at;
        }
    }
}
