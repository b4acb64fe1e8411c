package ctl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// briefs say in a few words what a command is about: all of them have to fit
// on one screen, two in a line.
var briefs = map[string]string{
	"tui": "the screens", "wins": "what users won", "deliveries": "requests, as they were kept", "events": "what webhooks reported",
	"responses": "answers, right and wrong", "push": "what Customer.io is told", "users": "who may win",
	"trivia": "stats; close and open", "prizes": "what wins earned; revoke", "sources": "who may call",
	"keys": "which signing keys match", "explain": "all about one win", "audit": "checks, and operators' acts",
	"replay": "settle again", "prune": "delete what is past its use", "forget": "erase one person",
	"warehouse": "init, backfill, verify",
	"export":    "rows into a file", "doctor": "is all as it should be",
	"migrate": "bring the tables up to date", "template": "what a campaign sends", "completion": "for your shell",
	"man":  "the manual page",
	"send": "signed requests, trouble", "sign": "a body, as Customer.io does", "verify": "which key signed a body",
	"bench": "load, and proof of it", "simulate": "Customer.io, and its waits",
}

// briefOf returns a command's brief, or what stands in for it.
func briefOf(c *cli.Command) string {
	if brief, ok := briefs[c.Name]; ok {
		return brief
	}

	return c.Usage
}

// overview is the help of the program itself. The library's templates cannot
// set commands in two columns.
func overview(app *cli.App) string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "%s: %s\nUsage: %[1]s COMMAND [flags] [words]; %[1]s COMMAND --help tells more\n", app.Name, app.Usage)
	for _, category := range []string{look, mend, setUp, test} {
		var there []*cli.Command
		for _, c := range app.Commands {
			if c.Category == category && !c.Hidden {
				there = append(there, c)
			}
		}
		_, _ = fmt.Fprintf(&out, "%s:\n", category)
		for pair := range slices.Chunk(there, 2) {
			line := fmt.Sprintf("  %-10s %-27s", pair[0].Name, briefOf(pair[0]))
			if len(pair) > 1 {
				line += fmt.Sprintf("  %-10s %s", pair[1].Name, briefOf(pair[1]))
			}
			_, _ = fmt.Fprintln(&out, strings.TrimRight(line, " "))
		}
	}
	_, _ = out.WriteString(`Settings are those of trivia-hook; a running one that is --embedded is found.
Exit codes: 0 done, 1 failed, 2 wrong words, 3 no such thing, 4 not confirmed.
`)

	return out.String()
}
