package faultpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Setting is the environment variable that says where a program stops.
const Setting = "TRIVIA_FAULT"

// An Action is what happens at a place.
type Action string

// What can happen.
const (
	Kill  Action = "kill"  // the process is gone, as by kill -9
	Panic Action = "panic" // a fault of ours
	Hang  Action = "hang"  // whoever comes here stays for good
)

// A Fault is one thing that happens at one place.
type Fault struct {
	At   Name
	Do   Action
	Pass int // it happens at this pass of the place, counted from 1, and once
}

// Parse reads name:action or name:action:pass. Without pass it is the first.
func Parse(text string) (Fault, error) {
	place, rest, _ := strings.Cut(text, ":")
	action, pass, counted := strings.Cut(rest, ":")
	f := Fault{At: Name(place), Do: Action(action), Pass: 1}

	if !slices.Contains(Names(), f.At) {
		return Fault{}, fmt.Errorf("%s=%s: no place is called %q", Setting, text, place)
	}
	if !slices.Contains([]Action{Kill, Panic, Hang}, f.Do) {
		return Fault{}, fmt.Errorf("%s=%s: want kill, panic or hang, got %q", Setting, text, action)
	}
	if counted {
		var err error
		if f.Pass, err = strconv.Atoi(pass); err != nil || f.Pass < 1 {
			return Fault{}, fmt.Errorf("%s=%s: want a pass from 1 on, got %q", Setting, text, pass)
		}
	}

	return f, nil
}

// String is what [Parse] reads.
func (f Fault) String() string { return fmt.Sprintf("%s:%s:%d", f.At, f.Do, f.Pass) }
