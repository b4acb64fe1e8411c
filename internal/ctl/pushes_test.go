package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// A pushFake is the part of a [fake] that is about pushes.
type pushFake struct {
	pushes  []store.PushRow
	push    operator.PushStory
	moved   int
	told    operator.PushedWins
	preview operator.WinPreview
	pushErr error

	pushFilter store.PushFilter
	asked      []int64 // identifiers that were shown
	move       operator.PushMove
	ids        []int64
	sweep      operator.PushSweep
	person     string
	attributes map[string]any
	why        string
	winPushes  operator.WinPushes
	onShow     func(*operator.PushStory)
}

func (f *pushFake) ListPushes(_ context.Context, filter store.PushFilter, page store.Page) iter.Seq2[store.PushRow, error] {
	f.pushFilter = filter

	return pageOf(f.pushes, page, f.pushErr)
}

func (f *pushFake) ShowPush(_ context.Context, id int64) (operator.PushStory, error) {
	f.asked = append(f.asked, id)
	if f.onShow != nil {
		f.onShow(&f.push)
	}

	return f.push, f.pushErr
}

func (f *pushFake) MovePushes(_ context.Context, move operator.PushMove, ids []int64, reason string) (int, error) {
	f.move, f.ids, f.why = move, ids, reason

	return len(ids), f.pushErr
}

func (f *pushFake) PreviewMoves(
	_ context.Context, move operator.PushMove, ids []int64, set store.PushSet,
) (operator.MovePreview, error) {
	f.move, f.ids, f.sweep.Set = move, ids, set

	return operator.MovePreview{Pushes: f.moved, First: f.pushes}, f.pushErr
}

func (f *pushFake) SweepPushes(_ context.Context, move operator.PushMove, sweep operator.PushSweep) (int, error) {
	f.move, f.sweep, f.why = move, sweep, sweep.Reason
	sweep.Progress(f.moved, 2*f.moved)

	return f.moved, f.pushErr
}

func (f *pushFake) PushAttributes(
	_ context.Context, person string, attributes map[string]any, _ time.Time, reason string,
) (int64, error) {
	f.person, f.attributes, f.why = person, attributes, reason

	return 77, f.pushErr
}

func (f *pushFake) PushWins(_ context.Context, w operator.WinPushes) (operator.PushedWins, error) {
	f.winPushes = w
	w.Progress(f.told, 100)

	return f.told, f.pushErr
}

func (f *pushFake) PreviewWins(_ context.Context, w operator.WinPushes) (operator.WinPreview, error) {
	f.winPushes = w

	return f.preview, f.pushErr
}

func somePushes() []store.PushRow {
	at := noon.Add(-2 * time.Hour)

	return []store.PushRow{
		{
			ID: 1042, Person: "demo-1", Kind: trivia.PushSuppress, Cause: trivia.CauseEvent, CauseID: "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
			Attributes: json.RawMessage(`{"email_bounced": true, "email_bounced_at": 1777888800}`), OccurredAt: at.Add(-time.Minute),
			State: trivia.PushParked, Attempts: 2, Status: 400, Reason: "Customer.io answered 400 Bad Request: no such workspace",
			CreatedAt: at, SettledAt: at.Add(time.Second),
		},
		{
			ID: 1041, Person: "Zoë 漢字", Kind: trivia.PushEvent, Cause: trivia.CauseWin, CauseID: "rivers, and lakes",
			OccurredAt: at, State: trivia.PushHeld, Reason: trivia.HeldForCredentials, CreatedAt: at,
		},
		{
			ID: 7, Person: "\x1b[31mred", Kind: trivia.PushAttributes, Cause: trivia.CauseOperator, CauseID: "ann@desk",
			Attributes: json.RawMessage(`{"plan": "<gold>"}`), OccurredAt: at, State: trivia.PushSent, Attempts: 1, Status: 200,
			CreatedAt: at.Add(-40 * 24 * time.Hour), SettledAt: at,
		},
		{
			ID: 6, Person: "demo-2", Kind: trivia.PushUnsubscribe, Cause: trivia.CauseEvent, CauseID: "e-6",
			Attributes: json.RawMessage(`{"unsubscribed": true}`), OccurredAt: at, State: trivia.PushPending, CreatedAt: at,
		},
	}
}

func TestListingsOfPushes(t *testing.T) {
	t.Parallel()

	t.Run("push-list", func(t *testing.T) {
		t.Parallel()
		showAll(t, "push-list", []string{"push", "list"}, func(f *fake) { f.pushes = somePushes() })
	})
	t.Run("push-show", func(t *testing.T) {
		t.Parallel()
		known := store.PushPerson{
			LeasedUntil: noon.Add(5 * time.Minute), Failures: 3, ToldAt: noon.Add(-time.Hour),
			Told: map[string]time.Time{"email_bounced": noon.Add(-time.Hour), "vip": noon.Add(-24 * time.Hour)},
		}
		showAll(t, "push-show", []string{"push", "show", "1042"}, func(f *fake) { f.push = operator.PushStory{PushRow: somePushes()[0], Known: known} })
	})
}

func TestACardSaysWhatAskedForAPush(t *testing.T) {
	t.Parallel()

	for i, want := range map[int]string{
		0: "event; triviactl events show 01E4C4CT6YDC7Y5M7FE1GWWPQJ",
		1: "win of trivia rivers, and lakes; triviactl wins show 'Zoë 漢字' 'rivers, and lakes'",
		2: "operator ann@desk",
	} {
		if got := causeWords(somePushes()[i]); got != want {
			t.Errorf("cause of push %d: %s, want %s", i, got, want)
		}
	}
}

func TestFiltersOfPushesReachTheDatabase(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.call(t, "push", "list", "--user", "u", "--state", "held", "--kind", "suppress", "--cause", "event", "--since", "2h")
	want := store.PushFilter{
		Person: "u", State: trivia.PushHeld, Kind: trivia.PushSuppress, Cause: trivia.CauseEvent, Since: noon.Add(-2 * time.Hour),
	}
	if diff := cmp.Diff(want, st.fake.pushFilter); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPushesAreMovedOneByOneOrManyAtOnce(t *testing.T) {
	t.Parallel()

	some := []struct {
		words []string
		move  operator.PushMove
		out   string
	}{
		{[]string{"retry", "7", "8"}, operator.RetryPush, "2 pushes pending again\n"},
		{[]string{"hold", "7"}, operator.HoldPush, "1 push held\n"},
		{[]string{"release", "7"}, operator.ReleasePush, "1 push released, and pending\n"},
	}
	for _, tt := range some {
		st := newStage(t)
		st.want(t, append(append([]string{"push"}, tt.words...), "--reason", "why not"), 0, tt.out, "")
		if st.fake.move != tt.move || st.fake.ids[0] != 7 || st.fake.why != "why not" {
			t.Errorf("push %q: %s %v because %q", tt.words, st.fake.move, st.fake.ids, st.fake.why)
		}
	}

	many := []struct {
		words []string
		move  operator.PushMove
		set   store.PushSet
	}{
		{[]string{"retry", "--parked"}, operator.RetryPush, store.PushSet{State: trivia.PushParked}},
		{[]string{"retry", "--parked", "--user", "u"}, operator.RetryPush, store.PushSet{State: trivia.PushParked, Person: "u"}},
		{[]string{"retry", "--user", "u"}, operator.RetryPush, store.PushSet{State: trivia.PushParked, Person: "u"}},
		{[]string{"retry", "--parked", "--since", "2h"}, operator.RetryPush, store.PushSet{State: trivia.PushParked, Since: noon.Add(-2 * time.Hour)}},
		{[]string{"hold", "--pending"}, operator.HoldPush, store.PushSet{State: trivia.PushPending}},
		{[]string{"hold", "--user", "u"}, operator.HoldPush, store.PushSet{Person: "u"}},
		{[]string{"release", "--all"}, operator.ReleasePush, store.PushSet{State: trivia.PushHeld}},
		{[]string{"release", "--user", "u"}, operator.ReleasePush, store.PushSet{State: trivia.PushHeld, Person: "u"}},
	}
	for _, tt := range many {
		st := newStage(t)
		st.fake.moved = 1234
		if code := st.call(t, append([]string{"push"}, tt.words...)...); code != 0 || !strings.HasPrefix(st.out.String(), "1234 pushes ") {
			t.Errorf("push %q exits with %d, %q", tt.words, code, st.out.String())
		}
		if diff := cmp.Diff(tt.set, st.fake.sweep.Set); diff != "" || st.fake.move != tt.move {
			t.Errorf("push %q: %s (-want +got):\n%s", tt.words, st.fake.move, diff)
		}
	}
}

// A wrongStateError is how the operator says that a push is in another state.
type wrongStateError struct{ error }

func (wrongStateError) Is(target error) bool { return target == operator.ErrPushState }

func TestPushesThatCannotBeMovedSayWhy(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.fake.pushErr = fmt.Errorf("there is no push 7: %w", operator.ErrNotFound)
	st.want(t, []string{"push", "retry", "7"}, 3, "",
		"triviactl: there is no push 7: not found\ntriviactl: hint: nothing was changed; identifiers are in: triviactl push list\n")
	st.want(t, []string{"push", "show", "7"}, 3, "", "triviactl: there is no push 7: not found\ntriviactl: hint: identifiers are in: triviactl push list\n")
	st.fake.pushErr = wrongStateError{errors.New("push 7 is sent")}
	st.want(t, []string{"push", "hold", "7"}, 1, "",
		"triviactl: nothing was changed: push 7 is sent\ntriviactl: hint: what was sent, or is held already, cannot be held\n")
	st.fake.pushErr, st.fake.moved = errors.New("the disk is full"), 1000
	st.want(t, []string{"push", "release", "--all"}, 1, "1000 pushes released, and pending\n",
		"triviactl: the disk is full\ntriviactl: hint: run it again: it goes on with the rest\n")
}

func TestAttributesKeepTheirTypes(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.want(t, []string{
		"push", "attributes", "--user", "u/1", "--reason", "asked", "plan=gold", "visits=7", "rate=-1.5e3", "vip=true", "spam=false",
		"zip=01234", `code="01234"`, `word="true"`, "plus=+5", "dot=5.", "empty=", "space= 7", "eq=a=b", "odd={{x}}", "nan=NaN", "--", "-x=1",
	}, 0, "push 77\n", "")
	want := map[string]any{
		"plan": "gold", "visits": json.Number("7"), "rate": json.Number("-1.5e3"), "vip": true, "spam": false,
		"zip": "01234", "code": "01234", "word": "true", "plus": "+5", "dot": "5.", "empty": "", "space": " 7", "eq": "a=b",
		"odd": "{{x}}", "nan": "NaN", "-x": json.Number("1"),
	}
	if diff := cmp.Diff(want, st.fake.attributes); diff != "" || st.fake.person != "u/1" || st.fake.why != "asked" {
		t.Errorf("pushed for %q because %q (-want +got):\n%s", st.fake.person, st.fake.why, diff)
	}
}

func TestWaitingForAPushShowsTheAnswer(t *testing.T) {
	t.Parallel()

	call := []string{"push", "attributes", "--user", "u", "a=1", "--wait"}
	end := func(state trivia.PushState, status int, reason string) *stage {
		st := newStage(t)
		st.fake.onShow = func(p *operator.PushStory) {
			p.ID, p.State = 77, trivia.PushPending
			if len(st.fake.asked) > 1 {
				p.State, p.Status, p.Reason = state, status, reason
			}
		}

		return st
	}
	end(trivia.PushSent, 200, "").want(t, call, 0, "push 77\nsent: Customer.io answered 200\n", "")
	end(trivia.PushParked, 400, "no such thing").want(t, call, 1, "push 77\nparked: Customer.io answered 400: no such thing\n",
		"triviactl: hint: mend what it says, then: triviactl push retry 77\n")
	end(trivia.PushParked, 401, "who?").want(t, call, 1, "push 77\nparked: Customer.io answered 401: who?\n",
		"triviactl: hint: it is sent by itself once Customer.io takes the credentials: triviactl push check\n")
	end(trivia.PushHeld, 0, "held by bob").want(t, call, 1, "push 77\nheld: held by bob\n",
		"triviactl: hint: triviactl push release 77 lets it be sent\n")
	end(trivia.PushHeld, 0, trivia.HeldForCredentials).want(t, call, 1, "push 77\nheld: no credentials\n",
		"triviactl: hint: "+noSender+"\n")

	call = append(call, "--timeout", "1ms")
	never := func(p operator.PushStory) *stage {
		st := newStage(t)
		p.ID, p.State = 77, trivia.PushPending
		st.fake.push = p

		return st
	}
	never(operator.PushStory{}).want(t, call, 1, "push 77\n",
		"triviactl: push 77 is still pending after 1ms\ntriviactl: hint: "+noSender+"\n")
	never(operator.PushStory{PushRow: store.PushRow{Attempts: 2, Reason: "Customer.io answered 503"}}).want(t, call, 1, "push 77\n",
		"triviactl: push 77 is still pending after 1ms: tried 2 times, last: Customer.io answered 503\n"+
			"triviactl: hint: it is tried again by itself; look at it with: triviactl push show 77\n")
	never(operator.PushStory{Known: store.PushPerson{LeasedUntil: noon.Add(time.Minute)}}).want(t, call, 1, "push 77\n",
		"triviactl: push 77 is still pending after 1ms\n"+
			"triviactl: hint: the person is in hand or at rest until 2026-05-04T12:01:00.000000Z; look at it with: triviactl push show 77\n")
}

func TestTellingOfWinsSaysHowToGoOn(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	last := someWins()[0].Place()
	st.fake.told = operator.PushedWins{Wins: 12, Pushed: 10, Last: last}
	st.want(t, []string{"push", "wins", "--since", "2h", "--reason", "new workspace"}, 0, "12 wins: 10 pushes written, 2 waiting already\n", "")
	want := operator.WinPushes{Span: store.WinSpan{Since: noon.Add(-2 * time.Hour), Until: noon}, Reason: "new workspace"}
	got := st.fake.winPushes
	got.Progress = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	st.fake.pushErr = errors.New("the disk is full")
	st.want(t, []string{"push", "wins", "--since", "2h", "--trivia", "the capitals"}, 1, "12 wins: 10 pushes written, 2 waiting already\n",
		"triviactl: the disk is full\ntriviactl: hint: go on with: triviactl push wins --since 2026-05-04T10:00:00.000000Z"+
			" --until 2026-05-04T12:00:00.000000Z --trivia='the capitals' --after "+string(last)+"\n")
	st.fake.told, st.fake.pushErr = operator.PushedWins{}, fmt.Errorf("list wins: %w", store.ErrCursor)
	if code := st.call(t, "push", "wins", "--since", "2h", "--after", "x"); code != 2 || st.out.Len() > 0 {
		t.Errorf("a foreign cursor exits with %d and prints %q, want 2", code, st.out.String())
	}

	st = newStage(t)
	st.fake.preview = operator.WinPreview{Wins: 3, Pushed: 2, First: someWins()[:1]}
	st.want(t, []string{"push", "wins", "--since", "2026-05-01", "--until", "2026-05-02", "--after", string(last), "--dry-run"}, 0,
		`3 wins: 2 pushes would be written, 1 waiting already

WON                          USER    TRIVIA    ITEM  KEY
───────────────────────────────────────────────────────────────────
2026-05-04T11:58:30.000000Z  demo-1  capitals  mug   01H8XGJWBWBAQ4
`, "")
	if st.fake.winPushes.After != last {
		t.Errorf("goes on behind %q, want %q", st.fake.winPushes.After, last)
	}
}

// answering is a Track API that always says the same.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, key, _ := r.BasicAuth(); user != "site" || key != "secret-key" || r.URL.Path != "/api/v1/accounts/region" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)

	return server.URL
}

func TestCheckingAsksCustomerio(t *testing.T) {
	t.Parallel()

	ask := func(status int, body string) (*stage, string) {
		st := newStage(t)
		url := answering(t, status, body)
		st.env["CUSTOMERIO_SITE_ID"], st.env["CUSTOMERIO_TRACK_API_KEY"], st.env["CUSTOMERIO_TRACK_URL"] = "site", "secret-key", url

		return st, url
	}
	call := []string{"push", "check"}

	st, url := ask(200, `{"url":"https://track.customer.io","region":"us","environment_id":"4711"}`)
	card := "asked        " + url + "\nenvironment  4711\nregion       us\nits url      https://track.customer.io\n"
	st.want(t, call, 0, card+"credentials and region are right\n", "")
	st.env["CUSTOMERIO_REGION"] = "eu"
	st.want(t, call, 1, card, "triviactl: the account is in region us, and CUSTOMERIO_REGION is eu\n"+
		"triviactl: hint: set CUSTOMERIO_REGION=us for trivia-hook, too\n")

	st, _ = ask(401, `{"meta":{"error":"Unauthorized request"}}`)
	if code := st.call(t, call...); code != 1 || !strings.Contains(st.err.String(), "401") || !strings.Contains(st.err.String(), "CUSTOMERIO_REGION=eu") {
		t.Errorf("unauthorized: exit %d, said %q", code, st.err.String())
	}
	st, url = ask(503, `busy`)
	if code := st.call(t, call...); code != 1 || !strings.Contains(st.err.String(), "ask again in a moment; "+url) {
		t.Errorf("unavailable: exit %d, said %q", code, st.err.String())
	}
	st, url = ask(200, `<html>`)
	if code := st.call(t, call...); code != 1 || !strings.Contains(st.err.String(), "is "+url+" the Track API?") {
		t.Errorf("something else: exit %d, said %q", code, st.err.String())
	}
	st.env["CUSTOMERIO_TRACK_URL"] = "http://127.0.0.1:1"
	if code := st.call(t, call...); code != 1 || !strings.Contains(st.err.String(), "can this machine reach http://127.0.0.1:1?") {
		t.Errorf("nothing listens: exit %d, said %q", code, st.err.String())
	}
	if strings.Contains(st.err.String(), "secret-key") {
		t.Errorf("the key is told: %q", st.err.String())
	}

	delete(st.env, "CUSTOMERIO_TRACK_API_KEY")
	st.want(t, call, 2, "", "triviactl: usage: no credentials: CUSTOMERIO_TRACK_API_KEY not set\n"+
		"triviactl: hint: both are in Customer.io: Settings, API credentials, Track API keys\n")
}
