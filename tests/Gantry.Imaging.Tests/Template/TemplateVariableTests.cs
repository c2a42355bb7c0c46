using Gantry.Imaging.Template;

namespace Gantry.Imaging.Tests.Template;

public sealed class TemplateVariableTests : IDisposable
{
    private const string Text = """
        variable "name" {
          type    = string
          default = "default"
        }

        variable "pin" {
          type      = string
          default   = "hush-hush"
          sensitive = true
        }

        """;

    private readonly TemplateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Values_FollowPackersPrecedence()
    {
        Assert.Equal("default", Name());
        _folder.Environment["PKR_VAR_name"] = "environment";
        Assert.Equal("environment", Name());
        _folder.Write("a.auto.pkrvars.hcl", "name = \"first\"\n");
        Assert.Equal("first", Name());
        _folder.Write("b.auto.pkrvars.hcl", "name = \"second\"\n");
        Assert.Equal("second", Name());
        _folder.Write("a.auto.pkrvars.json", "{\"name\": \"json\"}");
        Assert.Equal("json", Name());
        var file = new VariableArgument.File(_folder.Write("given.pkrvars.hcl", "name = \"file\"\n"));
        var value = new VariableArgument.Value("name", "argument");
        Assert.Equal("file", Name(file));
        Assert.Equal("argument", Name(file, value));
        Assert.Equal("file", Name(value, file));
    }

    [Fact]
    public void UndeclaredArgument_IsAnErrorThatSuggests()
    {
        var template = _folder.Load(Text + Templates.Source(""), new VariableArgument.Value("nome", "x"));
        Assert.Contains("\"name\"", Assert.Single(template.Diagnostics).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Sensitive_Values_AreSecrets()
    {
        var template = _folder.Load(Text + Templates.Source(""), new VariableArgument.Value("pin", "4711-0815"));
        Assert.Equal(["4711-0815"], template.Secrets);
    }

    [Fact]
    public void Sensitive_ListsMapsNumbersAndLocals_AreSecretsInEachOfTheirParts()
    {
        const string More = """
            variable "pins" {
              type      = list(number)
              default   = [12345, 67890]
              sensitive = true
            }

            variable "account" {
              default = {
                user = "root-user"
                keys = ["first-key", "second-key"]
              }
              sensitive = true
            }

            local "token" {
              expression = { value = "local-secret" }
              sensitive  = true
            }

            """;
        var template = _folder.Load(More + Templates.Source(""));
        Assert.Equal(
            ["12345", "67890", "first-key", "local-secret", "root-user", "second-key"],
            template.Secrets.Order(StringComparer.Ordinal));
        Assert.All(template.Variables.Concat(template.Locals), value => Assert.Equal("<sensitive>", value.Text));
    }

    [Fact]
    public void Locals_AreEvaluatedAfterThoseTheyUse()
    {
        const string locals = """
            locals {
              whole = "${local.start}-${local.end}"
              start = upper(var.name)
            }

            local "end" {
              expression = "of ${local.start}"
            }

            """;
        var template = _folder.Load(Text + locals + Templates.Source("vm_name = local.whole"));
        Assert.Empty(template.Diagnostics);
        Assert.Equal("DEFAULT-of DEFAULT", Assert.Single(template.Builds).Source.Output.MachineName);
    }

    [Theory]
    [InlineData("a = local.a", "a → a")]
    [InlineData("a = local.b\n  b = [local.c]\n  c = { x = local.a }", "a → b → c → a")]
    public void Locals_InACircle_AreAnError(string locals, string circle)
    {
        var template = _folder.Load($"locals {{\n  {locals}\n}}\n" + Templates.Source(""));
        var error = Assert.Single(template.Diagnostics);
        Assert.Contains(circle, error.Detail, StringComparison.Ordinal);
        Assert.Equal(2, error.Span!.Value.Start.Line);
    }

    private string Name(params VariableArgument[] arguments)
    {
        var template = _folder.Load(Text + Templates.Source("vm_name = var.name"), arguments);
        Assert.Empty(template.Diagnostics);
        return Assert.Single(template.Builds).Source.Output.MachineName;
    }
}
