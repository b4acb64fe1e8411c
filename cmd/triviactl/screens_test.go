package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"trivia/internal/pgtest"
	"trivia/internal/store"
	"trivia/internal/tui"
)

// migrated returns the URL of a database that has all tables and nothing else.
func migrated(t *testing.T) string {
	t.Helper()

	url := pgtest.Schema(t)
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}

	return url
}

func TestTheScreensOpenAndLeaveTheTerminalAsItWas(t *testing.T) {
	t.Parallel()

	s := startScreens(t, migrated(t))
	s.waitFor("1 Overview", "! 0 parked")
	s.press("3")
	s.waitFor("[3 Deliveries]")
	s.press("?")
	s.waitFor("deliveries › help", "Everywhere")
	s.press("end")
	s.waitFor("parked deliveries", "with shift held")
	s.press("esc")
	s.waitForNo("› help")
	s.press("q")
	s.waitExit(0)
}

func TestTheMouseTurnsPages(t *testing.T) {
	t.Parallel()

	s := startScreens(t, migrated(t))
	s.waitFor("[1 Overview]", "! 0 parked")
	s.press("\x1b[<0;16;1M", "\x1b[<0;16;1m")
	s.waitFor("[2 Wins]")
	s.press("\x1b[<0;75;2M", "\x1b[<0;75;2m")
	s.waitFor("[3 Deliveries]", "--state parked")
	s.press("q")
	s.waitExit(0)
}

func TestKeysThatAreTypedAtOnceAreKeys(t *testing.T) {
	t.Parallel()

	s := startScreens(t, migrated(t))
	s.waitFor("[1 Overview]")
	s.press("235?")
	s.waitFor("events › help")
	s.press("\x1b[200~q3\x1b[201~")
	s.waitFor("pasted text is not taken for keys")
	s.press("q")
	s.waitForNo("› help")
	s.press("q")
	s.waitExit(0)
}

func TestTheScreensFollowTheTerminalsSize(t *testing.T) {
	t.Parallel()

	s := startScreens(t, migrated(t))
	s.waitFor("[1 Overview]")
	s.resize(70, 20)
	s.waitFor("70×20 is too small: triviactl tui wants 80×24.")
	s.resize(120, 40)
	s.waitForNo("too small")
	s.waitFor("[1 Overview]")
	if line := strings.Split(s.screen(), "\n")[2]; len([]rune(line)) != 120 {
		t.Errorf("at 120 columns the line is %q", line)
	}
	s.press("ctrl+c")
	s.waitExit(0)
}

func TestSignalsLeaveTheTerminalAsItWas(t *testing.T) {
	t.Parallel()

	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		s := startScreens(t, migrated(t))
		s.waitFor("[1 Overview]", "! 0 parked")
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		s.waitExit(1)
		s.waitFor("triviactl: interrupted")
	}
}

// A database that has stopped answering must not keep anybody in the screens.
func TestCtrlCEndsThemInTheMiddleOfAQuestion(t *testing.T) {
	t.Parallel()

	f := newFreezer(t, migrated(t))
	s := startScreens(t, f.url)
	s.waitFor("! 0 parked")
	f.freeze()
	s.press("3")
	s.waitFor("[3 Deliveries]")
	s.press("ctrl+c") // and the database stays as it is
	s.waitExit(0)
}

func TestADatabaseThatHangsIsSaidToAndAllGoesOnAfterwards(t *testing.T) {
	t.Parallel()

	f := newFreezer(t, migrated(t))
	s := startScreens(t, f.url)
	s.waitFor("! 0 parked")
	f.freeze()
	s.waitFor("stale since ", "(no answer in time)")
	s.press("2")
	s.waitFor("[2 Wins]", "stale since")
	f.thaw()
	s.waitForNo("stale since")
	s.press("q")
	s.waitExit(0)
}

func TestADatabaseThatIsKilledIsSaidToAndIsFoundAgain(t *testing.T) {
	t.Parallel()

	c := pgtest.Durable(t)
	if _, err := store.Migrate(t.Context(), c.URL()); err != nil {
		t.Fatal(err)
	}
	s := startScreens(t, c.URL())
	s.waitFor("! 0 parked")
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.waitFor("stale since ")
	s.press("?")
	s.waitFor("Everywhere")
	s.press("esc")
	s.waitForNo("Everywhere")
	pgtest.Restart(t, c)
	s.waitForNo("stale since")
	s.press("q")
	s.waitExit(0)
}

// broken is a program whose screens break, in the way that its first word says.
const broken = "broken-screens"

func breakScreens() {
	where := os.Args[1]
	breakIn := func(place string) {
		if place == where {
			panic("broken in " + where)
		}
	}
	beats := 0
	desk := tui.Desk{
		Do: brokenVerbs{breakIn: breakIn}, Now: time.Now,
		Deliveries: tui.Listing[store.DeliveryFilter, store.DeliveryRow]{
			Columns: []tui.Column{{Title: "KEY"}},
			Cells:   func(store.DeliveryRow, time.Time) []string { breakIn("cells"); return []string{"key-1"} },
			Parse:   func([]string) (f store.DeliveryFilter, err error) { return f, nil },
		},
		Tick: func(after time.Duration, message func(time.Time) tea.Msg) tea.Cmd {
			if beats++; beats > 1 {
				breakIn("update")
			}

			return tea.Tick(after, message)
		},
	}
	err := tui.Run(context.Background(), desk, tui.Terminal{In: os.Stdin, Out: os.Stdout}, tui.Opening{Filter: []string{}})
	fmt.Fprintln(os.Stderr, err)
	if fault, ok := errors.AsType[*tui.FaultError](err); ok {
		fmt.Fprintln(os.Stderr, strings.Join(fault.Trace, "\n"))
	}
	os.Exit(1)
}

// brokenVerbs have one delivery, and can count what is parked unless they break.
type brokenVerbs struct {
	tui.Verbs
	store.DeliveryReader

	breakIn func(string)
}

func (b brokenVerbs) CountParked(context.Context) (int64, error) {
	b.breakIn("command")

	return 0, nil
}

func (b brokenVerbs) ReadDeliveries() store.DeliveryReader { return b }

func (brokenVerbs) Look(context.Context, store.DeliveryFilter, store.Page) (store.Found[store.DeliveryRow], error) {
	return store.Found[store.DeliveryRow]{Rows: []store.DeliveryRow{{Key: "key-1"}}, End: true}, nil
}

func (brokenVerbs) Arrived(_ context.Context, _ store.DeliveryFilter, since store.Mark) (store.Mark, error) {
	return since, nil
}

func TestAPanicLeavesTheTerminalAsItWasAndSaysWhereItWas(t *testing.T) {
	t.Parallel()

	for where, at := range map[string]string{
		"command": "brokenVerbs.CountParked (screens_test.go:", "update": "tui.(*frame).beat (frame.go:", "cells": "tui.(*frame).Update (frame.go:",
	} {
		s := terminal{program: broken}.start(t, "", where)
		s.waitExit(1)
		s.waitFor("the screens broke: broken in "+where, at)
	}
}

func TestWhatCannotShowScreensIsToldWhatToDo(t *testing.T) {
	t.Parallel()

	cmd := triviactl(t, migrated(t), "tui")
	said, err := cmd.CombinedOutput()
	const want = "triviactl: the screens want a terminal\ntriviactl: hint: triviactl tui --plain writes a line for each delivery that arrives\n"
	if err == nil || string(said) != want || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("without a terminal: %v, said %q, want exit code 1 and %q", err, said, want)
	}

	s := terminal{env: []string{"TERM=dumb"}}.start(t, migrated(t), "tui")
	s.waitExit(1)
	s.waitFor("the screens want a terminal that can do more than TERM=dumb says", "--plain")
}

func TestDebugKeepsEveryMessage(t *testing.T) {
	t.Parallel()

	file := t.TempDir() + "/debug"
	s := startScreens(t, migrated(t), "--debug", file)
	s.waitFor("! 0 parked")
	s.press("2")
	s.waitFor("[2 Wins]")
	s.press("q")
	s.waitExit(0)

	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var keys []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		at, rest, _ := strings.Cut(lines.Text(), " ")
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			t.Errorf("a line begins without a time: %q", lines.Text())
		}
		if key, ok := strings.CutPrefix(rest, "tea.KeyMsg "); ok {
			keys = append(keys, key)
		}
	}
	if got := strings.Join(keys, " "); got != "2 q" {
		t.Errorf("keys %q are in the file, want 2 q", got)
	}
}
