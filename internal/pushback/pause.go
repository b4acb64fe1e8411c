package pushback

import (
	"sync"
	"time"

	"trivia/internal/drain"
)

// Why all sending may be paused.
const (
	pausedCredentials = "credentials" // Customer.io refuses them
	pausedRate        = "rate"        // it wants less of us
	pausedDown        = "down"        // it fails for everybody
)

// How pauses of everybody grow, where Customer.io does not say how long it wants.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	downAfter    = 5 // people in a row for whom it failed
)

// A pause keeps everybody from calling while calls are in vain. When its time
// is over one person goes first, and sending goes on if Customer.io takes that.
type pause struct {
	now    func() time.Time
	jitter func() float64
	show   func(reason string) // tells the metrics

	mu      sync.Mutex
	reason  string // empty: there is none
	until   time.Time
	tries   int             // since the last success
	epoch   int             // of calls: what those of an earlier one come to is no news
	alarmed bool            // since the last success
	failing map[string]bool // people for whom it failed, since the last success
}

// A gate is what may be called now.
type gate int

const (
	gateOpen gate = iota
	gateShut
	gateTrial // one person's turn
	gateAsk   // only for the account
)

func (p *pause) gate() gate {
	p.mu.Lock()
	defer p.mu.Unlock()

	switch {
	case p.reason == "":
		return gateOpen
	case p.now().Before(p.until):
		return gateShut
	case p.reason == pausedCredentials:
		return gateAsk
	default:
		return gateTrial
	}
}

// call returns the epoch of a call that is about to be made, and whether it
// may be.
func (p *pause) call(trial bool) (epoch int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	ok = p.reason == "" || trial && p.reason != pausedCredentials && !p.now().Before(p.until)

	return p.epoch, ok
}

// set begins a pause, or another round of one. It returns how long it is.
func (p *pause) set(reason string, wait time.Duration) time.Duration {
	p.tries++
	p.epoch++
	if wait == 0 {
		wait = drain.Backoff(p.tries, firstPause, longestPause, p.jitter())
	}
	p.reason, p.until = reason, p.now().Add(wait)
	clear(p.failing)
	p.show(reason)

	return wait
}

// succeeded ends a pause. It reports whether there was one.
func (p *pause) succeeded(epoch int) (ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if epoch != p.epoch {
		return false
	}
	ended = p.reason != ""
	p.reason, p.tries, p.alarmed = "", 0, false
	clear(p.failing)
	if ended {
		p.show("")
	}

	return ended
}

// failed takes note of a call for person that may succeed later. It returns
// how long everybody is paused, if that is because of it.
func (p *pause) failed(epoch int, person string) (wait time.Duration, paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if epoch != p.epoch {
		return 0, false
	}
	p.failing[person] = true
	if p.reason == "" && len(p.failing) < downAfter {
		return 0, false
	}

	return p.set(pausedDown, 0), true
}

// limited takes note that Customer.io wants less of us, and perhaps said for
// how long. It returns how long everybody is paused, if that is because of it.
func (p *pause) limited(epoch int, after time.Duration) (wait time.Duration, paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if epoch == p.epoch {
		return p.set(pausedRate, after), true
	}
	// Others have heard the same; what counts is who was told to wait longest.
	if until := p.now().Add(after); p.reason == pausedRate && until.After(p.until) {
		p.until = until
	}

	return 0, false
}

// refused takes note that Customer.io refuses the credentials. It reports
// whether that is worth an alarm: the first time since a success.
func (p *pause) refused() (alarm bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.reason != pausedCredentials || !p.now().Before(p.until) {
		p.set(pausedCredentials, 0)
	}
	alarm, p.alarmed = !p.alarmed, true

	return alarm
}

// suspect pauses until the account was asked for.
func (p *pause) suspect() {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.reason, p.until = pausedCredentials, p.now()
	p.epoch++
	p.show(pausedCredentials)
}

// again puts off the next question for the account.
func (p *pause) again() {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.set(pausedCredentials, 0)
}

// accepted ends the pause of refused credentials. Only a call that succeeds
// proves them, so the next refusal is no new alarm.
func (p *pause) accepted() {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.reason = ""
	p.epoch++
	p.show("")
}
