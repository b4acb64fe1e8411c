package ctl

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/trivia"
	"trivia/internal/warehouse"
)

// completionFlag asks, as the last word, what the word before it may become.
// The scripts always hand over the word under the cursor, be it empty.
const completionFlag = "--generate-bash-completion"

// describe is the setting by which a script asks for descriptions.
const describe = "TRIVIACTL_DESCRIBE"

func (s *session) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Category: setUp, ArgsUsage: "bash|zsh|fish",
		Usage: "print a script that completes words in a shell",
		Description: `Examples:
  source <(triviactl completion bash)        # in ~/.bashrc
  source <(triviactl completion zsh)         # in ~/.zshrc, behind compinit
  triviactl completion fish > ~/.config/fish/completions/triviactl.fish`,
		Action: func(c *cli.Context) error {
			words, err := plainWords(c, "bash|zsh|fish")
			if err != nil {
				return err
			}
			script, ok := completionScripts[words[0]]
			if !ok {
				return usagef("there are scripts for bash, zsh and fish", "no script for %q", words[0])
			}
			s.print("%s", script)

			return nil
		},
	}
}

// complete prints what the last of words may become, one a line. It prints
// nothing where a file is wanted, or a word that nobody knows.
func (s *session) complete(app *cli.App, words []string) {
	words = unsplit(words)
	last := len(words) - 1
	a := newArranging(app, words[:last])
	for len(a.args) > 0 {
		if flag := a.lacksValue(); flag != nil {
			s.offer(words[last], a.valuesOf(flag), nil)

			return
		}
		if a.take() != nil {
			return
		}
	}

	if strings.HasPrefix(words[last], "-") && !a.only {
		s.offerFlags(a, words[last])

		return
	}
	var commands []string
	usages := map[string]string{}
	for _, c := range a.at.commands {
		commands = append(commands, c.Name)
		usages[c.Name] = c.Usage
	}
	if path := a.at.path; path[len(path)-1] == "completion" && len(a.plain) == 0 {
		commands = []string{"bash", "zsh", "fish"}
	}
	if path := a.at.path; path[len(path)-1] == "scenario" {
		commands = scenarioWords()
	}
	s.offer(words[last], commands, usages)
}

// lacksValue returns the flag that the word under the cursor is the value of.
func (a *arranging) lacksValue() cli.Flag {
	if len(a.args) != 1 || a.only || !strings.HasPrefix(a.args[0], "-") {
		return nil
	}
	flag := a.known(strings.TrimLeft(a.args[0], "-"))
	if flag == nil || !takesValue(flag) {
		return nil
	}

	return flag
}

// offerFlags offers flags, or, behind a flag's "=", its values.
func (s *session) offerFlags(a *arranging, current string) {
	flag, _, joined := strings.Cut(current, "=")
	if !joined {
		words, usages := offeredFlags(a.at.flags)
		s.offer(current, words, usages)

		return
	}
	if known := a.known(strings.TrimLeft(flag, "-")); known != nil {
		s.offer(current, prefixed(flag+"=", a.valuesOf(known)), nil)
	}
}

// unsplit undoes what bash does to --flag=value: it hands over three words.
// There is always a word under the cursor.
func unsplit(words []string) []string {
	n := len(words)
	switch {
	case n == 0:
		return []string{""}
	case n > 1 && words[n-1] == "=" && strings.HasPrefix(words[n-2], "--"):
		words[n-1] = ""
	case n > 2 && words[n-2] == "=" && strings.HasPrefix(words[n-3], "--"):
		words = append(words[:n-2:n-2], words[n-1])
	}

	return words
}

func prefixed(prefix string, words []string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = prefix + word
	}

	return all
}

func (s *session) offer(current string, words []string, usages map[string]string) {
	for _, word := range words {
		if !strings.HasPrefix(word, current) {
			continue
		}
		if usage := usages[word]; usage != "" && s.Getenv(describe) != "" {
			word += "\t" + usage
		}
		s.print("%s\n", word)
	}
}

func offeredFlags(flags []cli.Flag) (words []string, usages map[string]string) {
	usages = map[string]string{}
	for _, flag := range flags {
		word := "--" + flag.Names()[0]
		words = append(words, word)
		if documented, ok := flag.(cli.DocGenerationFlag); ok {
			usages[word] = strings.ReplaceAll(documented.GetUsage(), "`", "")
		}
	}
	slices.Sort(words)

	return words, usages
}

// valuesOf returns the words that a flag takes, if they are a closed set.
func (a *arranging) valuesOf(flag cli.Flag) []string {
	name := flag.Names()[0]
	if slices.Contains(a.at.path, "push") {
		switch name {
		case "state":
			return wordsOf(trivia.PushStates())
		case "kind":
			return wordsOf(trivia.PushKinds())
		case "cause":
			return wordsOf(pushCauses())
		}
	}

	switch name {
	case "output":
		return formats()
	case "format":
		return exportFormats()
	case "state":
		return wordsOf(trivia.States())
	case "kind", "route":
		return wordsOf(trivia.Kinds())
	case "outcome":
		return wordsOf(trivia.Outcomes())
	case "object":
		return objects()
	case "metric":
		return metrics()
	case "table":
		return wordsOf(warehouse.Tables())
	case "only":
		return wordsOf(prunableByAge())
	case "before", "bodies-before":
		return []string{"30d", "90d", "365d"}
	case "since", "until":
		return []string{"1h", "2h", "today", "yesterday"}
	}

	return nil
}

var completionScripts = map[string]string{
	"bash": `_triviactl() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[@]:0:COMP_CWORD+1}" --generate-bash-completion 2>/dev/null))
}
complete -o default -F _triviactl triviactl
`,
	"zsh": `#compdef triviactl
_triviactl() {
  local -a found described
  found=("${(@f)$(TRIVIACTL_DESCRIBE=1 "${(@Q)words[1,CURRENT]}" --generate-bash-completion 2>/dev/null)}")
  if [[ -z "$found" ]]; then
    _files
    return
  fi
  described=("${(@)${(@)found//:/\\:}/$'\t'/:}")
  _describe 'triviactl' described
}
compdef _triviactl triviactl
`,
	"fish": `function __triviactl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (env TRIVIACTL_DESCRIBE=1 $words --generate-bash-completion 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c triviactl -f -a '(__triviactl_complete)'
`,
}
