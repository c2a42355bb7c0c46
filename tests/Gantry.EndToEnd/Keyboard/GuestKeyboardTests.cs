using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Screen;
using Gantry.Engines.Keyboard;

namespace Gantry.EndToEnd.Keyboard;

/// <summary>200 keys at guests that hardly run: every one arrives, once, in order.</summary>
[Collection("screen and keyboard")]
public sealed class GuestKeyboardTests
{
    private static readonly string TwoHundred =
        string.Concat(Enumerable.Range(0, 200).Select(i => (char)('a' + (i * 7 % 26))));

    [Fact]
    public async Task Type_SlowBootLoaderOnBios_GetsAllKeys()
    {
        await using var guest = await StartAsync(BootSector.BiosReader(40));
        await using var serial = await ReadyAsync(guest);
        using var keyboard = await GuestKeyboard.OpenAsync(guest.Monitor);
        Assert.Equal(KeyboardHardware.I8042, keyboard.Hardware);
        var reading = ReadAsync(serial, 200);
        await keyboard.TypeAsync(TwoHundred, KeyboardLayout.Us, CancellationToken.None);
        Assert.Equal(TwoHundred, Encoding.ASCII.GetString(await reading));
    }

    [Fact]
    public async Task Type_Blindly_LosesKeys()
    {
        // The test above proves something only if this guest does lose what comes too fast.
        await using var guest = await StartAsync(BootSector.BiosReader(40));
        await using var serial = await ReadyAsync(guest);
        await Task.WhenAll(TwoHundred.Select(key => guest.Monitor.ExecuteAsync("send-key", new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject { ["type"] = "qcode", ["data"] = key.ToString() }),
            ["hold-time"] = 1,
        })));
        var got = await ReadUntilQuietAsync(serial);
        Assert.InRange(got.Length, 1, 180);
    }

    [Fact]
    public async Task Type_SlowDriverOnTheController_GetsAllScancodes()
    {
        await using var guest = await StartAsync(BootSector.ControllerReader(1));
        await using var serial = await ReadyAsync(guest);
        using var keyboard = await GuestKeyboard.OpenAsync(guest.Monitor);
        var reading = ReadAsync(serial, 400);
        await keyboard.TypeAsync(TwoHundred, KeyboardLayout.Us, CancellationToken.None);
        Assert.Equal(Scancodes(TwoHundred), await reading);
    }

    [Fact]
    public async Task Type_QemuStoppedInBursts_GetsAllKeys()
    {
        await using var guest = await StartAsync(BootSector.BiosReader(40));
        await using var serial = await ReadyAsync(guest);
        using var keyboard = await GuestKeyboard.OpenAsync(guest.Monitor);
        using var stop = new CancellationTokenSource();
        var starving = Task.Run(async () =>
        {
            // Runs a third of the time.
            while (!stop.IsCancellationRequested)
            {
                Signal(guest.ProcessId, "STOP");
                await Task.Delay(40, CancellationToken.None);
                Signal(guest.ProcessId, "CONT");
                await Task.Delay(20, CancellationToken.None);
            }
        });
        var reading = ReadAsync(serial, 200);
        await keyboard.TypeAsync(TwoHundred, KeyboardLayout.Us, CancellationToken.None);
        await stop.CancelAsync();
        await starving;
        Assert.Equal(TwoHundred, Encoding.ASCII.GetString(await reading));
    }

    [Fact]
    public async Task Type_MachinePausedAtRandom_GetsEachKeyOnce()
    {
        await using var guest = await StartAsync(BootSector.ControllerReader(1));
        await using var serial = await ReadyAsync(guest);
        using var keyboard = await GuestKeyboard.OpenAsync(guest.Monitor);
        using var stop = new CancellationTokenSource();
        var random = new Random(1);
        var pauses = 0;
        var pausing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await guest.Monitor.ExecuteAsync("stop");
                pauses++;
                if (random.Next(3) == 0)
                    await Task.Delay(random.Next(8), CancellationToken.None);
                await guest.Monitor.ExecuteAsync("cont");
                await Task.Delay(random.Next(12), CancellationToken.None);
            }
        });
        var reading = ReadAsync(serial, 400);
        await keyboard.TypeAsync(TwoHundred, KeyboardLayout.Us, CancellationToken.None);
        await stop.CancelAsync();
        await pausing;
        Assert.Equal(Scancodes(TwoHundred), await reading);
        Assert.InRange(pauses, 10, int.MaxValue);
    }

    private static async Task<Guest> StartAsync(byte[] sector)
    {
        var disk = Path.Combine(Path.GetTempPath(), $"gantry-e2e-{Environment.ProcessId}-{Stopwatch.GetTimestamp()}.img");
        await File.WriteAllBytesAsync(disk, sector);
        try
        {
            return await Guest.StartAsync(
                "x86_64", "-M", "pc", "-m", "16", "-nodefaults", "-vga", "none",
                "-S", "-drive", $"file={disk},format=raw,snapshot=on",
                "-serial", "unix:serial,server=on,wait=off");
        }
        finally
        {
            File.Delete(disk); // QEMU has it open
        }
    }

    private static async Task<NetworkStream> ReadyAsync(Guest guest)
    {
        var serial = await guest.OpenSerialAsync("serial");
        await guest.Monitor.ExecuteAsync("cont");
        Assert.Equal("R"u8.ToArray(), await ReadAsync(serial, 1));
        return serial;
    }

    private static async Task<byte[]> ReadAsync(NetworkStream serial, int count)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var bytes = new byte[count];
        await serial.ReadExactlyAsync(bytes, deadline.Token);
        return bytes;
    }

    private static async Task<byte[]> ReadUntilQuietAsync(NetworkStream serial)
    {
        var all = new List<byte>();
        var bytes = new byte[256];
        while (true)
        {
            using var quiet = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            try
            {
                all.AddRange(bytes.AsSpan(0, await serial.ReadAsync(bytes, quiet.Token)));
            }
            catch (OperationCanceledException)
            {
                return [.. all];
            }
        }
    }

    /// <summary>Set 1: a letter's make code, then its break code with the high bit.</summary>
    private static byte[] Scancodes(string letters)
    {
        var rows = new (byte First, string Letters)[] { (0x10, "qwertyuiop"), (0x1e, "asdfghjkl"), (0x2c, "zxcvbnm") };
        return [.. letters.SelectMany(c =>
        {
            var row = rows.First(r => r.Letters.Contains(c, StringComparison.Ordinal));
            var code = (byte)(row.First + row.Letters.IndexOf(c, StringComparison.Ordinal));
            return new[] { code, (byte)(code | 0x80) };
        })];
    }

    private static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
