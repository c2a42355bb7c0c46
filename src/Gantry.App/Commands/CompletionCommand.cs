using System.CommandLine;
using Gantry.App.CommandLine;

namespace Gantry.App.Commands;

/// <summary><c>gantry completion SHELL</c>: prints the script that a shell reads to complete Gantry's words. The script
/// only asks <see cref="CompleteCommand"/>, so it need not change when commands do.</summary>
internal static class CompletionCommand
{
    public const string Summary = "Print the completion script for bash, zsh or fish";

    private const string Bash = """
        # Gantry's completion for bash: source <(gantry completion bash)
        _gantry() {
          local IFS=$'\n' lines word=${COMP_WORDS[COMP_CWORD]}
          # An equals sign is a word of its own to bash: give Gantry the option and its beginning as two words.
          local words=("${COMP_WORDS[@]:1:COMP_CWORD}") i
          for i in "${!words[@]}"; do [[ ${words[i]} == = ]] && unset 'words[i]'; done
          [[ $word == = ]] && word='' && words+=('')
          lines=($(GANTRY_NO_BUILD=1 "${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null))
          COMPREPLY=()
          compopt +o default 2>/dev/null
          for i in "${lines[@]}"; do
            case $i in
              :files) compopt -o default 2>/dev/null ;;
              *) i=${i%%$'\t'*}; [[ $i == "$word"* ]] && COMPREPLY+=("$i") ;;
            esac
          done
        }
        complete -F _gantry gantry ./gantry

        """;

    private const string Zsh = """
        #compdef gantry
        # Gantry's completion for zsh: source <(gantry completion zsh)
        _gantry() {
          local -a lines values
          local line
          lines=("${(@f)$(GANTRY_NO_BUILD=1 "${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
          for line in $lines; do
            if [[ $line == :files ]]; then _files
            elif [[ -n $line ]]; then values+=("${${line%%$'\t'*}//:/\\:}${${(M)line%%$'\t'*}:+:${line#*$'\t'}}")
            fi
          done
          (( $#values )) && _describe gantry values
        }
        (( $+functions[compdef] )) && compdef _gantry gantry ./gantry

        """;

    private const string Fish = """
        # Gantry's completion for fish: gantry completion fish | source
        function __gantry_complete
          set -l words (commandline -opc)
          set -l lines (GANTRY_NO_BUILD=1 $words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
          for line in $lines
            if test "$line" = :files
              __fish_complete_path (commandline -ct)
            else
              echo $line
            end
          end
        end
        complete -c gantry -f -a '(__gantry_complete)'

        """;

    public static Command Build(CommandContext context)
    {
        var shell = new Argument<string>("shell") { HelpName = "SHELL", Description = "bash, zsh or fish" };
        shell.CompletionSources.Add("bash", "zsh", "fish");
        var command = new Command(
            "completion",
            Summary + ".\n\nFor this session: source <(gantry completion bash), "
                + "or for fish: gantry completion fish | source")
        {
            shell,
        };
        command.SetAction(parse => context.Terminal.Out.Write(parse.GetRequiredValue(shell) switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            var other => throw new UsageException($"there is no completion for '{other}': expected bash, zsh or fish"),
        }));
        return command;
    }
}
