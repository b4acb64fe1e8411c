package operator_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func TestAPreviewOfMovesChangesNothing(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	d.lines(t, somePushes)
	before := d.lines(t, allPushes)
	tests := []struct {
		move operator.PushMove
		ids  []int64
		set  store.PushSet
		n    int
		is   error
	}{
		{move: operator.RetryPush, ids: []int64{2}, n: 1},
		{move: operator.HoldPush, ids: []int64{3, 1, 2, 1}, n: 3},
		{move: operator.RetryPush, ids: []int64{2, 9}, is: operator.ErrNotFound},
		{move: operator.RetryPush, ids: []int64{1, 2}, is: operator.ErrPushState},
		{move: operator.RetryPush, set: store.PushSet{State: trivia.PushParked}, n: 1},
		{move: operator.ReleasePush, set: store.PushSet{State: trivia.PushHeld}, n: 2},
		{move: operator.HoldPush, set: store.PushSet{State: trivia.PushPending, Person: "bob"}},
		{move: operator.HoldPush, set: store.PushSet{Person: "bob"}, n: 1},
	}
	for _, tt := range tests {
		p, err := d.PreviewMoves(t.Context(), tt.move, tt.ids, tt.set)
		if p.Pushes != tt.n || len(p.First) != tt.n || !errors.Is(err, tt.is) {
			t.Errorf("PreviewMoves(%s, %v, %+v) = %d (%d shown), %v, want %d, %v", tt.move, tt.ids, tt.set, p.Pushes, len(p.First), err, tt.n, tt.is)
		}
	}
	if diff := cmp.Diff(before, d.lines(t, allPushes)); diff != "" {
		t.Errorf("pushes changed (-before +after):\n%s", diff)
	}
	if got := d.lines(t, allDeeds); len(got) > 0 {
		t.Errorf("audit log = %q, want nothing", got)
	}
}
