using System.Globalization;
using Gantry.Model;

namespace Gantry.Control.Api;

/// <summary>Says what is wrong with what a client sent.</summary>
internal static class ApiInput
{
    /// <param name="summary">Begins with the field: <c>limit: expected 1 to 1000, found 0</c>.</param>
    /// <param name="remedy">What the client can do; may be empty.</param>
    public static ProblemException Invalid(string summary, string remedy = "") =>
        new(ProblemKind.InvalidInput, summary, remedy);

    /// <summary>Refuses a number that is not between two bounds, which are within.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="value">What was sent.</param>
    /// <param name="least">The lower bound.</param>
    /// <param name="most">The upper bound.</param>
    /// <param name="unit">With the blank before it, or empty.</param>
    /// <exception cref="ProblemException">It is not.</exception>
    public static void CheckRange(string field, int value, int least, int most, string unit = "")
    {
        if (value < least || value > most)
        {
            throw Invalid(string.Create(
                CultureInfo.InvariantCulture, $"{field}: expected {least} to {most}{unit}, found {value}"));
        }
    }
}
