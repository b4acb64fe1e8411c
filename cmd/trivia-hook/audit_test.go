package main

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trivia/internal/config"
	"trivia/internal/diag"
	"trivia/internal/store"
)

func TestABreachIsLoggedAndCountedOnATimer(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	s, err := store.Open(t.Context(), db.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)

	clock := time.Now()
	metrics, said := diag.New(), &bytes.Buffer{}
	set := settings{Hook: config.Hook{AuditEvery: time.Hour}, host: "here"}
	a := newAuditor(set, s, metrics, slog.New(slog.NewTextHandler(said, nil)), func() time.Time { return clock })
	scraped := func() string {
		answer := httptest.NewRecorder()
		diag.Handler(metrics, &diag.Refusals{}, s.Ready).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))

		return answer.Body.String()
	}
	step := func() {
		t.Helper()
		if n, err := a.Step(t.Context()); n != 0 || err != nil {
			t.Fatalf("Step = %d, %v", n, err)
		}
	}

	step()
	if strings.Contains(scraped(), "trivia_audit_last_run") {
		t.Error("it audited as soon as it began")
	}
	clock = clock.Add(7 * time.Minute)
	step()
	if got := scraped(); !strings.Contains(got, `trivia_audit_breaches{check="win_without_delivery"} 0`) || said.Len() > 0 {
		t.Errorf("where all is well it says %s, and shows:\n%s", said, got)
	}

	db.exec(t, `INSERT INTO trivia_wins (user_id, trivia_id, item, delivery_key) VALUES ('user-1', 't', 'mug', 'k1'), ('user-2', 't', 'mug', 'k2')`)
	clock = clock.Add(time.Minute)
	step()
	if said.Len() > 0 {
		t.Error("it audited before the hour was over")
	}
	clock = clock.Add(time.Hour)
	step()
	got := scraped()
	for _, want := range []string{
		`trivia_audit_breaches{check="win_without_delivery"} 2`, `trivia_audit_breaches{check="win_without_prize"} 2`,
		"trivia_audit_seconds 0", "trivia_audit_last_run_timestamp_seconds 1",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the metrics lack %s:\n%s", want, got)
		}
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 2 || !strings.Contains(said.String(), "newest.key=k") {
		t.Errorf("%d errors were logged, want 2 with their newest row:\n%s", n, said)
	}
}

func TestAnAuditThatFailsIsCounted(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	s, err := store.Open(t.Context(), db.url)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	metrics, said := diag.New(), &bytes.Buffer{}
	clock := time.Now()
	a := newAuditor(settings{Hook: config.Hook{AuditEvery: time.Hour}}, s, metrics, slog.New(slog.NewTextHandler(said, nil)), func() time.Time { return clock })
	clock = clock.Add(time.Hour)
	if _, err := a.Step(t.Context()); err != nil || strings.Count(said.String(), "could not be made") != 1 {
		t.Errorf("Step: %v, said %s", err, said)
	}

	if newAuditor(settings{}, s, metrics, slog.New(slog.DiscardHandler), time.Now) != nil {
		t.Error("there is an auditor where nothing is to be checked")
	}
}
