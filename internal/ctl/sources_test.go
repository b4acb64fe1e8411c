package ctl

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/operator"
	"trivia/internal/store"
)

// fakeSources are the sources of a fake database.
type fakeSources struct {
	list      store.SourceList
	refreshed operator.Refreshed

	refresh operator.Refresh // what was asked for
}

func (f *fake) Sources(_ context.Context, region string) (store.SourceList, error) {
	if f.list.Region != region {
		return operator.BuiltInSources(region), f.err
	}

	return f.list, f.err
}

func (f *fake) RefreshSources(_ context.Context, r operator.Refresh) (operator.Refreshed, error) {
	f.refresh = r

	return f.refreshed, f.err
}

// newGate is a stage where callers come through proxies, and Customer.io has
// said where it calls from.
func newGate(t *testing.T) *stage {
	t.Helper()

	st := newStage(t)
	st.env["TRIVIA_SOURCES"] = "10.0.0.0/8,customerio,2600:1900::1,loopback"
	st.env["TRIVIA_TRUSTED_PROXIES"] = "10.0.0.7,172.16.0.0/12"
	st.fake.list = store.SourceList{
		Region: "us", Addresses: []string{"35.8.8.0/24", "35.9.9.9"},
		CheckedAt: noon.Add(-time.Hour), ChangedAt: noon.Add(-72 * time.Hour),
	}

	return st
}

// openNothing is what a stage without a database opens.
func openNothing(context.Context) (verbs, func(), error) {
	return nil, nil, hinted{noDatabaseError("DATABASE_URL is not set"), "set it"}
}

func TestSourcesShowWhereEachRuleComesFrom(t *testing.T) {
	t.Parallel()

	var all strings.Builder
	show := func(st *stage, what string, args ...string) {
		if code := st.call(t, args...); code != 0 {
			t.Errorf("%s: exit %d, want 0", what, code)
		}
		all.WriteString("# " + what + "\n$ triviactl " + strings.Join(args, " ") + "\n" + st.out.String() + st.err.String() + "\n")
	}

	st := newGate(t)
	show(st, "Customer.io was asked", "sources", "list")
	show(st, "Customer.io was asked", "sources", "list", "--output", "csv")
	st.env["TRIVIA_SOURCES"] = "customerio,34.76.0.0/16,any"
	st.env["CUSTOMERIO_REGION"] = "eu"
	st.fake.list.Region = "eu"
	show(st, "Customer.io was asked, in the EU", "sources", "list", "--output", "json")
	st.StdoutTerminal = true
	show(st, "on a terminal", "sources", "list")
	st.StdoutTerminal, st.fake.list = false, store.SourceList{}
	show(st, "Customer.io was not asked yet", "sources", "list", "--output", "csv")
	st.open = openNothing
	show(st, "without a database", "sources", "list", "--output", "csv")
	st.env["TRIVIA_SOURCES"] = "10.0.0.0/8"
	show(st, "where nobody is asked", "sources", "list")
	golden(t, "sources-list", all.String())
}

func TestCheckNamesTheRuleThatLetsAnAddressIn(t *testing.T) {
	t.Parallel()

	const (
		hint = "triviactl: hint: triviactl sources list shows the rules; TRIVIA_SOURCES adds to them, " +
			"and triviactl sources refresh asks Customer.io for its own\n"
		seen = " is a trusted proxy (%): it is seen through, and who it names in X-Forwarded-For is judged instead\n"
	)
	proxy := func(address, rule string) string {
		return "triviactl: " + address + strings.Replace(seen, "%", rule, 1)
	}

	for _, tt := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"35.9.9.9 35.8.8.77", 0, "35.9.9.9 is let in by customerio 35.9.9.9\n35.8.8.77 is let in by customerio 35.8.8.0/24\n", ""},
		{"127.0.0.9:8080 [2600:1900:0::1]:443", 0, "127.0.0.9 is let in by loopback\n2600:1900::1 is let in by 2600:1900::1\n", ""},
		{"34.76.143.229", 0, "34.76.143.229 is let in by customerio 34.76.143.229\n", ""},
		{"35.188.196.183 35.9.9.9", 1, "35.188.196.183 is let in by no rule\n35.9.9.9 is let in by customerio 35.9.9.9\n", hint},
		{"10.0.0.7", 0, "10.0.0.7 is let in by 10.0.0.0/8\n", proxy("10.0.0.7", "10.0.0.7")},
		{"172.16.1.1", 1, "172.16.1.1 is let in by no rule\n", proxy("172.16.1.1", "172.16.0.0/12") + hint},
		{"10.0.0.7 1.1.1.1 --output json", 1, `[
{"address":"10.0.0.7","rule":"10.0.0.0/8","trusted_proxy":"10.0.0.7"},
{"address":"1.1.1.1","rule":null,"trusted_proxy":null}
]
`, hint},
		{"10.0.0.7 --output csv", 0, "address,rule,trusted_proxy\n10.0.0.7,10.0.0.0/8,10.0.0.7\n", ""},
		{"", 2, "", "triviactl: usage: triviactl sources check wants ADDRESS...\ntriviactl: hint: triviactl sources check --help tells more\n"},
		{"35.9.9.9 example.com", 2, "", "triviactl: usage: \"example.com\" is no IP address\ntriviactl: hint: as in 35.188.196.183 or 2001:db8::1\n"},
		{"35.8.8.0/24", 2, "", "triviactl: usage: \"35.8.8.0/24\" is no IP address\ntriviactl: hint: as in 35.188.196.183 or 2001:db8::1\n"},
	} {
		newGate(t).want(t, append([]string{"sources", "check"}, strings.Fields(tt.args)...), tt.code, tt.out, tt.err)
	}
}

func TestCheckWorksWithoutADatabase(t *testing.T) {
	t.Parallel()

	st := newGate(t)
	st.open = openNothing
	const going = "triviactl: DATABASE_URL is not set: going by the built-in list of Customer.io's addresses\n"
	st.want(t, []string{"sources", "check", "35.188.196.183"}, 0, "35.188.196.183 is let in by customerio 35.188.196.183\n", going)
	st.env["TRIVIA_SOURCES"] = "loopback"
	st.want(t, []string{"sources", "check", "35.188.196.183"}, 1, "35.188.196.183 is let in by no rule\n",
		"triviactl: hint: triviactl sources list shows the rules; TRIVIA_SOURCES adds to them\n")

	// One that is there and fails is no reason to guess.
	st = newGate(t)
	st.fake.err = errors.New("ask the database: timeout")
	st.want(t, []string{"sources", "check", "35.9.9.9"}, 1, "", "triviactl: ask the database: timeout\n")
	st = newGate(t)
	st.fake.list.Addresses = []string{"0.0.0.0/0"}
	st.want(t, []string{"sources", "check", "35.9.9.9"}, 1, "",
		"triviactl: the stored list of Customer.io's addresses: entry 1 of the list, \"0.0.0.0/0\", cannot be where Customer.io calls from: it is wider than a /24\n"+
			"triviactl: hint: triviactl sources refresh stores another\n")
}

func TestWrongSourcesAreNamed(t *testing.T) {
	t.Parallel()

	for setting, said := range map[string]string{
		"TRIVIA_SOURCES":         `TRIVIA_SOURCES: found "elsewhere", expected addresses, CIDRs, or: customerio, loopback, any`,
		"TRIVIA_TRUSTED_PROXIES": `TRIVIA_TRUSTED_PROXIES: found "elsewhere", expected addresses, CIDRs, or: loopback`,
	} {
		st := newGate(t)
		st.env[setting] = "elsewhere"
		st.want(t, []string{"sources", "list"}, 2, "", "triviactl: usage: settings cannot be used\ntriviactl: "+said+"\n")
	}
}

func TestARefreshSaysWhatCameAndWent(t *testing.T) {
	t.Parallel()

	st := newGate(t)
	st.env["CUSTOMERIO_REGION"], st.env["CUSTOMERIO_APP_URL"] = "eu", "http://127.0.0.1:1/"
	st.fake.refreshed = operator.Refreshed{
		List: store.SourceList{Region: "eu", Addresses: []string{"35.9.9.9", "35.9.9.10"}},
		Came: []string{"35.9.9.9", "35.9.9.10"}, Gone: []string{"34.76.143.229"},
	}
	const changes = "+ 35.9.9.9\n+ 35.9.9.10\n- 34.76.143.229\n"
	st.want(t, []string{"sources", "refresh", "--reason", "spring"}, 0, changes+"2 addresses of region eu stored: 2 came, 1 went\n", "")
	want := operator.Refresh{Region: "eu", URL: "http://127.0.0.1:1", At: noon, Reason: "spring"}
	if diff := cmp.Diff(want, st.fake.refresh); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}

	st.want(t, []string{"sources", "refresh", "--dry-run"}, 0, changes+"2 addresses of region eu would be stored: 2 came, 1 went\n", "")
	if !st.fake.refresh.DryRun {
		t.Error("--dry-run is not obeyed")
	}

	st.env["TRIVIA_SOURCES"] = "loopback"
	st.fake.refreshed = operator.Refreshed{List: store.SourceList{Region: "eu", Addresses: []string{"35.9.9.9"}}}
	st.want(t, []string{"sources", "refresh"}, 0, "nothing has changed: 1 address of region eu\n",
		"triviactl: TRIVIA_SOURCES does not name customerio: trivia-hook will not use this list\n")

	st = newGate(t)
	st.fake.err = errors.New("ask for Customer.io's addresses: the list is empty")
	st.want(t, []string{"sources", "refresh"}, 1, "",
		"triviactl: ask for Customer.io's addresses: the list is empty\ntriviactl: hint: the list is as it was\n")
	st.want(t, []string{"sources", "refresh", "now"}, 2, "",
		"triviactl: usage: triviactl sources refresh wants no words besides flags, got [\"now\"]\ntriviactl: hint: triviactl sources refresh --help tells more\n")
	st.open = openNothing
	st.want(t, []string{"sources", "refresh"}, 1, "", "triviactl: DATABASE_URL is not set\ntriviactl: hint: set it\n")
}
