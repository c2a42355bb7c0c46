namespace Gantry.Hcl;

/// <summary>
/// Something that an expression asked for cannot be done, such as a conversion or a function call. The evaluator
/// turns it into a diagnostic at the place of the expression; functions of other assemblies may throw it too.
/// </summary>
public class HclException : Exception
{
    /// <summary>Makes one with a full sentence, or a part of one that can follow a colon.</summary>
    public HclException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one that was caused by another.</summary>
    public HclException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Makes one about an argument of a function.</summary>
    /// <param name="argument">Index of the argument, from 0.</param>
    /// <param name="message">What is wrong with it.</param>
    public HclException(int argument, string message)
        : base(message) => Argument = argument;

    /// <summary>Makes one about an argument of a function that was caused by another.</summary>
    public HclException(int argument, string message, Exception inner)
        : base(message, inner) => Argument = argument;

    /// <summary>Index of the argument at fault, from 0; null where it is no one argument's.</summary>
    public int? Argument { get; }
}
