package ctl

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
)

// everyCommand calls look with every command that does something, and the
// words that lead to it.
func everyCommand(commands []*cli.Command, path []string, look func(path []string, c *cli.Command)) {
	for _, c := range commands {
		at := slices.Concat(path, []string{c.Name})
		if len(c.Subcommands) > 0 {
			everyCommand(c.Subcommands, at, look)
			continue
		}
		look(at, c)
	}
}

func TestTheManualPageHasEverything(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	if code := st.call(t, "man"); code != 0 {
		t.Fatalf("triviactl man exits with %d: %s", code, st.err.String())
	}
	manual := st.out.String()
	has := func(what, text string) {
		if !strings.Contains(manual, text) {
			t.Errorf("the manual page does not have %s: %s", what, text)
		}
	}

	everyCommand(newStage(t).app().Commands, nil, func(path []string, c *cli.Command) {
		head := `.SS "triviactl ` + escaped(strings.Join(path, " "))
		_, section, ok := strings.Cut(manual, head)
		if !ok {
			t.Errorf("the manual page does not have %s", head)
			return
		}
		section, _, _ = strings.Cut(section, "\n.S")
		for _, flag := range c.VisibleFlags() {
			for _, name := range flag.Names() {
				if name != "help" && name != "h" && !strings.Contains(section, escaped("-"+name)) {
					t.Errorf("the manual page does not have flag %s of %s", name, path)
				}
			}
		}
		if strings.Contains(c.Description, "Examples:") && !strings.Contains(section, "Examples:\n") {
			t.Errorf("the manual page does not have the examples of %s", path)
		}
	})
	for _, s := range config.Table() {
		has("the setting", `.B "`+escaped(s.Name))
	}
	for _, e := range exits {
		has("the exit code", e.meaning)
	}
	macros := []string{".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".nf", ".fi"}
	for line := range strings.Lines(manual) {
		if len(line) > 2 && line[0] == '.' && !slices.Contains(macros, strings.TrimSpace(line[:3])) {
			t.Errorf("a line of text begins like a macro: %s", line)
		}
	}
}

func TestTextCannotBecomeAMacro(t *testing.T) {
	t.Parallel()

	p := &page{}
	p.text(`.SH NAME`)
	p.text(`'a\b "c" …`)
	p.item(`a "b"`, "")
	if got, want := p.String(), "\\&.SH NAME\n\\(aqa\\eb \"c\" \\[u2026]\n.TP\n.B \"a \\(dqb\\(dq\"\n"; got != want {
		t.Errorf("page = %q, want %q", got, want)
	}
}

func TestTheManualPageIsClean(t *testing.T) {
	t.Parallel()

	// Either is on most machines that show manual pages.
	for _, linter := range [][]string{{"mandoc", "-Tlint", "-Wall"}, {"groff", "-man", "-Tutf8", "-ww", "-z"}} {
		path, err := exec.LookPath(linter[0])
		if err != nil {
			t.Logf("%s is not installed", linter[0])
			continue
		}
		st := newStage(t)
		st.call(t, "man")
		cmd := exec.CommandContext(t.Context(), path, linter[1:]...)
		cmd.Stdin = &st.out
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%q: %v\n%s", linter, err, said)
		}
	}
}
