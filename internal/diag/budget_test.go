package diag_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trivia/internal/diag"
)

// Paper may be written while it is read: the summary comes of its own.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.text.Write(text)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.text.String()
}

func (p *paper) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.text.Reset()
}

func TestAFloodBecomesAFewLinesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out paper
		b := diag.NewBudget(slog.New(slog.NewJSONHandler(&out, nil)))

		for i := range 1000 {
			b.Warn(t.Context(), "request refused", "mismatch", slog.Int("n", i))
		}
		b.Warn(t.Context(), "request refused", "no_route", slog.Int("n", 1000))
		b.Warn(t.Context(), "delivery parked", "mismatch", slog.Int("n", 1001))
		if got := strings.Count(out.String(), "\n"); got != 7 {
			t.Errorf("%d lines at once, want five of the flood and one of each other:\n%s", got, &out)
		}

		time.Sleep(time.Second)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 8 {
			t.Fatalf("%d lines after a second, want one more:\n%s", len(lines), &out)
		}
		var last struct {
			Msg, Level, What, Reason string
			More                     int
			Sample                   struct{ N int }
		}
		if err := json.Unmarshal([]byte(lines[7]), &last); err != nil {
			t.Fatal(err)
		}
		if want := "{the same again WARN request refused mismatch 995 {999}}"; fmt.Sprint(last) != want {
			t.Errorf("the summary says %v, want %v", last, want)
		}

		out.Reset()
		for range 6 {
			b.Warn(t.Context(), "request refused", "mismatch")
		}
		b.Flush(t.Context())
		if got := strings.Count(out.String(), "\n"); got != 6 || !strings.Contains(out.String(), `"more":1`) {
			t.Errorf("another second and its end:\n%s", &out)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := strings.Count(out.String(), "\n"); got != 6 {
			t.Errorf("a minute of silence:\n%s", &out)
		}
	})
}
