// Package trivia holds the rules of the game, pure: what a win is, what can
// become of a delivery, and how long an unsettled one is tried again. It reads
// no clock, no network and no database.
package trivia

import "fmt"

// Bounds of the three words of a win, in characters (Unicode code points), after
// [Clean].
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

// An Unusable is the error of a body that was signed and can still not be
// used. It says why, in words for the person who looks at the parked delivery.
type Unusable string //nolint:errname // named after what it says of a body; it is a reason, first of all

func (u Unusable) Error() string { return string(u) }

// Unusablef returns an [Unusable] with the formatted text.
func Unusablef(format string, args ...any) Unusable {
	return Unusable(fmt.Sprintf(format, args...))
}

// Check returns nil if all three words of w can be kept as they are; it does not
// clean them. Its error is an [Unusable] that names the first word that cannot.
func (w Win) Check() error {
	if err := CheckUserID(w.User); err != nil {
		return err
	}
	if err := CheckID(w.Trivia); err != nil {
		return err
	}

	return check("item", string(w.Item), MaxItem)
}

// CheckUserID returns nil if id can name a user, else an [Unusable].
func CheckUserID(id UserID) error { return check("user_id", string(id), MaxUserID) }

// CheckID returns nil if id can name a trivia, else an [Unusable].
func CheckID(id ID) error { return check("trivia_id", string(id), MaxID) }
