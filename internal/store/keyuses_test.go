package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestUsesOfKeysAddUp(t *testing.T) {
	t.Parallel()

	b := newBench(t, store.IntakeOptions{})
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	for _, uses := range [][]store.KeyUse{
		nil,
		{
			{Kind: trivia.KindWin, Fingerprint: "ab12cd34", Uses: 3, First: at(1), Last: at(2)},
			{Kind: trivia.KindEvent, Fingerprint: "ab12cd34", Uses: 1, First: at(9), Last: at(9)},
		},
		{{Kind: trivia.KindWin, Fingerprint: "ab12cd34", Uses: 4, First: at(0), Last: at(1)}}, // another service, late
		{{Kind: trivia.KindWin, Fingerprint: "00000000", Uses: 1, First: at(5), Last: at(5)}},
	} {
		if err := b.AddKeyUses(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
	}

	want := []store.KeyUse{
		{Kind: trivia.KindEvent, Fingerprint: "ab12cd34", Uses: 1, First: at(9), Last: at(9)},
		{Kind: trivia.KindWin, Fingerprint: "00000000", Uses: 1, First: at(5), Last: at(5)},
		{Kind: trivia.KindWin, Fingerprint: "ab12cd34", Uses: 7, First: at(0), Last: at(2)},
	}
	got, err := b.KeyUses(t.Context())
	if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); diff != "" || err != nil {
		t.Errorf("KeyUses: %v (-want +got):\n%s", err, diff)
	}
}
