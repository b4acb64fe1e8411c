package plain_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"trivia/internal/plain"
)

func TestWhatCannotBeSeenIsWrittenOut(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"what is plain", "/bet_service/cio/trivia_win?a=b&c=\"d\"", "/bet_service/cio/trivia_win?a=b&c=\"d\""},
		{"other scripts", "Zoë 漢字 🎉 سلام", "Zoë 漢字 🎉 سلام"},
		{"ends of lines", "a\r\nb\tc", `a\r\nb\tc`},
		{"C0 and DEL", "\x00\x1b[31m\x7f", `\x00\x1b[31m\x7f`},
		{"C1", "\u0085\u009b31m", `\u0085\u009b31m`},
		{"turned directions", "\u202egnp\u2066x\u200f\u061c", `\u202egnp\u2066x\u200f\u061c`},
		{"no width", "a\u200bb\u200dc\ufeffd\u2060e\u00adf", `a\u200bb\u200dc\ufeffd\u2060e\u00adf`},
		{"separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"fillers and variations", "\u3164\u115f\uffa0\ufe0f\U000e0100\u2800\u034f", `\u3164\u115f\uffa0\ufe0f\U000e0100\u2800\u034f`},
		{"tags", "\U000e0041", `\U000e0041`},
		{"other spaces", "a\u00a0b\u3000", `a\u00a0b\u3000`},
		{"no UTF-8", "a\xffb\xc0", `a\xffb\xc0`},
		{"U+FFFD itself", "\ufffd", `\ufffd`},
		{"what looks written out", `\u202e`, `\\u202e`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got := plain.Text(tt.text); got != tt.want {
				t.Errorf("Text(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestLongTextIsCut(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, text, end string }{
		{"as long as may be", strings.Repeat("x", plain.Most), "xxx"},
		{"one more", strings.Repeat("x", plain.Most+1), "x…(+10)"},
		{"a megabyte", strings.Repeat("x", 1<<20), ")"},
		{"only when it is written out", strings.Repeat("\u202e", 60), ")"},
		{"within a character", strings.Repeat("漢", 100), ")"},
		{"no UTF-8", strings.Repeat("\xff", 1000), ")"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got := plain.Text(tt.text)
			if len(got) > plain.Most || !utf8.ValidString(got) || !strings.HasSuffix(got, tt.end) {
				t.Errorf("Text = %q of %d bytes, want at most %d, ending in %q", got, len(got), plain.Most, tt.end)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\u202eb\xff")
	f.Add(strings.Repeat("漢", 100))
	f.Fuzz(func(t *testing.T, text string) {
		got := plain.Text(text)
		if len(got) > plain.Most || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\x1b\u009b\u202e\u200b") {
			t.Errorf("Text(%q) = %q", text, got)
		}
	})
}

func TestAWordShowsWhatCannotBeSeenInIt(t *testing.T) {
	t.Parallel()

	tests := []struct{ word, shown, escaped string }{
		{"demo-1", "demo-1", "demo-1"},
		{"a b", "a b", "a b"},
		{"Zoë 漢字 🎉", "Zoë 漢字 🎉", "Zoë 漢字 🎉"},
		{`back\slash`, `back\slash`, `back\\slash`},
		{"demo-1\u200b", "demo-1⟨U+200B⟩", `demo-1\u200b`},
		{" demo-1\n", "⟨U+0020⟩demo-1⟨U+000A⟩", `\u0020demo-1\u000a`},
		{"demo\u00a01", "demo⟨U+00A0⟩1", `demo\u00a01`},
		{"\u202e1-omed", "⟨U+202E⟩1-omed", `\u202e1-omed`},
		{"1\U000e0031", "1⟨U+E0031⟩", `1\U000e0031`},
		{" ", "⟨U+0020⟩", `\u0020`},
		{"", "", ""},
	}

	for _, tt := range tests {
		if shown := plain.Word(tt.word); shown != tt.shown {
			t.Errorf("Word(%q) = %q, want %q", tt.word, shown, tt.shown)
		}
		if escaped := plain.Escaped(tt.word); escaped != tt.escaped {
			t.Errorf("Escaped(%q) = %q, want %q", tt.word, escaped, tt.escaped)
		}
		if seen := plain.IsSeen(tt.word); seen != (tt.word == tt.shown) {
			t.Errorf("IsSeen(%q) = %t, and it is shown as %q", tt.word, seen, tt.shown)
		}
	}
}
