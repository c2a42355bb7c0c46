using Gantry.Model;
using Gantry.Model.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Gantry.Control.Api.Tasks;

/// <summary><c>/api/v1/builds</c>: template files of the node, built by it.</summary>
internal static class BuildEndpoints
{
    private const int MostVariables = 1000;

    public static void Map(IEndpointRouteBuilder api) => api.MapPost("/builds", BuildAsync);

    private static async Task<Accepted<TaskResource>> BuildAsync(
        BuildBody body, HttpContext http, Services services, CancellationToken stop)
    {
        if (!Path.IsPathFullyQualified(body.Path) || body.Path.Contains('\0', StringComparison.Ordinal))
            throw ApiInput.Invalid($"path: expected an absolute path of the node, found '{body.Path}'");
        if (body.Variables?.Count > MostVariables)
            throw ApiInput.Invalid($"variables: expected at most {MostVariables}, found {body.Variables.Count}");
        foreach (var name in body.Variables?.Keys ?? [])
        {
            if (!IsName(name))
                throw ApiInput.Invalid($"variables: expected names of letters, digits, '_' and '-', found '{name}'");
        }

        var work = new TaskWork.Build
        {
            Path = body.Path,
            Variables = (body.Variables ?? new Dictionary<string, string>())
                .Select(one => new BuildVariable { Name = one.Key, Value = one.Value })
                .OrderBy(one => one.Name, StringComparer.Ordinal).ToValueList(),
            Only = (body.Only ?? []).ToValueList(),
            Except = (body.Except ?? []).ToValueList(),
            NoCache = body.NoCache,
            Force = body.Force,
        };
        return await TaskEndpoints.AdmitAsync(work, services.Node.Name, http, services, stop).ConfigureAwait(false);
    }

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 255 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
