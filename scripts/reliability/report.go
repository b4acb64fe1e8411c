package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// faults say what is wrong with a row; none if nothing is.
func (r result) faults() (all []string) {
	if r.err != nil {
		all = append(all, r.err.Error())
	}
	if r.report != nil {
		if h := r.report.Stalled().Hours(); h > 0 {
			var causes []string
			for _, s := range r.report.Stalls {
				causes = append(causes, fmt.Sprintf("%s ×%d", s.Cause, s.Times))
			}
			all = append(all, fmt.Sprintf("%.1f hours of stall (%s)", h, strings.Join(causes, ", ")))
		}
		if n := r.report.Lost(); n > 0 {
			all = append(all, fmt.Sprintf("%d given up by the sender", n))
		}
		if n := r.report.Undelivered(); n > 0 {
			all = append(all, fmt.Sprintf("%d undelivered", n))
		}
		if !r.proved {
			all = append(all, "not proved")
		}
	}
	if r.proof.Lost > 0 {
		all = append(all, fmt.Sprintf("%d acknowledged and lost", r.proof.Lost))
	}
	if r.proof.Double > 0 {
		all = append(all, fmt.Sprintf("%d awarded twice", r.proof.Double))
	}
	if r.audit != "" {
		all = append(all, "audit: "+firstLine(r.audit))
	}
	if limit := cmp.Or(r.row.limit, usualLimit); r.peak > limit<<20 {
		all = append(all, fmt.Sprintf("needed more than %d MiB", limit))
	}

	return all
}

func (r result) well() bool { return len(r.faults()) == 0 }

// brief is a fault without the lines of a log that it may end with.
func brief(fault string) string {
	said, _, _ := strings.Cut(firstLine(fault), ": {")

	return said
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")

	return line
}

// line is what is printed of a row.
func (r result) line() string {
	verdict := "well"
	if !r.well() {
		verdict = "FAILED: " + strings.Join(r.faults(), "; ")
	}
	if r.report == nil {
		return fmt.Sprintf("%-22s %s", r.row.name, verdict)
	}

	return fmt.Sprintf("%-22s %5s  acknowledged %5d  503 %5d  lost %d  twice %d  stall %.1f h  backoff %4.1f h  %3d MiB  %3.0f s  %s",
		r.row.name, r.times, r.report.Events.Delivered+r.report.Wins.Delivered, r.unavailable(), r.proof.Lost, r.proof.Double,
		r.report.Stalled().Hours(), r.report.Held().Hours(), r.peak>>20, r.took.Seconds(), verdict)
}

// unavailable returns how many requests were answered with 503, or not in time.
func (r result) unavailable() (n int) {
	for _, a := range r.report.Answers {
		if strings.HasPrefix(a.Words, "503") || a.Words == "no answer: time-out" {
			n += a.N
		}
	}

	return n
}

// A page is docs/reliability.md.
type page struct {
	begun   time.Time
	took    time.Duration
	results []result
}

func (p page) write(file string) error {
	var text bytes.Buffer
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) }
	line("%s", strings.TrimSpace(preface))
	line("")
	line("Measured on %s, %s, in %s. What follows was written by `make reliability`.",
		p.begun.UTC().Format("2 January 2006"), machine(), p.took.Round(time.Second))
	line("")
	line("| row | done | made | acknowledged | 503 or no answer in time | came again | acknowledged and lost | awarded twice | hours of stall | memory | |")
	line("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")
	for _, r := range p.results {
		line("%s", r.cells())
	}
	line("")
	line("What was done:")
	line("")
	for _, r := range p.results {
		line("- **%s**: %s", r.row.name, strings.Join(append([]string{r.row.what}, r.notes...), "; "))
		for _, fault := range r.faults() {
			line("  - **open**: %s", brief(fault))
		}
	}

	return os.WriteFile(file, text.Bytes(), 0o644)
}

func (r result) cells() string {
	verdict := "well"
	if !r.well() {
		verdict = "**open**"
	}
	if r.report == nil {
		return fmt.Sprintf("| %s | | | | | | | | | | %s |", r.row.name, verdict)
	}
	made := r.report.Events.Made + r.report.Wins.Made

	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %d | %.1f | %d MiB | %s |",
		r.row.name, r.times, made, r.report.Events.Delivered+r.report.Wins.Delivered, r.unavailable(), r.report.Events.Duplicates+r.report.Wins.Duplicates,
		r.proof.Lost, r.proof.Double, r.report.Stalled().Hours(), r.peak>>20, verdict)
}

// machine says what kind of machine this is.
func machine() string {
	words := fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if said, err := exec.Command("postgres", "--version").Output(); err == nil { //nolint:noctx // it only prints
		words += ", " + strings.TrimSpace(string(said))
	}

	return words
}

const preface = `
# What the hook does to its sender when things go wrong

Customer.io delivers reporting events one by one. One that is refused with 400–405, 410, 429, 500, 502 or 521, or whose connection is refused, reset or closed, makes it wait **an hour**, and everything behind it waits too. So
the figure that counts is the hours of stall that a hook causes. ` + "`make reliability`" + ` starts the built trivia-hook on a Postgres of its own, plays Customer.io against it, as ` + "`triviactl simulate`" + ` does, and does to it what each row says.

How it is measured:

- Both machines are played: 20 events a second in one stream, in order, and 60 wins a second; half of the requests come over connections of their own. An answer has 4 seconds.
- Waiting is compressed: an hour of it takes 30 seconds, so an outage of a real second looks like two minutes to the sender; where the database goes away ten times in a row, an hour takes two minutes. What a request takes is real.
- Answers that the vendor's list does not name, and a time-out of ours, cost the ordinary backoff: from 5 seconds on, doubled up to an hour. Of 429 and 502 it is said at times that they were harmless; here they cost an hour, as the vendor documents.
- A kept connection that is closed just when a request is sent on it counts as a stall: the sender here never sends it again by itself, whatever a library would do.
- A win has eleven retries within an hour, under the same keys, freshly signed, and is lost for good then.
- Afterwards the database is asked: is each acknowledged delivery there, with its win and its prize; has nobody two; and ` + "`triviactl audit`" + ` finds nothing. What a rule has refused is pending or parked, which is neither lost nor double.
- Memory is the highest resident size of any of the hook's processes.

A row is **well** if 0 acknowledged deliveries are lost, 0 awarded twice, the hours of stall are 0, nothing was given up by the sender, and the memory stayed below 250 MiB (150 MiB for silent clients).

Run it with ` + "`make reliability`" + ` (about 20 minutes; it needs Postgres, PgBouncer, nginx and HAProxy, and root for the row whose disk is full), or a part: ` + "`bin/reliability -rows restart`" + `; ` + "`-list`" + ` names the rows.
`
