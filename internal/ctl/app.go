package ctl

import (
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"
)

// name is what the program is called, whatever its file is called.
const name = "triviactl"

// The categories of commands, in the order in which they are shown.
const (
	look  = "Look"
	mend  = "Mend"
	setUp = "Set up"
	test  = "Test"
)

// app returns the tree of commands. Nothing in it is shared: the library's own
// help and version flags are package variables, and parsing writes to flags.
func (s *session) app() *cli.App {
	app := &cli.App{
		Name:     name,
		HelpName: name,
		Usage:    "test, see and repair what Customer.io sends about trivia wins",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "version", Usage: "print the version"},
		},
		HideVersion: true,
		Commands: []*cli.Command{
			s.screensCommand(),
			s.winsCommand(), s.deliveriesCommand(), s.eventsCommand(), s.responsesCommand(), s.pushCommand(),
			s.usersCommand(), s.sourcesCommand(), s.keysCommand(),
			s.explainCommand(), s.auditCommand(), s.triviaCommand(), s.prizesCommand(), s.exportCommand(), s.doctorCommand(),
			s.replayCommand(), s.pruneCommand(), s.forgetCommand(), s.warehouseCommand(),
			s.migrateCommand(), s.templateCommand(), s.completionCommand(), s.manCommand(),
			s.sendCommand(), s.signCommand(), s.verifyCommand(), s.benchCommand(), s.simulateCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				s.print("%s %s\n", name, version())

				return nil
			}

			return usagef(name+" --help lists the commands", "want a command")
		},
		Reader: s.Stdin, Writer: s.Stdout, ErrWriter: s.Stderr,
		// The library would end the process.
		ExitErrHandler:  func(*cli.Context, error) {},
		HideHelp:        true,
		HideHelpCommand: true,
	}
	app.CustomAppHelpTemplate = overview(app)
	app.Flags = append(app.Flags, helpFlag())
	app.OnUsageError = badValue(name)
	for _, c := range app.Commands {
		dress(c, name)
	}

	return app
}

// dress gives a command and those below it what the library passes on to
// none of them: the help flag, the voice of errors, and a group's refusal to
// do nothing, unless it does something by itself.
func dress(c *cli.Command, parent string) {
	path := parent + " " + c.Name
	c.HideHelp, c.HideHelpCommand = true, true
	c.Flags = append(c.Flags, helpFlag())
	for _, flag := range c.Flags {
		if b, ok := flag.(*cli.BoolFlag); ok {
			b.DisableDefaultText = true // (default: false) says nothing
		}
	}
	c.OnUsageError = badValue(path)
	c.CustomHelpTemplate = commandHelp
	if len(c.Subcommands) == 0 {
		return
	}

	if c.Action == nil {
		c.CustomHelpTemplate = groupHelp
		c.Action = func(*cli.Context) error {
			return usagef(path+" --help tells more", "%s wants one of: %s", path, strings.Join(names(c.Subcommands), ", "))
		}
	} else {
		c.CustomHelpTemplate = actingGroupHelp
	}
	for _, sub := range c.Subcommands {
		dress(sub, path)
	}
}

func helpFlag() cli.Flag {
	return &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show this help"}
}

func names(commands []*cli.Command) (all []string) {
	for _, c := range commands {
		all = append(all, c.Name)
	}

	return all
}

// badValue turns the library's complaint about a flag's value into ours.
func badValue(path string) cli.OnUsageErrorFunc {
	return func(_ *cli.Context, err error, _ bool) error {
		// invalid value "x" for flag -repeat: parse error
		text := err.Error()
		for _, form := range [][2]string{{"invalid value ", " for flag -"}, {"invalid boolean value ", " for -"}} {
			if value, rest, ok := strings.Cut(strings.TrimPrefix(text, form[0]), form[1]); ok {
				flag, _, _ := strings.Cut(rest, ":")
				text = "--" + flag + " cannot be " + value
			}
		}

		return usagef(path+" --help tells more", "%s", text)
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown version)"
	}

	return info.Main.Version
}
