package ctl

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"trivia/internal/operator"
)

func someFindings() []operator.Finding {
	return []operator.Finding{
		{Check: "settings", Health: operator.Healthy, Says: "all 25 can be used"},
		{Check: "database", Health: operator.Broken, Says: "ask the database:\n\x1b[31mno route", Mend: "does Postgres run?"},
		{Check: "parked", Health: operator.Odd, Says: "1 delivery is parked: 1 malformed", Mend: "triviactl deliveries list --state parked"},
		{Check: "probe", Health: operator.Skipped, Says: "not asked"},
	}
}

func TestFindingsAreTold(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	for _, words := range [][]string{{"doctor"}, {"doctor", "--output", "json"}} {
		st := newStage(t)
		st.examine = func(context.Context, operator.Checkup) []operator.Finding { return someFindings() }
		if code := st.call(t, words...); code != exitFailed || st.err.Len() > 0 {
			t.Errorf("triviactl %q exits with %d, %s; want %d for what failed", words, code, st.err.String(), exitFailed)
		}
		all.WriteString("--- " + strings.Join(words, " ") + "\n" + st.out.String())
	}
	golden(t, "doctor", all.String())

	st := newStage(t)
	st.examine = func(context.Context, operator.Checkup) []operator.Finding { return someFindings()[2:] }
	if code := st.call(t, "doctor"); code != exitDone {
		t.Errorf("with warnings only: exit code %d, want %d", code, exitDone)
	}
}

func TestTheDoctorIsToldWhatToLookAt(t *testing.T) {
	t.Parallel()

	var got operator.Checkup
	call := func(env map[string]string, words ...string) {
		st := newStage(t)
		maps.Copy(st.env, env)
		st.examine = func(_ context.Context, c operator.Checkup) []operator.Finding { got = c; return nil }
		if code := st.call(t, append([]string{"doctor"}, words...)...); code != 0 {
			t.Errorf("doctor %q exits with %d: %s", words, code, st.err.String())
		}
	}

	call(nil)
	if got.URL != "http://127.0.0.1:8080" || got.AdminURL != "http://127.0.0.1:9090" || got.Probe || !got.Embedded ||
		got.Database != nil || got.NoDatabase == nil || len(got.Complaints) > 0 {
		t.Errorf("by default: %+v", got)
	}
	call(map[string]string{"TRIVIA_LISTEN": ":81", "DATABASE_URL": "postgres://db/trivia"}, "--probe", "--admin-url", "https://hook:9/")
	if got.URL != "http://127.0.0.1:81" || got.AdminURL != "https://hook:9" || !got.Probe || got.Embedded || got.Database.Place() != "db/trivia" {
		t.Errorf("with settings: %+v", got)
	}
	call(map[string]string{"TRIVIA_QUIET_AFTER": "3h"})
	if got.Settings.QuietAfter != 3*time.Hour {
		t.Errorf("with a limit, QuietAfter = %v", got.Settings.QuietAfter)
	}
	call(map[string]string{"TRIVIA_QUIET_AFTER": "3h"}, "--quiet-after", "20m")
	if got.Settings.QuietAfter != 20*time.Minute {
		t.Errorf("with --quiet-after, QuietAfter = %v", got.Settings.QuietAfter)
	}
	call(map[string]string{
		"TRIVIA_LISTEN": "81", "DATABASE_URL": "mysql://db", "TRIVIA_SOURCES": "elsewhere", "TRIVIA_TRUSTED_PROXIES": "any",
		"CUSTOMERIO_WEBHOOK_SECRET": "",
	})
	if len(got.Complaints) != 5 || got.URL != "" {
		t.Errorf("with wrong settings: %+v, want five complaints", got.Complaints)
	}
}
