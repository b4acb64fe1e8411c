package tui

import (
	"encoding/base64"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// mostCopied is how much terminals take at once, before it is encoded.
const mostCopied = 74_994

// copyText asks the terminal to put text onto the clipboard (OSC 52). Whether it
// does, nobody can tell.
func (d *Desk) copyText(text, what string) tea.Cmd {
	if len(text) > mostCopied {
		return say(fmt.Sprintf("%s is too long to be copied: %s bytes", what, thousands(len(text))), Bad)
	}

	return func() tea.Msg {
		if d.out != nil {
			if _, err := d.out.Write([]byte("\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\a")); err != nil {
				return said{"could not be copied: " + err.Error(), Bad}
			}
		}

		return said{what + " was given to the terminal's clipboard", Good}
	}
}

// copyLines copies lines of the shell.
func (d *Desk) copyLines(lines []string) tea.Cmd {
	what := "the command"
	if len(lines) > 1 {
		what = fmt.Sprintf("%d commands", len(lines))
	}

	return d.copyText(strings.Join(lines, "\n"), what)
}
