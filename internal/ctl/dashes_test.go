package ctl

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestWordsThatLookLikeFlagsWorkBehindDashes holds it for every command that
// takes plain words: what stands behind -- reaches it, whatever it looks like,
// and never as a flag.
func TestWordsThatLookLikeFlagsWorkBehindDashes(t *testing.T) {
	t.Parallel()

	odd := []string{"-odd-", "--output", "--help", "--", "-", "help", "--reason=x", ""}
	everyCommand(newStage(t).app().Commands, nil, func(path []string, c *cli.Command) {
		if c.ArgsUsage == "" || strings.HasPrefix(c.ArgsUsage, "-") {
			return
		}
		t.Run(strings.Join(path, " "), func(t *testing.T) {
			t.Parallel()

			// The words reach the command, in their order, before or behind flags.
			var got []string
			app := newStage(t).app()
			commands := app.Commands
			for _, word := range path {
				i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == word })
				if len(commands[i].Subcommands) == 0 {
					commands[i].Action = func(c *cli.Context) error { got = c.Args().Slice(); return nil }
				}
				commands = commands[i].Subcommands
			}
			words, err := arrange(app, slices.Concat(path, []string{"--"}, odd))
			if err == nil {
				err = app.RunContext(t.Context(), append([]string{name}, words[1:]...))
			}
			if err != nil || !slices.Equal(got, odd) {
				t.Errorf("behind -- it got %q, %v; want %q", got, err, odd)
			}

			// Without --, the same words are refused with the way out.
			st := newStage(t)
			code := st.call(t, append(slices.Clone(path), "-odd-")...)
			if code != exitUsage || !strings.Contains(st.err.String(), "behind --") {
				t.Errorf("without --: exit code %d, %s", code, st.err.String())
			}
		})
	})
}

// TestValuesThatLookLikeFlags holds the same for flags that take a text.
func TestValuesThatLookLikeFlags(t *testing.T) {
	t.Parallel()

	everyCommand(newStage(t).app().Commands, nil, func(path []string, c *cli.Command) {
		for _, flag := range c.Flags {
			text, ok := flag.(*cli.StringFlag)
			if !ok {
				continue
			}
			for _, value := range []string{"-odd-", "--help", "--" + text.Name} {
				want := "--" + text.Name + "=" + value
				words, err := arrange(newStage(t).app(), append(slices.Clone(path), want))
				if err != nil || !slices.Contains(words, want) {
					t.Errorf("%q with %s = %q, %v", path, want, words, err)
				}
			}
		}
	})
}

// TestTimesAreReadAlikeEverywhere finds every flag that takes a time.
func TestTimesAreReadAlikeEverywhere(t *testing.T) {
	t.Parallel()

	found := 0
	everyCommand(newStage(t).app().Commands, nil, func(path []string, c *cli.Command) {
		for _, flag := range c.Flags {
			text, ok := flag.(*cli.StringFlag)
			if !ok || !strings.Contains(text.Usage, "`TIME`") && !strings.Contains(text.Usage, "`DATE`") {
				continue
			}
			found++
			st := newStage(t)
			code := st.call(t, slices.Concat(path, []string{"--" + text.Name + "=soon", "--"})...)
			want := "--" + text.Name + ` cannot be "soon"`
			if code != exitUsage || !strings.Contains(st.err.String(), want) && !strings.Contains(st.err.String(), " wants ") {
				t.Errorf("%q --%s soon: exit code %d, %s", path, text.Name, code, st.err.String())
			}
		}
	})
	if found < 10 {
		t.Errorf("%d flags take a time, want those that there are", found)
	}
}
