using System.Text.Json.Nodes;

namespace Gantry.Engines.Tests.Keyboard;

/// <summary>
/// A PC as seen through its monitor: a PS/2 queue of 16 bytes, a BIOS ring of 15 keys, and a run state. The guest
/// reads only when the test lets it.
/// </summary>
internal sealed class FakePc
{
    private readonly Queue<string> _controller = new();
    private readonly Queue<string> _ring = new();
    private uint _head = 0x1e;
    private uint _tail = 0x1e;

    public FakePc()
    {
        Monitor.Answer = Answer;
        Monitor.Print = Print;
    }

    public FakeMonitor Monitor { get; } = new();

    /// <summary>What QEMU accepted but nobody got.</summary>
    public List<string> Lost { get; } = [];

    /// <summary>What the guest's program read, in order.</summary>
    public List<string> Read { get; } = [];

    public bool Running { get; set; } = true;

    /// <summary>True while the BIOS' handler takes scancodes into its ring; false for an operating system.</summary>
    public bool Bios { get; set; }

    public bool Paging { get; set; }

    /// <summary>Called at each look at the status port: the place to let the guest work.</summary>
    public Action OnStatus { get; set; } = () => { };

    /// <summary>The guest's keyboard interrupt: takes one scancode.</summary>
    public void Interrupt()
    {
        if (!_controller.TryDequeue(out var code))
            return;
        if (!Bios)
            Read.Add(code);
        else if (code[0] == '+' && _ring.Count == 15)
            Lost.Add(code);
        else if (code[0] == '+')
        {
            _ring.Enqueue(code);
            _tail = Next(_tail);
        }
    }

    /// <summary>The boot loader asks int 16h for a key.</summary>
    public void Int16()
    {
        if (!_ring.TryDequeue(out var key))
            return;
        Read.Add(key);
        _head = Next(_head);
    }

    public void LeaveKeyInRing() => _tail = Next(_tail);

    private static uint Next(uint pointer) => pointer + 2 == 0x3e ? 0x1e : pointer + 2;

    private string? Answer(string command, JsonObject? arguments)
    {
        switch (command)
        {
            case "query-status":
                return Running ? """{"status": "running"}""" : """{"status": "paused"}""";
            case "qom-list":
                return (string?)arguments!["path"] == "/machine/unattached"
                    ? """[{"name": "device[7]", "type": "child<i8042>"}]""" : "[]";
            case "input-send-event":
                var data = arguments!["events"]![0]!["data"]!;
                var code = ((bool)data["down"]! ? "+" : "-") + (string?)data["key"]!["data"];
                if (Running && _controller.Count < 16)
                    _controller.Enqueue(code);
                else
                    Lost.Add(code);
                return null;
            default:
                throw new InvalidOperationException(command);
        }
    }

    private string Print(string line)
    {
        switch (line)
        {
            case "i /1bx 0x64":
                OnStatus();
                return $"portb[0x0064] = 0x{(_controller.Count > 0 ? 0x1d : 0x1c):x2}\r\n";
            case "xp /2hx 0x41a":
                return $"000000000000041a: 0x{_head:x4} 0x{_tail:x4}\r\n";
            case "info registers":
                return $"EAX=00000000\r\nCR0={(Paging ? "8005003b" : "00000011")} CR2=00000000\r\n";
            default:
                throw new InvalidOperationException(line);
        }
    }
}
