package trivia_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"trivia/internal/trivia"
)

// spelling draws a text with much of what makes two words of one.
func spelling() *rapid.Generator[string] {
	traps := []string{
		" ", "\t", "\n", "\r\n", "\u0085", "\u00a0", "\u2028", "\u2029", "\u3000", "\u1680", "e\u0301", "\u00e9", "A\u030a", "\u212b",
		"\u1100\u1161", "\uac00", "\u200b", "\u200d", "\u202e", "\ufeff", "\u00ad", "\ufe0f", "\u3164", "\u034f", "\U000e0031", "\x00",
		"\xff", "a", "Z", "7", "漢", "🎉", "\u0308", "\u0327",
	}

	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(traps), rapid.String()), 0, 8).Draw(t, "parts"), "")
	})
}

// What is cleaned is in one form, cleaning it again changes nothing, and no two
// spellings that Unicode calls the same remain.
func TestAWordIsCleanedOnce(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		text := spelling().Draw(t, "text")
		got := trivia.Clean(text)
		if !utf8.ValidString(text) {
			if got != text {
				t.Fatalf("Clean(%q) = %q, want it untouched: it is not UTF-8", text, got)
			}

			return
		}

		if again := trivia.Clean(got); again != got {
			t.Errorf("Clean(%q) = %q, and again %q", text, got, again)
		}
		if !norm.NFC.IsNormalString(got) || strings.TrimFunc(got, unicode.IsSpace) != got {
			t.Errorf("Clean(%q) = %q, want it in NFC, without white space around", text, got)
		}
		if spaced := trivia.Clean("\u2003\r\n" + norm.NFD.String(text) + "\t\u00a0"); spaced != got {
			t.Errorf("Clean gives %q, of another spelling %q", got, spaced)
		}
	})
}

// A word that is taken has no other spelling that is taken and looks the same
// for the characters that cannot be seen, and what is taken is taken again.
func TestAWordThatIsTakenHidesNothing(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		text := spelling().Draw(t, "text")
		user, err := trivia.ParseUserID(text)
		if err != nil {
			if user != "" {
				t.Errorf("ParseUserID(%q) = %q beside the error %v", text, user, err)
			}

			return
		}

		if string(user) != trivia.Clean(text) || trivia.CheckUserID(user) != nil {
			t.Errorf("ParseUserID(%q) = %q, want the cleaned word, which can be kept", text, user)
		}
		for _, r := range string(user) {
			if unicode.Is(unicode.Cf, r) || r == 0 {
				t.Errorf("ParseUserID(%q) = %q, which hides %s", text, user, trivia.CodePoint(r))
			}
		}
	})
}

func TestParseWinNamesTheFirstWordThatCannotBeUsed(t *testing.T) {
	t.Parallel()

	tests := []struct {
		user, id, item string
		want           trivia.Win
		reason         string
	}{
		{" u1 ", "t1\r\n", "\u3000free spin\u00a0", trivia.Win{User: "u1", Trivia: "t1", Item: "free spin"}, ""},
		{strings.Repeat(" ", 100) + "u1", "t1", "gem", trivia.Win{User: "u1", Trivia: "t1", Item: "gem"}, ""},
		{strings.Repeat("e\u0301", 64), "t1", "gem", trivia.Win{User: trivia.UserID(strings.Repeat("é", 64)), Trivia: "t1", Item: "gem"}, ""},
		{" \n", "t1", "gem", trivia.Win{}, "user_id is blank"},
		{"", "t1", "gem", trivia.Win{}, "user_id is empty"},
		{"u1", "t\u200b1", "\u200b", trivia.Win{}, "trivia_id contains the invisible character U+200B"},
		{"u1", "t1", "gem\u2066", trivia.Win{}, "item contains the invisible character U+2066"},
		{"u1", "t1", strings.Repeat("i", 256), trivia.Win{}, "item has 256 characters, at most 255 fit"},
	}

	for _, tt := range tests {
		got, err := trivia.ParseWin(tt.user, tt.id, tt.item)
		if reason := reasonOf(t, err); got != tt.want || reason != tt.reason {
			t.Errorf("ParseWin(%q, %q, %q) = %+v, %q, want %+v, %q", tt.user, tt.id, tt.item, got, reason, tt.want, tt.reason)
		}
	}
}
