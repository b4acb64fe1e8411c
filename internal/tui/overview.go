package tui

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/operator"
	"trivia/internal/store"
)

const (
	// askHookEvery is how often the private listener is asked, and hookTime how
	// long it has to answer.
	askHookEvery = 5 * time.Second
	hookTime     = 2 * time.Second

	// restFactor is how many times longer the database rests than it took to
	// answer, up to mostRest, so that a screen that is left open never weighs much.
	restFactor = 10
	mostRest   = 5 * time.Second
)

// An overview shows how things stand, and how they went during the last hour.
type overview struct {
	asker

	desk  *Desk
	theme theme
	keys  overviewKeys

	now     store.Overview // zero until it was answered
	err     error          // of the last answer
	minutes minuteLog
	hook    hookState

	standing, live, older question
	cursor                int
	drawn                 []place // where the last view has put the spots
}

// A question is one that is asked again and again.
type question struct {
	out  bool
	next time.Time // not before
}

// may reports whether it is time to ask, and takes it as asked.
func (q *question) may(now time.Time) bool {
	if q.out || now.Before(q.next) {
		return false
	}
	q.out = true

	return true
}

// answered says when to ask again: at once if it failed, since that is no work.
func (q *question) answered(asked time.Time, took time.Duration, err error) {
	q.out, q.next = false, asked
	if err == nil {
		q.next = asked.Add(took + min(restFactor*took, mostRest))
	}
}

// What the questions are answered with.
type (
	liveMinutes struct {
		tail           tail
		settled, fresh []store.Minute
		as             time.Time // counted at that time, by the database's clock
	}
	olderMinutes struct {
		minutes []store.Minute
		as      time.Time
	}
)

// A hookState is what is known of a trivia-hook.
type hookState struct {
	question

	operator.Hook

	known bool
	err   error
}

// hookHeard is what the private listener answered. It says nothing of the database.
type hookHeard struct {
	to   asker
	hook operator.Hook
	err  error
	at   time.Time
}

type overviewKeys struct{ Up, Down, Open key.Binding }

func newOverview(d *Desk) screen {
	return &overview{
		asker: newAsker(), desk: d, theme: newTheme(d.Color), minutes: newMinuteLog(),
		keys: overviewKeys{
			Open: key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "show these")),
			Up:   key.NewBinding(key.WithKeys("up", "k"), key.WithHelp("↑/k", "up")),
			Down: key.NewBinding(key.WithKeys("down", "j"), key.WithHelp("↓/j", "down")),
		},
	}
}

func (*overview) title() string { return "overview" }
func (*overview) typing() bool  { return false }
func (o *overview) bindings() []key.Binding {
	return []key.Binding{o.keys.Open, o.keys.Up, o.keys.Down}
}

func (o *overview) open() tea.Cmd { return o.look() }

// look asks how things stand now; what came in the minutes is asked when that
// is answered, since only the database's clock tells which they are.
func (o *overview) look() tea.Cmd {
	var cmds []tea.Cmd
	now := o.desk.Now()
	if o.standing.may(now) {
		cmds = append(cmds, ask(o.desk, o.asker, o.desk.Do.Overview))
	}
	if o.desk.AskHook != nil && o.hook.may(now) {
		cmds = append(cmds, o.askHook())
	}

	return tea.Batch(cmds...)
}

func (o *overview) askHook() tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(o.desk.ctx, hookTime)
		defer cancel()

		at := o.desk.Now()
		hook, err := o.desk.AskHook(ctx)

		return hookHeard{to: o.asker, hook: hook, err: err, at: at}
	}
}

func (o *overview) askLive(now time.Time) tea.Cmd {
	if !o.live.may(now) {
		return nil
	}
	as := o.now.Now
	t := o.minutes.tail(as)

	return ask(o.desk, o.asker, func(ctx context.Context) (got liveMinutes, err error) {
		got.tail, got.as = t, as
		if t.from.Before(t.split) {
			got.settled, err = o.desk.Do.Minutes(ctx, t.from, t.split)
		}
		if err == nil {
			got.fresh, err = o.desk.Do.Minutes(ctx, t.split, t.until)
		}

		return got, err
	})
}

func (o *overview) askOlder(now time.Time) tea.Cmd {
	as := o.now.Now
	from, until, ok := o.minutes.older(as)
	if !ok || !o.older.may(now) {
		return nil
	}

	return ask(o.desk, o.asker, func(ctx context.Context) (olderMinutes, error) {
		minutes, err := o.desk.Do.Minutes(ctx, from, until)

		return olderMinutes{minutes, as}, err
	})
}

func (o *overview) update(msg tea.Msg) (screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[store.Overview]:
		if msg.to != o.asker {
			break
		}
		o.standing.answered(msg.at, msg.took, msg.err)
		o.err = msg.err
		if msg.err != nil {
			break
		}
		o.now = msg.value

		return o, tea.Batch(o.askLive(msg.at), o.askOlder(msg.at))
	case answer[liveMinutes]:
		if msg.to == o.asker {
			o.live.answered(msg.at, msg.took, msg.err)
			if got := msg.value; msg.err == nil {
				o.minutes.addTail(got.tail, got.settled, got.fresh, got.as)
			}
		}
	case answer[olderMinutes]:
		if msg.to != o.asker {
			break
		}
		o.older.answered(msg.at, 0, msg.err) // the hour is to be seen soon; afterwards there is hardly any
		o.minutes.paced(msg.took)
		if msg.err != nil {
			o.minutes.chunk = 1
			break
		}
		before := o.minutes.known()
		o.minutes.add(msg.value.minutes, msg.value.as)
		if n := o.minutes.known(); n > before && n < hourOf {
			return o, o.askOlder(msg.at)
		}
	case hookHeard:
		if msg.to == o.asker {
			o.hook.out, o.hook.next, o.hook.err = false, msg.at.Add(askHookEvery), msg.err
			if msg.err == nil {
				o.hook.Hook, o.hook.known = msg.hook, true
			}
		}
	case tea.KeyMsg:
		return o, o.pressed(msg)
	case tea.MouseMsg:
		return o, o.pointed(msg)
	}

	return o, nil
}

func (o *overview) pressed(msg tea.KeyMsg) tea.Cmd {
	all := o.spots()
	switch {
	case key.Matches(msg, o.keys.Up):
		o.cursor = max(0, o.cursor-1)
	case key.Matches(msg, o.keys.Down):
		o.cursor = min(len(all)-1, o.cursor+1)
	case key.Matches(msg, o.keys.Open):
		return all[min(o.cursor, len(all)-1)].open()
	}

	return nil
}

// pointed takes the wheel, and a click: the first one selects, the second opens.
func (o *overview) pointed(msg tea.MouseMsg) tea.Cmd {
	all := o.spots()
	switch {
	case msg.Button == tea.MouseButtonWheelUp:
		o.cursor = max(0, o.cursor-1)
	case msg.Button == tea.MouseButtonWheelDown:
		o.cursor = min(len(all)-1, o.cursor+1)
	case msg.Button == tea.MouseButtonLeft && msg.Action == tea.MouseActionPress:
		for _, p := range o.drawn {
			if msg.Y != p.line || msg.X < p.from || msg.X >= p.until {
				continue
			}
			if p.spot == o.cursor {
				return all[p.spot].open()
			}
			o.cursor = p.spot
		}
	}

	return nil
}
