package ctl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts the words of a call into the one order that the library obeys:
// commands, flags, "--", plain words. The library stops looking for flags at
// the first plain word, and would ignore one behind it without a word. What
// cannot be understood is refused here, with a next step.
func arrange(app *cli.App, args []string) ([]string, error) {
	a := newArranging(app, args)
	for len(a.args) > 0 {
		if err := a.take(); err != nil {
			return nil, err
		}
	}
	if a.help {
		return append(a.at.path, "--help"), nil
	}

	words := slices.Clone(a.at.path)
	for _, held := range a.held {
		if findFlag(a.at.flags, held.name) == nil {
			return nil, a.at.unknownFlag(held.name)
		}
		words = append(words, held.text)
	}
	if len(a.plain) > 0 {
		words = append(append(words, "--"), a.plain...)
	}

	return words, nil
}

// A place is a command, or the program itself.
type place struct {
	path     []string
	commands []*cli.Command
	flags    []cli.Flag
	words    bool // it takes plain words
}

// A heldFlag was read before its command is known.
type heldFlag struct {
	name, text string
}

type arranging struct {
	at    place
	args  []string // not taken yet
	held  []heldFlag
	plain []string
	only  bool // "--" was taken: all that follows are plain words
	help  bool
}

func newArranging(app *cli.App, args []string) *arranging {
	return &arranging{at: place{path: []string{app.Name}, commands: app.Commands, flags: app.Flags}, args: args}
}

// take takes the next word, and its value if it is a flag that has one.
func (a *arranging) take() error {
	word := a.args[0]
	a.args = a.args[1:]

	switch {
	case a.only && len(a.at.commands) == 0:
		a.plain = append(a.plain, word)
	case !a.only && word == "--":
		a.only = true
	case !a.only && len(word) > 1 && word[0] == '-':
		return a.flag(word)
	case len(a.at.commands) == 0:
		a.plain = append(a.plain, word)
	case word == "help":
		a.help = true
	default:
		return a.enter(word)
	}

	return nil
}

// enter goes down to a command.
func (a *arranging) enter(word string) error {
	for _, c := range a.at.commands {
		if c.HasName(word) {
			words := c.ArgsUsage != "" && c.ArgsUsage[0] != '-'
			a.at = place{append(a.at.path, c.Name), c.Subcommands, c.Flags, words}

			return nil
		}
	}

	path := strings.Join(a.at.path, " ")

	return usagef(didYouMean(word, names(a.at.commands), path+" --help lists the commands"),
		"%s has no command %q", path, word)
}

// flag takes a flag, written as -name, --name or --name=value.
func (a *arranging) flag(word string) error {
	flagName, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
	flag := a.known(flagName)
	if flag == nil {
		return a.at.unknownFlag(flagName)
	}
	flagName = flag.Names()[0]
	if flagName == "help" {
		a.help = true

		return nil
	}
	if err := a.once(flag); err != nil {
		return err
	}

	if takesValue(flag) && !joined {
		if err := a.follows(flagName); err != nil {
			return err
		}
		value, joined = a.args[0], true
		a.args = a.args[1:]
	}
	text := "--" + flagName
	if joined {
		if value == "" {
			return usagef("leave the flag out, or give it a value; is a variable empty?", "--%s is empty", flagName)
		}
		text += "=" + value
	}
	a.held = append(a.held, heldFlag{flagName, text})

	return nil
}

// once refuses a second value for a flag that has one. A generic flag is one
// that collects values.
func (a *arranging) once(flag cli.Flag) error {
	name := flag.Names()[0]
	if _, collects := flag.(*cli.GenericFlag); collects {
		return nil
	}
	if slices.ContainsFunc(a.held, func(h heldFlag) bool { return h.name == name }) {
		return usagef("give it once", "--%s is there twice", name)
	}

	return nil
}

// follows makes sure that the next word can be the value of a flag.
func (a *arranging) follows(name string) error {
	if len(a.args) == 0 {
		return usagef("as in --"+name+" VALUE", "--%s wants a value", name)
	}
	next := a.args[0]
	if len(next) < 2 || next[0] != '-' {
		return nil
	}
	other, _, _ := strings.Cut(strings.TrimLeft(next, "-"), "=")
	if next == "--" || a.known(other) != nil {
		hint := fmt.Sprintf("if %s is meant as the value, write --%s=%s", next, name, next)

		return usagef(hint, "--%s wants a value, and %s is a flag", name, next)
	}

	return nil
}

// known finds a flag of this place or, so that flags may stand before the
// command that has them, of those below it.
func (a *arranging) known(name string) cli.Flag {
	if flag := findFlag(a.at.flags, name); flag != nil {
		return flag
	}

	return findBelow(a.at.commands, name)
}

func findBelow(commands []*cli.Command, name string) cli.Flag {
	for _, c := range commands {
		if flag := findFlag(c.Flags, name); flag != nil {
			return flag
		}
		if flag := findBelow(c.Subcommands, name); flag != nil {
			return flag
		}
	}

	return nil
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	for _, flag := range flags {
		if slices.Contains(flag.Names(), name) {
			return flag
		}
	}

	return nil
}

func takesValue(flag cli.Flag) bool {
	_, isBool := flag.(*cli.BoolFlag)

	return !isBool
}

func (p place) unknownFlag(name string) error {
	path := strings.Join(p.path, " ")
	if len(name) > 0 && (name[0] < 'A' || name[0] > 'z') {
		return usagef("put words that begin with - behind --", "%s has no flag -%s", path, name)
	}

	var known []string
	for _, flag := range p.flags {
		known = append(known, "--"+flag.Names()[0])
	}
	const behind = "put words that begin with - behind --"
	hint := path + " --help lists the flags; " + behind
	if near := didYouMean("--"+name, known, ""); near != "" {
		if hint = near; p.words {
			hint += " or " + behind
		}
	}

	return usagef(hint, "%s has no flag --%s", path, name)
}

// plainWords returns the plain words of a command that wants exactly these.
func plainWords(c *cli.Context, want ...string) ([]string, error) {
	got := c.Args().Slice()
	if len(got) == len(want) {
		return got, nil
	}

	hint := c.Command.HelpName + " --help tells more"
	switch {
	case len(want) == 0:
		return nil, usagef(hint, "%s wants no words besides flags, got %q", c.Command.HelpName, got)
	case len(got) == 0:
		return nil, usagef(hint, "%s wants %s", c.Command.HelpName, strings.Join(want, " "))
	default:
		return nil, usagef(hint, "%s wants %s, got %q", c.Command.HelpName, strings.Join(want, " "), got)
	}
}
