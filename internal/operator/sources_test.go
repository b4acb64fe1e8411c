package operator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/source"
	"trivia/internal/store"
)

// publish answers as Customer.io's App API, with what says holds at the time.
func publish(t *testing.T, says *string) string {
	t.Helper()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, *says)
	}))
	t.Cleanup(server.Close)

	return server.URL
}

func listOf(addresses ...string) string {
	return `{"ip_addresses":["` + strings.Join(addresses, `","`) + `"]}`
}

func TestARefreshKeepsWhatCustomerIOSays(t *testing.T) {
	t.Parallel()

	d := newDesk(t)
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	builtIn := source.BuiltIn("us")
	var says string
	refresh := operator.Refresh{Region: "us", URL: publish(t, &says), Reason: "spring"}

	want := func(what string, at, changed time.Time, addresses []string) {
		t.Helper()
		got, err := d.Sources(t.Context(), "us")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(store.SourceList{Region: "us", Addresses: addresses, CheckedAt: at, ChangedAt: changed}, got); diff != "" {
			t.Errorf("%s: Sources (-want +got):\n%s", what, diff)
		}
	}
	ask := func(what string, at time.Time, came, gone []string) {
		t.Helper()
		refresh.At = at
		got, err := d.RefreshSources(t.Context(), refresh)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff([][]string{came, gone}, [][]string{got.Came, got.Gone}); diff != "" {
			t.Errorf("%s: came and gone (-want +got):\n%s", what, diff)
		}
		if now, err := d.Sources(t.Context(), "us"); !refresh.DryRun && (err != nil || !cmp.Equal(now, got.List)) {
			t.Errorf("%s: the list is %+v, %v, want as it was said: %+v", what, now, err, got.List)
		}
	}

	want("before all", time.Time{}, time.Time{}, builtIn)
	says = listOf(builtIn...)
	ask("what is built in", noon, nil, nil)
	want("what is built in", noon, noon, builtIn)

	says = listOf(append(builtIn[1:], "35.9.9.9")...)
	refresh.DryRun = true
	ask("a rehearsal", noon.Add(time.Hour), []string{"35.9.9.9"}, builtIn[:1])
	want("a rehearsal", noon, noon, builtIn)

	refresh.DryRun = false
	ask("a change", noon.Add(time.Hour), []string{"35.9.9.9"}, builtIn[:1])
	now, err := source.Judge(append(builtIn[1:], "35.9.9.9"))
	if err != nil {
		t.Fatal(err)
	}
	want("a change", noon.Add(time.Hour), noon.Add(time.Hour), now)
	ask("no change", noon.Add(2*time.Hour), nil, nil)
	want("no change", noon.Add(2*time.Hour), noon.Add(time.Hour), now)

	for _, absurd := range []string{"", listOf(), `{"ip_addresses":[]}`, listOf("35.9.9.9", "10.0.0.1"), listOf("0.0.0.0")} {
		says = absurd
		if got, err := d.RefreshSources(t.Context(), refresh); err == nil {
			t.Errorf("RefreshSources took %q: %+v", absurd, got)
		}
		want("after "+absurd, noon.Add(2*time.Hour), noon.Add(time.Hour), now)
	}

	deeds := []string{`ann@desk|sources refresh|us|spring|{"came": ["35.9.9.9"], "gone": ["34.10.127.179"]}`}
	if diff := cmp.Diff(deeds, d.lines(t, allDeeds)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}
