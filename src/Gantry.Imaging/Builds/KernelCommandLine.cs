using Gantry.Imaging.BootCommand;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Builds;

/// <summary>
/// A kernel's arguments may refer to what a boot command may: <c>{{ .HTTPIP }}</c>, <c>{{ .SSHPublicKey }}</c>.
/// </summary>
internal static class KernelCommandLine
{
    /// <summary>What Linux takes on every architecture that it runs on here.</summary>
    private const int Longest = 2047;

    /// <exception cref="ProblemException">The arguments have an error, or are too long.</exception>
    public static string Render(string arguments, IReadOnlyDictionary<string, string> fields)
    {
        try
        {
            var text = GoTemplate.Render(arguments, new TemplateScope { Fields = fields }).Text;
            return text.Length <= Longest ? text : throw new ProblemException(
                ProblemKind.InvalidInput, $"kernel_arguments has {text.Length} characters, and Linux takes {Longest}", "serve what is long by HTTP or on a CD");
        }
        catch (GoTemplateException e)
        {
            throw new ProblemException(ProblemKind.InvalidInput, $"kernel_arguments has an error: {e.Message}", inner: e);
        }
    }

    public static DirectBoot Render(DirectBoot kernel, IReadOnlyDictionary<string, string> fields) =>
        kernel with { CommandLine = Render(kernel.CommandLine, fields) };
}
