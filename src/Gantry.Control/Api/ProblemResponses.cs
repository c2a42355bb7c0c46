using System.Globalization;
using System.Text.Json;
using Gantry.Model;
using Gantry.Model.State;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;

namespace Gantry.Control.Api;

/// <summary>Answers with RFC 9457 problem details whatever goes wrong.</summary>
internal sealed partial class ProblemResponses(RequestDelegate next, ILogger<ProblemResponses> log)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http).ConfigureAwait(false);
            if (http.Response is { StatusCode: >= 400, HasStarted: false, ContentType: null })
                await WriteAsync(http, Unsaid(http)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var problem = DetailsOf(e);
            if (problem.Status == StatusCodes.Status500InternalServerError)
                Bug(log, http.Request.Method, http.Request.Path, e);
            await WriteAsync(http, problem).ConfigureAwait(false);
        }
    }

    internal static ProblemDetails DetailsOf(Problem problem)
    {
        var details = Details(StatusOf(problem.Kind), problem.Summary, problem.Detail);
        if (problem.Remedy.Length > 0)
            details.Extensions["remedy"] = problem.Remedy;
        return details;
    }

    internal static int StatusOf(ProblemKind kind) => kind switch
    {
        ProblemKind.InvalidInput => StatusCodes.Status400BadRequest,
        ProblemKind.NotFound => StatusCodes.Status404NotFound,
        ProblemKind.Conflict or ProblemKind.InUse => StatusCodes.Status409Conflict,
        ProblemKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        ProblemKind.TimedOut => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static ProblemDetails DetailsOf(Exception error) => error switch
    {
        ProblemException problem => DetailsOf(problem.Problem),
        BadHttpRequestException bad => Details(bad.StatusCode, bad.Message, bad.InnerException?.Message ?? ""),
        JsonException json => Details(StatusCodes.Status400BadRequest, $"the body can't be read: {json.Message}", ""),
        StateStoreException store => Details(StatusCodes.Status503ServiceUnavailable, store.Message, ""),
        _ => Details(
            StatusCodes.Status500InternalServerError, "the node made a mistake; its log says which",
            $"{error.GetType().Name}: {error.Message}"),
    };

    /// <summary>What the framework refused without a word.</summary>
    private static ProblemDetails Unsaid(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status400BadRequest => Details(400, WrongParameter(http) ?? "the request can't be read", ""),
        StatusCodes.Status405MethodNotAllowed => Details(
            405, $"{http.Request.Path} does not know {http.Request.Method}; it knows {http.Response.Headers.Allow}",
            ""),
        StatusCodes.Status415UnsupportedMediaType => Details(
            415, $"expected a body of application/json, found {http.Request.ContentType ?? "no Content-Type"}", ""),
        StatusCodes.Status404NotFound => Details(404, $"there is nothing at {http.Request.Path}", ""),
        var status => Details(status, $"the request was refused with {status}", ""),
    };

    /// <summary>The first parameter whose text is not of its type; the framework says only that there is one.</summary>
    private static string? WrongParameter(HttpContext http)
    {
        foreach (var parameter in http.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            if (!parameter.HasTryParse || http.Request.Query[parameter.Name] is not [{ } text, ..])
                continue;
            var type = Nullable.GetUnderlyingType(parameter.ParameterInfo.ParameterType)
                ?? parameter.ParameterInfo.ParameterType;
            if (type == typeof(bool) && !bool.TryParse(text, out _))
                return $"{parameter.Name}: expected true or false, found '{text}'";
            var isWrong = type == typeof(int) ? !int.TryParse(text, CultureInfo.InvariantCulture, out _)
                : type == typeof(long) && !long.TryParse(text, CultureInfo.InvariantCulture, out _);
            if (isWrong)
                return $"{parameter.Name}: expected a whole number, found '{text}'";
        }

        return null;
    }

    private static ProblemDetails Details(int status, string title, string detail) => new()
    {
        Status = status,
        Title = title,
        Detail = detail.Length > 0 ? detail : null,
    };

    private static async Task WriteAsync(HttpContext http, ProblemDetails problem)
    {
        http.Response.StatusCode = problem.Status!.Value;
        await http.Response.WriteAsJsonAsync(
            problem, ApiJson.Default.ProblemDetails, "application/problem+json", http.RequestAborted)
            .ConfigureAwait(false);
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private static partial void Bug(ILogger log, string method, string path, Exception exception);
}
