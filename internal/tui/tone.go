package tui

import (
	"io"

	"github.com/charmbracelet/lipgloss"
)

// A Tone is how a word is coloured. It only ever repeats what the word says.
type Tone int

// The tones.
const (
	Plain   Tone = iota
	Good         // it is done
	Waiting      // it goes on by itself
	Bad          // a person has to look at it
)

// The sixteen colours of the terminal's own theme fit light and dark
// backgrounds alike. Numbers are those of termenv's profiles.
const (
	sixteenColours = 2
	noColours      = 3
)

// A theme holds all colours.
type theme struct {
	header, rule lipgloss.Style
	key          lipgloss.Style // what is pressed
	chosen       lipgloss.Style // the row under the cursor; it has a sign, too
	alarm        lipgloss.Style // what must not be overlooked
	tones        map[Tone]lipgloss.Style
}

func newTheme(color bool) theme {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(noColours)
	if color {
		r.SetColorProfile(sixteenColours)
	}

	return theme{
		header: r.NewStyle().Bold(true),
		rule:   r.NewStyle().Faint(true),
		key:    r.NewStyle().Bold(true),
		chosen: r.NewStyle().Reverse(true),
		alarm:  r.NewStyle().Bold(true).Reverse(true).Foreground(lipgloss.Color("1")),
		tones: map[Tone]lipgloss.Style{
			Plain:   r.NewStyle(),
			Good:    r.NewStyle().Foreground(lipgloss.Color("2")),
			Waiting: r.NewStyle().Foreground(lipgloss.Color("3")),
			Bad:     r.NewStyle().Foreground(lipgloss.Color("1")),
		},
	}
}
