// Package trivia holds the rules of the game, pure: what a win is, what can
// become of a delivery, and how long an unsettled one is tried again. It reads
// no clock, no network and no database.
package trivia

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of the three words of a win, in characters (Unicode code points).
const (
	MaxUserID = 64
	MaxID     = 64
	MaxItem   = 255
)

// A UserID names a person as the company's product does. It equals the
// identifier that Customer.io knows the person by.
type UserID string

// An ID names one trivia.
type ID string

// An Item names what a right answer earns.
type Item string

// A Win says that a user answered a trivia right, and which item that earns.
// The zero value is no win.
type Win struct {
	User   UserID
	Trivia ID
	Item   Item
}

// ErrUnusable is what every error of [Win.Check] is.
var ErrUnusable = errors.New("not a usable win")

// Check returns nil if all three words of w can be kept as they are. Its error
// names the first word that cannot, and why; it is an [ErrUnusable].
func (w Win) Check() error {
	if err := check("user_id", string(w.User), MaxUserID); err != nil {
		return err
	}
	if err := check("trivia_id", string(w.Trivia), MaxID); err != nil {
		return err
	}

	return check("item", string(w.Item), MaxItem)
}

func check(name, word string, most int) error {
	switch n := utf8.RuneCountInString(word); {
	case strings.TrimSpace(word) == "":
		return fmt.Errorf("%w: %s is empty", ErrUnusable, name)
	case !utf8.ValidString(word):
		return fmt.Errorf("%w: %s is not valid UTF-8", ErrUnusable, name)
	case strings.ContainsRune(word, 0):
		return fmt.Errorf("%w: %s contains a NUL character", ErrUnusable, name)
	case n > most:
		return fmt.Errorf("%w: %s has %d characters, at most %d fit", ErrUnusable, name, n, most)
	}

	return nil
}
