package ctl

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
)

func (s *session) manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", Category: setUp, Usage: "print the manual page",
		Description: `All commands, flags, examples, settings and exit codes, as one page for man.

Examples:
  triviactl man | man -l -
  triviactl man > /usr/local/share/man/man1/triviactl.1`,
		Action: func(c *cli.Context) error {
			if _, err := plainWords(c); err != nil {
				return err
			}
			s.print("%s", manual(c.App, s.builtOn()))

			return nil
		},
	}
}

// builtOn is when the program was written, or today if nobody knows.
func (s *session) builtOn() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key != "vcs.time" {
				continue
			}
			if t, err := time.Parse(time.RFC3339, setting.Value); err == nil {
				return t
			}
		}
	}

	return s.Now()
}

const manWords = `Flags may stand before or behind plain words, and before the command. Words that
begin with - go behind --, and values of flags that do go behind =, as in
--user=-odd-.

Listings show 50 rows and say how to go on; --all streams any number of them.

TIME is how long ago (2h, 7d, 1w2d), now, today, yesterday, a day (2026-01-31), a
day and a time of day on this machine's clock (2026-01-31 15:04), Unix seconds,
or RFC 3339.

What changes something leaves a line in the audit log, with who did it and --reason.`

const manSettings = `They come from the environment, as those of trivia-hook do, and from the file
that TRIVIA_ENV_FILE names. A trivia-hook --embedded that runs on this machine is
found without DATABASE_URL.`

// exits are the exit codes, in words.
var exits = []struct {
	code    int
	meaning string
}{
	{exitDone, "done"},
	{exitFailed, "failed, or interrupted"},
	{exitUsage, "wrong words or settings"},
	{exitNotFound, "no such thing"},
	{4, "not confirmed"},
}

// A page is a manual page under construction, in the macros of man(7).
type page struct{ strings.Builder }

// manual returns the manual page of app.
func manual(app *cli.App, date time.Time) string {
	p := &page{}
	p.macro(".TH %s 1 %s %s %s", quoted(strings.ToUpper(app.Name)), date.UTC().Format(time.DateOnly),
		quoted(app.Name+" "+version()), quoted("Trivia"))
	p.macro(".SH NAME")
	p.text(app.Name + " - " + app.Usage)
	p.macro(".SH SYNOPSIS")
	p.macro(".B %s", escaped(app.Name))
	p.macro(".I COMMAND")
	p.text("[flags] [words]")
	p.macro(".SH DESCRIPTION")
	p.prose(manWords)
	p.macro(".SH COMMANDS")
	for _, c := range app.Commands {
		p.command(app.Name, c)
	}
	p.macro(".SH SETTINGS")
	p.prose(manSettings)
	for _, s := range config.Table() {
		p.item(s.Name+" (default: "+s.Default+")", s.Meaning)
	}
	p.macro(".SH EXIT STATUS")
	for _, e := range exits {
		p.item(fmt.Sprint(e.code), e.meaning)
	}

	return p.String()
}

// command writes a command, and those below it.
func (p *page) command(parent string, c *cli.Command) {
	path := parent + " " + c.Name
	if len(c.Subcommands) > 0 {
		for _, sub := range c.Subcommands {
			p.command(path, sub)
		}

		return
	}

	p.macro(".SS %s", quoted(strings.TrimSpace(path+" "+c.ArgsUsage)))
	p.text(strings.ToUpper(c.Usage[:1]) + c.Usage[1:] + ".")
	prose, examples, _ := strings.Cut(c.Description, "Examples:\n")
	if prose = strings.TrimSpace(prose); prose != "" {
		p.macro(".PP")
		p.prose(prose)
	}
	for _, flag := range c.VisibleFlags() {
		if flag.Names()[0] == "help" {
			continue
		}
		name, usage, _ := strings.Cut(flag.String(), "\t")
		p.item(name, usage)
	}
	if examples == "" {
		return
	}
	p.macro(".PP")
	p.text("Examples:")
	p.macro(".PP")
	p.verbatim(examples)
}

func (p *page) macro(format string, args ...any) { _, _ = fmt.Fprintf(p, format+"\n", args...) }

// text writes a line of text; one that begins like a macro is none.
func (p *page) text(line string) {
	line = escaped(line)
	if line != "" && (line[0] == '.' || line[0] == '\'') {
		line = `\&` + line
	}
	if line == "" {
		line = `\&`
	}
	p.WriteString(line + "\n")
}

// fill writes text that is filled into lines anyway. None is longer than is
// easily read in the source.
func (p *page) fill(text string) {
	const most = 79

	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(escaped(line))+1+len(escaped(word)) > most {
			p.text(line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		p.text(line)
	}
}

// prose writes paragraphs, with an empty line between two. One with indented
// lines in it stays as it is.
func (p *page) prose(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.macro(".PP")
		}
		if strings.Contains("\n"+paragraph, "\n ") {
			p.verbatim(paragraph)
			continue
		}
		p.fill(paragraph)
	}
}

func (p *page) verbatim(text string) {
	p.macro(".nf")
	for line := range strings.Lines(text) {
		p.text(strings.TrimSuffix(line, "\n"))
	}
	p.macro(".fi")
}

// item writes a word, and what it means.
func (p *page) item(word, meaning string) {
	p.macro(".TP")
	p.macro(".B %s", quoted(word))
	p.fill(meaning)
}

// quoted is a text that is one argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(escaped(text), `"`, `\(dq`) + `"` }

// escaped is a text that is shown as it is. Dashes stay what they are when
// somebody copies a command, and no letter depends on an encoding.
func escaped(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			out.WriteString(`\e`)
		case r == '-':
			out.WriteString(`\-`)
		case r == '\'':
			out.WriteString(`\(aq`)
		case r == '`':
			out.WriteString(`\(ga`)
		case r == '^':
			out.WriteString(`\(ha`)
		case r == '~':
			out.WriteString(`\(ti`)
		case r > '~':
			_, _ = fmt.Fprintf(&out, `\[u%04X]`, r)
		default:
			out.WriteRune(r)
		}
	}

	return out.String()
}
