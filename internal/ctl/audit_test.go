package ctl

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
)

// An auditFake is the part of a [fake] that audits.
type auditFake struct {
	audited  operator.Audited
	deeds    []store.DeedRow
	auditErr error

	auditAsked operator.Audit
	deedFilter store.DeedFilter
}

func (f *auditFake) Audit(_ context.Context, a operator.Audit) (operator.Audited, error) {
	f.auditAsked = a
	a.Progress(1, 2)
	f.auditAsked.Progress = nil

	return f.audited, f.auditErr
}

func (f *auditFake) ListDeeds(_ context.Context, filter store.DeedFilter, page store.Page) iter.Seq2[store.DeedRow, error] {
	f.deedFilter = filter

	return pageOf(f.deeds, page, f.auditErr)
}

func someChecks() operator.Audited {
	return operator.Audited{Checks: []store.Checked{
		{Name: "awarded_without_win", Claim: "each awarded delivery has its win", Looked: 1_000_000},
		{Name: "win_without_prize", Claim: "each win has its prize", Skipped: "grant_prize keeps prizes elsewhere"},
		{Name: "pending_too_long", Claim: "nothing is pending for long", Looked: 60, Broken: 52, Rows: []store.Breach{
			{User: "ann", Trivia: "capitals", Key: "01H8XGJWBWBAQ4", At: noon.Add(-2 * time.Hour), Detail: "tried 3 times: no such thing"},
			{Key: "\x1b[31mred", At: noon.Add(-3 * time.Hour), Detail: "tried 0 times"},
		}},
	}}
}

func TestAnAuditNamesEveryBreach(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	for _, how := range []struct {
		name  string
		width int
		args  []string
	}{
		{"a terminal of 80 cells", 80, nil},
		{"a terminal of 120 cells", 120, nil},
		{"a pipe", 0, nil},
		{"json", 0, []string{"--output", "json"}},
		{"csv", 0, []string{"--output", "csv"}},
	} {
		st := newStage(t)
		st.StdoutTerminal, st.Width, st.env["NO_COLOR"] = how.width > 0, how.width, "1"
		st.fake.audited = someChecks()
		if code := st.call(t, append([]string{"audit"}, how.args...)...); code != 1 {
			t.Errorf("%s: exit %d, want 1", how.name, code)
		}
		all.WriteString("--- " + how.name + "\n" + st.out.String() + st.err.String())
	}
	golden(t, "audit", all.String())
}

func TestAnAuditThatFindsNothingIsDone(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.env["TRIVIA_ON_WIN"] = "nothing"
	st.fake.audited = operator.Audited{Checks: someChecks().Checks[:2]}
	st.want(t, []string{"audit", "--since", "2h", "--pending-for", "1h", "--timeout", "5s"}, 0, `CHECK                CLAIM                              RESULT      ROWS  BREACHES  SKIPPED BECAUSE
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
awarded_without_win  each awarded delivery has its win  ok       1000000         0
win_without_prize    each win has its prize             skipped                     grant_prize keeps prizes elsewhere
`, "triviactl: all is well; it took 0s\n")
	want := operator.Audit{Since: noon.Add(-2 * time.Hour), PendingFor: time.Hour, Statement: 5 * time.Second, NoPushes: true}
	if diff := cmp.Diff(want, st.fake.auditAsked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	st.fake.auditErr = errors.New("statement timeout")
	st.want(t, []string{"audit"}, 1, "",
		"triviactl: statement timeout\ntriviactl: hint: --since checks less, and --timeout allows more\n")
}

func TestTheAuditLogIsListed(t *testing.T) {
	t.Parallel()

	showAll(t, "audit-log", []string{"audit", "log"}, func(f *fake) { f.deeds = someDeeds() })

	st := newStage(t)
	st.call(t, "audit", "log", "--actor", "ann@desk", "--verb", "push hold", "--target", "1 push", "--since", "2h")
	want := store.DeedFilter{Actor: "ann@desk", Verb: "push hold", Target: "1 push", Since: noon.Add(-2 * time.Hour)}
	if diff := cmp.Diff(want, st.fake.deedFilter); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
