using System.Security.Cryptography;
using System.Text;
using Gantry.Model;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Gantry.Machines.Guest;

/// <summary>Turns a target's secrets into the library's methods of authentication.</summary>
internal static class SshCredentials
{
    /// <summary>Keys first, then the password, by itself and as the answer to a server's question.</summary>
    public static AuthenticationMethod[] Methods(SshTarget target)
    {
        var methods = new List<AuthenticationMethod>();
        var keys = new List<IPrivateKeySource>();
        if (target.PrivateKey is { } text)
            keys.Add(Read(() => new MemoryStream(Encoding.UTF8.GetBytes(text)), "the private key", target));
        if (target.PrivateKeyFile is { } path)
            keys.Add(Read(() => File.OpenRead(path), $"the private key {path}", target));
        if (keys.Count > 0)
            methods.Add(new PrivateKeyAuthenticationMethod(target.User, [.. keys]));
        if (target.Password is { } password)
        {
            methods.Add(new PasswordAuthenticationMethod(target.User, password));
            var interactive = new KeyboardInteractiveAuthenticationMethod(target.User);
            interactive.AuthenticationPrompt += (_, e) =>
            {
                foreach (var prompt in e.Prompts)
                    prompt.Response = password;
            };
            methods.Add(interactive);
        }

        if (methods.Count == 0)
            methods.Add(new NoneAuthenticationMethod(target.User));
        return [.. methods];
    }

    /// <summary>A server has keys of several types; only the expected type can be compared.</summary>
    public static void OnlyHostKeysOf(ConnectionInfo info, string type)
    {
        string[] wanted = type == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type];
        if (!info.HostKeyAlgorithms.Keys.Any(wanted.Contains))
            return;
        foreach (var name in info.HostKeyAlgorithms.Keys.Where(name => !wanted.Contains(name)).ToList())
            info.HostKeyAlgorithms.Remove(name);
    }

    private static PrivateKeyFile Read(Func<Stream> open, string what, SshTarget target)
    {
        try
        {
            using var stream = open();
            return new PrivateKeyFile(stream, target.PrivateKeyPassphrase);
        }
        catch (SshPassPhraseNullOrEmptyException e)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{what} is encrypted", "give its passphrase, or use a key without one", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.NotFound, $"{what} can't be read: {e.Message}", inner: e);
        }
        catch (Exception e) when (e is SshException or FormatException or CryptographicException
            or NotSupportedException or ArgumentException or Org.BouncyCastle.Security.GeneralSecurityException)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{what} is no private key that can be used: {e.Message}",
                "give an OpenSSH, PEM or PKCS#8 private key (not its .pub file) and the right passphrase",
                inner: e);
        }
    }
}
