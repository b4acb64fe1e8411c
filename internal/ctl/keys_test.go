package ctl

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
	"trivia/internal/trivia"
)

// keyFake knows which keys have matched.
type keyFake struct {
	keys  []operator.KeyRow
	known []operator.KnownKey
}

func (f *keyFake) Keys(_ context.Context, known []operator.KnownKey, _ time.Time) ([]operator.KeyRow, error) {
	f.known = known

	return f.keys, nil
}

func someKeys() []operator.KeyRow {
	use := func(kind trivia.Kind, key string, n int64, last time.Duration) store.KeyUse {
		return store.KeyUse{Kind: kind, Fingerprint: key, Uses: n, First: noon.Add(-30 * 24 * time.Hour), Last: noon.Add(-last)}
	}

	return []operator.KeyRow{
		{KeyUse: use(trivia.KindWin, "ab12cd34", 120, time.Minute), InSettings: true},
		{KeyUse: use(trivia.KindWin, "00ff00ff", 1_000_000, 50*time.Hour), InSettings: true, Remark: operator.KeyIsIdle},
		{KeyUse: store.KeyUse{Kind: trivia.KindEvent, Fingerprint: "12345678"}, InSettings: true, Remark: operator.KeyNeverMatched},
		{KeyUse: use(trivia.KindEvent, "99999999", 3, time.Hour), Remark: operator.KeyIsForeign},
	}
}

func TestKeysAreListed(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	for _, how := range []struct {
		name  string
		width int
		words []string
	}{
		{"a terminal of 80 cells", 80, nil},
		{"a terminal of 120 cells", 120, nil},
		{"json", 0, []string{"--output", "json"}},
		{"csv", 0, []string{"--output", "csv"}},
	} {
		st := newStage(t)
		st.fake.keys = someKeys()
		st.StdoutTerminal, st.Width, st.env["NO_COLOR"] = how.width > 0, how.width, "1"
		if code := st.call(t, append([]string{"keys", "list"}, how.words...)...); code != 0 || st.err.Len() > 0 {
			t.Errorf("%s: exit code %d, %s", how.name, code, st.err.String())
		}
		all.WriteString("--- " + how.name + "\n" + st.out.String())
	}
	golden(t, "keys-list", all.String())
}

func TestKeysOfTheSettingsAreAskedForOnceEach(t *testing.T) {
	t.Parallel()

	st := newStage(t)
	st.env["CUSTOMERIO_ACTION_SECRET"] = "a,b,a"
	st.want(t, []string{"keys", "list"}, 0, "", "triviactl: there are no signing keys in the settings, and none has ever matched\n")
	want := []operator.KnownKey{
		{Kind: trivia.KindWin, Fingerprint: "ca978112"},
		{Kind: trivia.KindWin, Fingerprint: "3e23e816"},
		{Kind: trivia.KindEvent, Fingerprint: "fc520986"},
	}
	if diff := cmp.Diff(want, st.fake.known); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}

	st = newStage(t)
	delete(st.env, "CUSTOMERIO_WEBHOOK_SECRET")
	st.call(t, "keys", "list")
	if !strings.HasPrefix(st.err.String(), "triviactl: CUSTOMERIO_WEBHOOK_SECRET is not set: its keys are not known here\n") {
		t.Errorf("without a key of events it says %q", st.err.String())
	}
}
