package tui

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/bubbles/progress"
	tea "github.com/charmbracelet/bubbletea"
)

// A Step says how far something has come.
type Step struct {
	Count    int     // what is done
	Fraction float64 // of the whole, 0 to 1; below 0 if nobody knows
}

// A Progress draws how far something has come, on one line, until it is
// stopped.
type Progress struct {
	step    atomic.Pointer[Step]
	program *tea.Program
	done    chan struct{}
}

// ProgressOptions say what a [Progress] draws, and where.
type ProgressOptions struct {
	Out   io.Writer
	Label string // what is going on
	Unit  string // plural of what is counted
	Width int    // of the terminal; 0 means 80
	Color bool
	Now   func() time.Time
}

// redraw is how often the line is drawn anew.
const redraw = 100 * time.Millisecond

// StartProgress begins to draw. The line vanishes with [Progress.Stop], which
// must be called.
func StartProgress(opts ProgressOptions) *Progress {
	p := &Progress{done: make(chan struct{})}
	p.step.Store(&Step{Fraction: -1})
	p.program = tea.NewProgram(newBar(opts, p.look),
		tea.WithInput(nil), tea.WithOutput(opts.Out), tea.WithoutSignalHandler(), tea.WithoutBracketedPaste())

	go func() { // Stop waits for it
		defer close(p.done)
		// A bar that cannot be drawn is no reason to stop what it shows.
		_, _ = p.program.Run()
	}()

	return p
}

// Set says how far it is. It costs next to nothing.
func (p *Progress) Set(s Step) { p.step.Store(&s) }

// Stop removes the line and gives the terminal back.
func (p *Progress) Stop() {
	p.program.Send(ended{})
	<-p.done
}

// look waits for the time to draw and says how far it is by then.
func (p *Progress) look() tea.Cmd {
	return tea.Tick(redraw, func(now time.Time) tea.Msg { return moved{*p.step.Load(), now} })
}

// moved says how far it was at a time.
type moved struct {
	step Step
	at   time.Time
}

// ended says that there is nothing more to show.
type ended struct{}

// A bar is the model behind a [Progress].
type bar struct {
	opts  ProgressOptions
	look  func() tea.Cmd
	bar   progress.Model
	begun time.Time
	now   moved
	over  bool
}

func newBar(opts ProgressOptions, look func() tea.Cmd) bar {
	if opts.Width == 0 {
		opts.Width = 80
	}
	profile := progress.WithColorProfile(noColours)
	if opts.Color {
		profile = progress.WithColorProfile(sixteenColours)
	}
	begun := opts.Now()

	return bar{
		opts: opts, look: look, begun: begun, now: moved{Step{Fraction: -1}, begun},
		bar: progress.New(progress.WithoutPercentage(), progress.WithSolidFill("2"), profile),
	}
}

// Init asks for the first look.
func (b bar) Init() tea.Cmd { return b.look() }

// Update takes in what happened.
func (b bar) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case moved:
		b.now = msg

		return b, b.look()
	case tea.WindowSizeMsg:
		if msg.Width > 0 {
			b.opts.Width = msg.Width
		}
	case ended:
		b.over = true

		return b, tea.Quit
	}

	return b, nil
}

// View draws the line.
func (b bar) View() string {
	if b.over {
		return ""
	}

	words := b.words()
	room := b.opts.Width - len(b.opts.Label) - len(words) - 2*gap - 1
	if b.now.step.Fraction < 0 || room < 10 {
		return cut(b.opts.Label+"  "+words, b.opts.Width-1)
	}
	b.bar.Width = min(room, 40)

	return b.opts.Label + "  " + b.bar.ViewAs(b.now.step.Fraction) + "  " + words
}

// ProgressLine draws how far something has come since it began, on one line.
func ProgressLine(opts ProgressOptions, step Step, took time.Duration) string {
	b := newBar(opts, nil)
	b.now = moved{step, b.begun.Add(took)}

	return b.View()
}

// words are the numbers behind the bar.
func (b bar) words() string {
	done, took := b.now.step, b.now.at.Sub(b.begun)

	text := thousands(done.Count) + " " + b.opts.Unit
	if took < time.Second {
		return text
	}
	text += fmt.Sprintf("  %s/s", thousands(int(float64(done.Count)/took.Seconds())))
	if done.Fraction <= 0 {
		return text
	}
	left := time.Duration(float64(took) * (1 - min(done.Fraction, 1)) / done.Fraction)

	return text + fmt.Sprintf("  %s left", left.Round(time.Second))
}

// thousands writes n with a comma between groups of three digits.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	if n < 0 {
		return digits
	}

	var text strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			text.WriteByte(',')
		}
		text.WriteRune(d)
	}

	return text.String()
}
