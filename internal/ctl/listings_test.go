package ctl

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestScreensFilterInTheWordsOfTheCommands(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	deliveries := listingOf(st.session, "deliveries", deliveryNoun(), deliveryFlags, parseDeliveryFilter)
	got, err := deliveries.Parse([]string{"--state", "parked", "--text=-x", "--since", "2h"})
	want := store.DeliveryFilter{State: trivia.StateParked, Text: "-x", Since: noon.Add(-2 * time.Hour)}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Parse: %v (-want +got):\n%s", err, diff)
	}

	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"--stat", "parked"}, "the filter has no flag --stat; did you mean --state?"},
		{[]string{"--state", "prked"}, `--state cannot be "prked"; did you mean parked?`},
		{[]string{"--nonsense"}, "the filter has no flag --nonsense; tab lists the flags; put words that begin with - behind --"},
		{[]string{"--state"}, "--state wants a value; as in --state VALUE"},
		{[]string{"--user", "a", "--user", "b"}, "--user is there twice; give it once"},
		{[]string{"--since", "soon"}, `--since cannot be "soon"; want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339`},
		{[]string{"plain"}, `the filter wants no words besides flags, got ["plain"]; tab lists the flags`},
	} {
		if _, err := deliveries.Parse(tt.words); err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%q): %v, want %s", tt.words, err, tt.want)
		}
	}
}

func TestScreensKnowWhatFlagsTake(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	pushes := listingOf(st.session, "push", pushNoun(), pushFlags, parsePushes)
	for _, f := range pushes.Flags {
		if f.Usage == "" || strings.Contains(f.Usage, "`") {
			t.Errorf("--%s is explained as %q", f.Name, f.Usage)
		}
		if f.Name == "state" && !cmp.Equal(f.Values, wordsOf(trivia.PushStates())) {
			t.Errorf("--state takes %q", f.Values)
		}
		if f.Name == "text" && f.Values != nil {
			t.Errorf("--text takes only %q", f.Values)
		}
	}
	row := store.PushRow{ID: 7, Person: "ann", State: trivia.PushHeld}
	cells := pushes.Cells(row, noon)
	if len(cells) != len(pushes.Columns) || cells[0] != "7" || cells[2] != "ann" {
		t.Errorf("Cells = %q, for columns %+v", cells, pushes.Columns)
	}
}
