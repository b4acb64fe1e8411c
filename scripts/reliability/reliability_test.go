package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trivia/internal/operator"
	"trivia/internal/simulate"
	"trivia/internal/store"
)

// The harness itself: rows that take a few seconds, of each way in which it
// treats a hook.
func TestAFewRowsAreWell(t *testing.T) {
	t.Parallel()

	bin := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "trivia/cmd/...")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}

	var out bytes.Buffer
	page := filepath.Join(t.TempDir(), "page.md")
	failed, err := run(t.Context(), []string{"-bin", bin, "-brief", "-rows", "^(quiet|Postgres killed|key rotation)$", "-out", page}, &out)
	if err != nil || failed > 0 || !strings.Contains(out.String(), "3 rows, 0 failed, in ") {
		t.Errorf("%d failed, %v:\n%s", failed, err, out.String())
	}
	text, err := os.ReadFile(page)
	for _, want := range []string{"| quiet |", "| Postgres killed | ×2 |", "- **key rotation**: "} {
		if err != nil || !bytes.Contains(text, []byte(want)) {
			t.Errorf("the page has no %q, %v:\n%s", want, err, text)
		}
	}
}

func TestWhatIsWrongWithARowIsSaid(t *testing.T) {
	t.Parallel()

	well := result{row: row{name: "a row"}, report: &simulate.Report{}, proved: true, peak: 100 << 20}
	tests := []struct {
		name string
		do   func(*result)
		want string
	}{
		{"nothing", func(*result) {}, ""},
		{"an hour", func(r *result) {
			r.report = &simulate.Report{Stalls: []simulate.Hold{{Cause: "EOF", Times: 2, Wait: 2 * time.Hour}}}
		}, "2.0 hours of stall (EOF ×2)"},
		{"lost by the sender", func(r *result) { r.report = &simulate.Report{Wins: simulate.Machine{Lost: 1, Undelivered: 2}} }, "1 given up by the sender; 2 undelivered"},
		{"lost by the hook", func(r *result) { r.proof = operator.TrialProof{Kept: store.Kept{Lost: 3}} }, "3 acknowledged and lost"},
		{"awarded twice", func(r *result) { r.proof = operator.TrialProof{Awarded: store.Awarded{Double: 3}} }, "3 awarded twice"},
		{"memory", func(r *result) { r.peak = 300 << 20 }, "needed more than 250 MiB"},
		{"not proved", func(r *result) { r.proved = false }, "not proved"},
	}
	for _, tt := range tests {
		r := well
		tt.do(&r)
		if got := strings.Join(r.faults(), "; "); got != tt.want || r.well() != (tt.want == "") {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRowsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, r := range rows() {
		if seen[r.name] || r.what == "" || r.do == nil {
			t.Errorf("row %q is there twice, or is not finished", r.name)
		}
		seen[r.name] = true
	}
}
