package trivia_test

import (
	"errors"
	"strings"
	"testing"

	"trivia/internal/trivia"
)

func TestWinCheck(t *testing.T) {
	t.Parallel()

	good := trivia.Win{User: "u1", Trivia: "t1", Item: "gem"}
	user := func(id string) trivia.Win { return trivia.Win{User: trivia.UserID(id), Trivia: "t1", Item: "gem"} }

	tests := []struct {
		name string
		win  trivia.Win
		want string // the reason; empty if the win can be kept
	}{
		{"an ordinary win", good, ""},
		{"one character each", trivia.Win{User: "u", Trivia: "t", Item: "i"}, ""},
		{"as long as it fits, in characters", trivia.Win{
			User: trivia.UserID(strings.Repeat("漢", trivia.MaxUserID)), Trivia: trivia.ID(strings.Repeat("é", trivia.MaxID)),
			Item: trivia.Item(strings.Repeat("🎉", trivia.MaxItem)),
		}, ""},
		{"anything that is text", user("p/3?x=1#%+@& .."), ""},
		{"line breaks and other control characters", user("a\n\x01\u0085"), ""},
		{"the replacement character", user("\uFFFD"), ""},
		{"spaces around", user(" u1 "), ""},

		{"the zero value", trivia.Win{}, "user_id is empty"},
		{"no trivia", trivia.Win{User: "u1", Item: "gem"}, "trivia_id is empty"},
		{"no item", trivia.Win{User: "u1", Trivia: "t1"}, "item is empty"},
		{"a blank user", user(" \t\n"), "user_id is blank"},
		{"blank in another script", user("\u00a0\u3000"), "user_id is blank"},
		{"a NUL", user("u\x00"), "user_id contains a NUL character"},
		{"invalid UTF-8", user("u\xff"), "user_id is not valid UTF-8"},
		{"a surrogate written as UTF-8", user("\xed\xa0\x80"), "user_id is not valid UTF-8"},
		{"a user too long", user(strings.Repeat("é", trivia.MaxUserID+1)), "user_id has 65 characters, at most 64 fit"},
		{
			"a trivia too long",
			trivia.Win{User: "u1", Trivia: trivia.ID(strings.Repeat("t", trivia.MaxID+1)), Item: "gem"},
			"trivia_id has 65 characters, at most 64 fit",
		},
		{
			"an item too long",
			trivia.Win{User: "u1", Trivia: "t1", Item: trivia.Item(strings.Repeat("i", trivia.MaxItem+1))},
			"item has 256 characters, at most 255 fit",
		},
		{"the first of several", trivia.Win{User: "u\x00", Trivia: "\xff"}, "user_id contains a NUL character"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			err := tt.win.Check()
			if reason := reasonOf(t, err); reason != tt.want {
				t.Errorf("%+v.Check() = %v, want %q", tt.win, err, tt.want)
			}
			// The user alone is judged as it is in a win.
			alone := reasonOf(t, trivia.CheckUserID(tt.win.User))
			if ofUser := strings.HasPrefix(tt.want, "user_id "); ofUser && alone != tt.want || !ofUser && alone != "" {
				t.Errorf("CheckUserID(%q) = %q, in a win %q", tt.win.User, alone, tt.want)
			}
		})
	}
}

// reasonOf returns the text of an Unusable, and nothing for no error.
func reasonOf(t *testing.T, err error) string {
	t.Helper()

	if err == nil {
		return ""
	}
	reason, ok := errors.AsType[trivia.Unusable](err)
	if !ok {
		t.Errorf("error %#v is no Unusable", err)
	}

	return string(reason)
}
