using System.Security.Cryptography;
using System.Text;

namespace Gantry.Imaging.Template;

/// <summary>
/// Random bytes that follow from a seed and from the place in the template that asks for them: asked again, a place
/// gets the same, whatever else was asked for in between.
/// </summary>
internal sealed class FrozenEntropy(string seed)
{
    private string _place = "";
    private int _count;

    /// <summary>What is asked for from now on belongs to this place: a local value, a source, a provisioner.</summary>
    public void Begin(string place)
    {
        _place = place;
        _count = 0;
    }

    public void Fill(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var block = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{_place}\n{_count++}"));
            var part = block.AsSpan(0, Math.Min(block.Length, buffer.Length));
            part.CopyTo(buffer);
            buffer = buffer[part.Length..];
        }
    }
}
