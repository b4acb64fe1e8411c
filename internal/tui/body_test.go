package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBodiesAreDrawnWithNothingLeftOut(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, body string
		form       bodyForm
		width      int
		want       []string
	}{
		{"JSON", `{"b":1.50,"a":[1,{}],"b":"<\u001b>"}`, asJSON, 40, []string{
			"{", `  "b": 1.50,`, `  "a": [`, "    1,", "    {}", "  ],", `  "b": "<\u001b>"`, "}",
		}},
		{"a long line goes on", `{"a":"0123456789"}`, asJSON, 10, []string{"{", `  "a": "01`, `23456789"`, "}"}},
		{"wide letters are not halved", `"漢字漢字"`, asBytes, 4, []string{`"漢`, "字漢", `字"`}},
		{"raw, as it came", "{\n \"a\":\t1}\r\n", asBytes, 40, []string{"{", ` "a":    1}`}},
		{"what could steer the terminal", "a\x1b[31mb\u202ec", asBytes, 40, []string{"a⟨U+001B⟩[31mb⟨U+202E⟩c"}},
		{"no JSON", "a=1", asJSON, 80, []string{"no JSON: invalid character 'a' looking for beginning of value (byte 1)", "", "a=1"}},
		{"no text", "\x00\xffA", asBytes, 80, []string{"00000000  00 ff 41 " + strings.Repeat("   ", 13) + " ..A"}},
		{"no text, where it is narrow", "\xff23456789", asBytes, 58, []string{
			"00000000  ff 32 33 34 35 36 37 38  .2345678", "00000008  39 " + strings.Repeat("   ", 7) + " 9",
		}},
		{"nothing", "", asJSON, 80, []string{"(empty)"}},
		{"text in hex", "AB", asHex, 80, []string{"00000000  41 42 " + strings.Repeat("   ", 14) + " AB"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got := keptBody{"b", []byte(tt.body)}.lines(tt.form, tt.width)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A megabyte is what a hook takes, unless told otherwise.
func TestALargeBodyIsScrolledAtOnce(t *testing.T) { //nolint:paralleltest // it counts allocations
	var body strings.Builder
	body.WriteString(`{"all":[0`)
	for i := range 70_000 {
		_, _ = fmt.Fprintf(&body, `,{"n":%d}`, i)
	}
	body.WriteString("]}")
	d, db, _ := aDesk()
	db.bodies[0] = body.String()
	s := opened(t, d, aDelivery(), 200, 60, "l")
	s.shows(`"all": [`, "lines 1–")
	s.costs("pgdown", 40)
}
