using System.Net.Sockets;

namespace Gantry.Engines.Qemu.Monitor;

/// <summary>Reads lines of at most a given length from a socket.</summary>
internal sealed class LineReader(Socket socket, int maxLineBytes)
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>The next line without its end; null at the end of the stream. Valid until the next call.</summary>
    /// <exception cref="QmpConnectionException">The line is longer than allowed.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        var searched = 0;
        while (true)
        {
            var newline = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = _buffer.AsMemory(_start, searched + newline);
                _start += searched + newline + 1;
                return line;
            }
            searched = _end - _start;
            if (searched >= maxLineBytes)
                throw new QmpConnectionException($"the monitor sent a line of more than {maxLineBytes} bytes");
            MakeRoom();
            var count = await socket.ReceiveAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (count == 0)
                return null;
            _end += count;
        }
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, maxLineBytes + 1));
    }
}
