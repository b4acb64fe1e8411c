package tui

import (
	"slices"
	"strings"
	"testing"
)

func TestColumnsFitAndTheRestIsAKeyAway(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(1)
	for width := 20; width < 250; width += 7 {
		f := newFitting(d.Deliveries.Columns, []string{"RECEIVED", "STATE", "OUTCOME", "USER"})
		for i := range f.natural {
			f.natural[i] = max(f.natural[i], 5+7*i)
		}
		seen := map[int]bool{}
		for range len(f.columns) + 1 {
			at, widths := f.shown(width)
			sum := gap * (len(widths) - 1)
			for n, w := range widths {
				sum += w
				seen[at[n]] = true
			}
			if sum > width {
				t.Errorf("at width %d columns %v take %d cells", width, at, sum)
			}
			if !slices.IsSorted(at) || at[0] != 0 {
				t.Errorf("at width %d columns are %v, want the first one in front", width, at)
			}
			f.right()
		}
		if width > 80 && len(seen) != len(f.columns) {
			t.Errorf("at width %d only %d of %d columns can be seen", width, len(seen), len(f.columns))
		}
		for range f.columns {
			f.left()
		}
		if f.shift != 0 {
			t.Errorf("going left ends at %d", f.shift)
		}
	}
}

func TestTheMostImportantColumnsAreSeen(t *testing.T) {
	t.Parallel()

	d, _ := newDesk(100)
	s := newStage(t, d, pageDeliveries, 80, 24)
	sees(t, s, "RECEIVED", "STATE", "OUTCOME", "USER", ">")
	for range 4 {
		s.press(">")
		s.frame.View()
	}
	sees(t, s, "RECEIVED", "REASON", "<")
	if strings.Contains(s.frame.View(), "OUTCOME") {
		t.Error("the columns do not give way")
	}
	s.press("left", "left", "left", "left")
	sees(t, s, "OUTCOME")
}

func TestLongTextsAreDrawnFromTheirStart(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("漢字", 100_000)
	if got := start(long); len(got) > 403 || !strings.HasPrefix(long, strings.TrimSuffix(got, "…")) {
		t.Errorf("start has %d bytes", len(got))
	}
	if got := start("short"); got != "short" {
		t.Errorf("start(short) = %q", got)
	}
}
