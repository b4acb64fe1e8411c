package receiver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

func verifierOf(keys ...string) signature.Verifier {
	v := signature.Verifier{Tolerance: 5 * time.Minute}
	for _, key := range keys {
		v.Keys = append(v.Keys, keyOf(key))
	}

	return v
}

// status sends a win that is signed with key.
func (e *edge) status(key string) int {
	r := httptest.NewRequest(http.MethodPost, customerio.PathWin, strings.NewReader(goodWin)) //nolint:noctx // the receiver does not look at it
	r.RemoteAddr = peer + ":1"
	sign(r, key, stampOf(noon), goodWin)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)

	return w.Code
}

func TestKeysAreReplacedWhileRequestsCome(t *testing.T) {
	t.Parallel()

	e := newEdge(t, setup{})
	if got := e.status(actionKey); got != http.StatusOK {
		t.Fatalf("signed with a known key: %d", got)
	}

	// Both orders of what is rotated: the new key is known before it is used, and
	// the old one until nobody uses it any more.
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := e.status(newKey); got != http.StatusOK {
					t.Errorf("signed with a key that is on every ring: %d", got)
				}
			}
		})
	}
	for range 100 {
		e.Rekey(verifierOf(newKey), verifierOf(eventKey))
		e.Rekey(verifierOf(actionKey, newKey), verifierOf(eventKey))
	}
	e.Rekey(verifierOf(newKey), verifierOf(eventKey))
	close(stop)
	all.Wait()

	if got := e.status(actionKey); got != http.StatusUnauthorized {
		t.Errorf("signed with a key that was taken away: %d, want 401", got)
	}
}

func TestUsesOfKeysAreCountedAndSurviveARotation(t *testing.T) {
	t.Parallel()

	clock := noon
	e := newEdge(t, setup{now: func() time.Time { return clock }})
	e.status(actionKey)
	clock = clock.Add(time.Minute)
	e.status(actionKey)
	e.Rekey(verifierOf(newKey), verifierOf(eventKey))
	e.status(newKey)
	e.status(actionKey) // refused
	e.status(eventKey)  // of the other route

	want := []store.KeyUse{
		{Kind: trivia.KindWin, Fingerprint: keyOf(actionKey).Fingerprint(), Uses: 2, First: noon, Last: clock},
		{Kind: trivia.KindWin, Fingerprint: keyOf(newKey).Fingerprint(), Uses: 1, First: clock, Last: clock},
	}
	byCount := cmpopts.SortSlices(func(a, b store.KeyUse) bool { return a.Uses > b.Uses })
	if diff := cmp.Diff(want, e.CollectKeyUses(), byCount, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("uses of keys (-want +got):\n%s", diff)
	}
	if got := e.CollectKeyUses(); len(got) != 0 {
		t.Errorf("collected again: %+v, want nothing", got)
	}
}
