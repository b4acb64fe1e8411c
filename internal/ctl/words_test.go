package ctl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlagsMayStandAnywhere(t *testing.T) {
	t.Parallel()

	tests := []struct{ words, want string }{
		{"wins list --trivia capitals", "triviactl wins list --trivia=capitals"},
		{"wins --trivia capitals list", "triviactl wins list --trivia=capitals"},
		{"--trivia capitals wins list", "triviactl wins list --trivia=capitals"},
		{"wins show u t --output json", "triviactl wins show --output=json -- u t"},
		{"wins show u --output=json t", "triviactl wins show --output=json -- u t"},
		{"wins show -output json u t", "triviactl wins show --output=json -- u t"},
		{"wins show -- -u --output", "triviactl wins show -- -u --output"},
		{"wins show u -- --t", "triviactl wins show -- u --t"},
		{"wins list --user=-odd-", "triviactl wins list --user=-odd-"},
		{"wins list --user -odd-", "triviactl wins list --user=-odd-"},
		{"wins list --user=--all", "triviactl wins list --user=--all"},
		{"users list --all", "triviactl users list --all"},
		{"users list --all=false", "triviactl users list --all=false"},
		{"sign - --route event", "triviactl sign --route=event -- -"},
		{"users add help", "triviactl users add -- help"},
		{"help", "triviactl --help"},
		{"--help", "triviactl --help"},
		{"-h", "triviactl --help"},
		{"help wins list", "triviactl wins list --help"},
		{"wins list whatever --help --user", "triviactl wins list --help"},
		{"wins help", "triviactl wins --help"},
		{"--version", "triviactl --version"},
		{"wins", "triviactl wins"},
		{"", "triviactl"},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			t.Parallel()

			got, err := arrange(newStage(t).app(), strings.Fields(tt.words))
			if tt.words == "wins list whatever --help --user" && err != nil {
				return // help is asked for, and --user lacks its value: either answer will do
			}
			if err != nil || strings.Join(got, " ") != tt.want {
				t.Errorf("arrange(%s) = %q, %v, want %s", tt.words, got, err, tt.want)
			}
		})
	}
}

func TestWrongWordsAreRefusedWithAHint(t *testing.T) {
	t.Parallel()

	tests := []struct {
		words      []string
		said, hint string
	}{
		{nil, "want a command", "triviactl --help lists the commands"},
		{[]string{"wns"}, `triviactl has no command "wns"`, "did you mean wins?"},
		{[]string{"frobnicate"}, `triviactl has no command "frobnicate"`, "triviactl --help lists the commands"},
		{[]string{"wins"}, "triviactl wins wants one of: list, show", "triviactl wins --help tells more"},
		{[]string{"wins", "lst"}, `triviactl wins has no command "lst"`, "did you mean list?"},
		{[]string{"wins", "list", "--usr", "x"}, "triviactl wins list has no flag --usr", "did you mean --user?"},
		{
			[]string{"wins", "list", "--frobnicate"},
			"triviactl wins list has no flag --frobnicate",
			"triviactl wins list --help lists the flags; put words that begin with - behind --",
		},
		{[]string{"--trivia", "x", "migrate"}, "triviactl migrate has no flag --trivia", "triviactl migrate --help lists the flags; put words that begin with - behind --"},
		{[]string{"wins", "show", "-1", "t"}, "triviactl wins show has no flag -1", "put words that begin with - behind --"},
		{[]string{"wins", "list", "--user"}, "--user wants a value", "as in --user VALUE"},
		{[]string{"wins", "list", "--user", "--all"}, "--user wants a value, and --all is a flag", "if --all is meant as the value, write --user=--all"},
		{[]string{"wins", "list", "--user", "--", "x"}, "--user wants a value, and -- is a flag", "if -- is meant as the value, write --user=--"},
		{[]string{"wins", "list", "--user", ""}, "--user is empty", "leave the flag out, or give it a value; is a variable empty?"},
		{[]string{"wins", "list", "--user="}, "--user is empty", "leave the flag out, or give it a value; is a variable empty?"},
		{[]string{"wins", "list", "--user", "a", "--user", "b"}, "--user is there twice", "give it once"},
		{[]string{"wins", "list", "surplus"}, `triviactl wins list wants no words besides flags, got ["surplus"]`, "triviactl wins list --help tells more"},
		{[]string{"wins", "list", "--all=x"}, `--all cannot be "x"`, "triviactl wins list --help tells more"},
		{[]string{"wins", "list", "--limit", "x"}, `--limit cannot be "x"`, "triviactl wins list --help tells more"},
		{[]string{"wins", "list", "--limit", "0"}, "--limit is 0, want at least 1", "--all shows all"},
		{[]string{"wins", "list", "--limit", "5", "--all"}, "--all and --limit exclude each other", "take one of them"},
		{[]string{"wins", "list", "--output", "jsn"}, `--output cannot be "jsn"`, "did you mean json?"},
		{[]string{"wins", "list", "--output", "parquet"}, `--output cannot be "parquet"`, "it takes table, json, csv"},
		{[]string{"wins", "list", "--since", "soon"}, `--since cannot be "soon"`, "want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339"},
		{[]string{"wins", "list", "--since", "1h", "--until", "2h"}, "--since 1h is not before --until 2h", "both count backwards from now: --since 2h --until 1h"},
		{[]string{"wins", "show"}, "triviactl wins show wants USER TRIVIA", "triviactl wins show --help tells more"},
		{[]string{"wins", "show", "a"}, `triviactl wins show wants USER TRIVIA, got ["a"]`, "triviactl wins show --help tells more"},
		{[]string{"wins", "show", "a", "b", "--output", "csv"}, `--output cannot be "csv"`, "it takes table, json"},
		{[]string{"deliveries", "list", "--state", "parkd"}, `--state cannot be "parkd"`, "did you mean parked?"},
		{[]string{"deliveries", "list", "--kind", "x"}, `--kind cannot be "x"`, "it takes win, event"},
		{[]string{"deliveries", "list", "--outcome", "unknown"}, `--outcome cannot be "unknown"`, "it takes awarded, already_won, prize_conflict, key_conflict, unknown_user, trivia_closed, malformed, recorded"},
		{[]string{"deliveries", "show"}, "triviactl deliveries show wants KEY", "triviactl deliveries show --help tells more"},
		{[]string{"users", "add"}, "triviactl users add wants USER...", "triviactl users add --help tells more"},
		{[]string{"users", "add", strings.Repeat("x", 65)}, `"` + strings.Repeat("x", 65) + `" cannot name a user: user_id has 65 characters, at most 64 fit`, "a user or a trivia has 1 to 64 characters that can be seen; white space around them is dropped"},
		{[]string{"users", "import"}, "triviactl users import wants FILE|-", "triviactl users import --help tells more"},
		{[]string{"send", "win"}, "triviactl send win wants --user", "as in --user demo-1 --trivia capitals --item mug"},
		{[]string{"send", "win", "--user", "u", "--item", "i"}, "triviactl send win wants --trivia", "as in --user demo-1 --trivia capitals --item mug"},
		{[]string{"send", "win", "--user", "u", "--trivia", " ", "--item", "i"}, "trivia_id is blank", "to send it all the same, put the body into a file: triviactl send file"},
		{[]string{"send", "win", "--user", "u", "--trivia", "t", "--item", "i", "--repeat", "0"}, "--repeat cannot be 0", "1 is once"},
		{[]string{"send", "win", "--user", "u", "--trivia", "t", "--item", "i", "--concurrency", "1001"}, "--concurrency cannot be 1001", "want 1 to 1000"},
		{[]string{"send", "win", "--user", "u", "--trivia", "t", "--item", "i", "--key", "a\nb"}, `--key cannot be "a\nb"`, "a key travels in a header: printable ASCII"},
		{[]string{"send", "win", "--user", "u", "--trivia", "t", "--item", "i", "--timeout", "3s"}, "--timeout says how long --wait waits", "as in --wait --timeout 30s"},
		{[]string{"send", "win", "--user", "u", "--trivia", "t", "--item", "i", "--url", "ftp://x"}, `--url cannot be "ftp://x"`, "as in http://127.0.0.1:8080"},
		{[]string{"send", "file", "x"}, "triviactl send file wants --route", "as in --route win"},
		{[]string{"send", "file", "x", "--route", "event", "--key", "k"}, "--key is for wins", "the key of an event is the event_id in its body"},
		{[]string{"sign", "a", "b"}, `triviactl sign wants one file, got ["a" "b"]`, "triviactl sign --help tells more"},
		{[]string{"sign", "--at", "soon"}, `--at cannot be "soon"`, "want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339"},
		{[]string{"verify", "-", "--signature", "ab"}, "the header X-CIO-Timestamp is missing", "give it with --timestamp or --headers"},
		{[]string{"verify", "-", "--headers", "-"}, "the body and the headers cannot both come from standard input", "put one of them into a file"},
		{[]string{"events", "list", "--outcome", "x"}, "triviactl events list has no flag --outcome", "triviactl events list --help lists the flags; put words that begin with - behind --"},
		{[]string{"events", "show"}, "triviactl events show wants EVENT_ID", "triviactl events show --help tells more"},
		{[]string{"events", "stats", "--since", "soon"}, `--since cannot be "soon"`, "want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339"},
		{[]string{"events", "stats", "--output", "jsn"}, `--output cannot be "jsn"`, "did you mean json?"},
		{[]string{"responses", "list", "capitals"}, `triviactl responses list wants no words besides flags, got ["capitals"]`, "triviactl responses list --help tells more"},
		{[]string{"push"}, "triviactl push wants one of: list, show, retry, hold, release, attributes, wins, check", "triviactl push --help tells more"},
		{[]string{"push", "list", "--state", "done"}, `--state cannot be "done"`, "it takes pending, held, sent, parked"},
		{[]string{"push", "list", "--kind", "win"}, `--kind cannot be "win"`, "it takes attributes, unsubscribe, suppress, event"},
		{[]string{"push", "list", "--cause", "x"}, `--cause cannot be "x"`, "it takes win, event, operator"},
		{[]string{"push", "show", "x"}, `"x" cannot be the ID of a push`, "identifiers are in: triviactl push list"},
		{[]string{"push", "show", "0"}, `"0" cannot be the ID of a push`, "identifiers are in: triviactl push list"},
		{[]string{"push", "show", "99999999999999999999"}, `"99999999999999999999" cannot be the ID of a push`, "identifiers are in: triviactl push list"},
		{[]string{"push", "retry"}, "triviactl push retry wants ID..., --parked or --user PERSON", "triviactl push retry --help tells more"},
		{[]string{"push", "retry", "--since", "2h"}, "triviactl push retry wants ID..., --parked or --user PERSON", "triviactl push retry --help tells more"},
		{[]string{"push", "hold", "7", "--pending"}, "IDs and flags that choose many exclude each other", "take one of them"},
		{[]string{"push", "release", "7", "--until", "now"}, "IDs and flags that choose many exclude each other", "take one of them"},
		{[]string{"push", "release", "7", "seven"}, `"seven" cannot be the ID of a push`, "identifiers are in: triviactl push list"},
		{[]string{"push", "attributes", "a=1"}, "triviactl push attributes wants --user", "as in --user demo-1 plan=gold visits=7"},
		{[]string{"push", "attributes", "--user", "u"}, "triviactl push attributes wants NAME=VALUE...", "as in --user demo-1 plan=gold visits=7"},
		{[]string{"push", "attributes", "--user", "..", "a=1"}, `--user cannot be "..": ".." is a step in a path`, "it is whom Customer.io's Track API is asked for"},
		{[]string{"push", "attributes", "--user", strings.Repeat("x", 151), "a=1"}, `--user cannot be "` + strings.Repeat("x", 151) + `": the identifier has 151 bytes, at most 150 fit`, "it is whom Customer.io's Track API is asked for"},
		{[]string{"push", "attributes", "--user", "u", "plan"}, `"plan" is no NAME=VALUE`, "as in plan=gold"},
		{[]string{"push", "attributes", "--user", "u", "=gold"}, "an attribute has no name", "Customer.io takes no other"},
		{[]string{"push", "attributes", "--user", "u", "_update=true"}, `attribute "_update" begins with _, as what tells the Track API how to work`, "Customer.io takes no other"},
		{[]string{"push", "attributes", "--user", "u", "a=1", "a=2"}, `attribute "a" is there twice`, "give it once"},
		{[]string{"push", "attributes", "--user", "u", "a=null"}, "a cannot be null: an attribute cannot be null", `if it is meant as text, put it into quotes: '"null"'`},
		{[]string{"push", "attributes", "--user", "u", "a={}"}, "a cannot be {}: an attribute cannot be an object", `if it is meant as text, put it into quotes: '"{}"'`},
		{[]string{"push", "attributes", "--user", "u", "a=[1]"}, "a cannot be [1]: an attribute cannot be an array", `if it is meant as text, put it into quotes: '"[1]"'`},
		{[]string{"push", "attributes", "--user", "u", `a="x`}, `a cannot be "x: it begins with a quote and is no string of JSON`, `if it is meant as text, put it into quotes: '"\"x"'`},
		{[]string{"push", "attributes", "--user", "u", "a=9007199254740993"}, "a cannot be 9007199254740993: a number so large would lose digits", `if it is meant as text, put it into quotes: '"9007199254740993"'`},
		{[]string{"push", "attributes", "--user", "u", "a=1e999"}, "a cannot be 1e999: a number so large would lose digits", `if it is meant as text, put it into quotes: '"1e999"'`},
		{[]string{"push", "attributes", "--user", "u", "a=1", "--timeout", "3s"}, "--timeout says how long --wait waits", "as in --wait --timeout 30s"},
		{[]string{"push", "wins"}, "triviactl push wins wants --since", "as in --since yesterday"},
		{[]string{"push", "wins", "--since", "1h", "--until", "2h"}, "--since 1h is not before --until 2h", "both count backwards from now: --since 2h --until 1h"},
		{[]string{"push", "check", "now"}, `triviactl push check wants no words besides flags, got ["now"]`, "triviactl push check --help tells more"},
		{[]string{"push", "check"}, "no credentials: CUSTOMERIO_SITE_ID and CUSTOMERIO_TRACK_API_KEY not set", "both are in Customer.io: Settings, API credentials, Track API keys"},
		{[]string{"prune"}, "triviactl prune wants --before, --bodies-before or --wins", "as in --before 90d"},
		{[]string{"prune", "--before", "soon"}, `--before cannot be "soon"`, "want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339"},
		{[]string{"prune", "--before", "90d", "all"}, `triviactl prune wants no words besides flags, got ["all"]`, "triviactl prune --help tells more"},
		{[]string{"prune", "--before", "90d", "--only", "wins"}, `--only cannot be "wins"`, "it takes events, deliveries, pushes, with commas between them"},
		{[]string{"prune", "--before", "90d", "--only", "event"}, `--only cannot be "event"`, "did you mean events?"},
		{[]string{"prune", "--before", "90d", "--rate", "-1"}, "--rate is -1, want at least 0", "0 is for any number"},
		{[]string{"prune", "--before", "90d", "--trivia", "t"}, "--trivia goes with --wins", "as in --wins --trivia capitals"},
		{[]string{"prune", "--bodies-before", "90d", "--parked"}, "--parked and --only go with --before", "as in --before 90d"},
		{[]string{"prune", "--wins"}, "--wins wants --trivia", "as in --wins --trivia capitals"},
		{[]string{"prune", "--wins", "--trivia", "t", "--parked"}, "--parked and --wins exclude each other", "prune in two calls"},
		{[]string{"forget"}, "triviactl forget wants USER", "triviactl forget --help tells more"},
		{[]string{"forget", "a", "b"}, `triviactl forget wants USER, got ["a" "b"]`, "triviactl forget --help tells more"},
		{[]string{"forget", "--suppress", ".."}, `Customer.io cannot suppress "..": ".." is a step in a path`, "forget them without --suppress"},
		{[]string{"export"}, "triviactl export wants one of: wins, events, deliveries", "triviactl export --help tells more"},
		{[]string{"export", "wins"}, "triviactl export wins wants -o FILE", "as in -o wins.csv; - is standard output"},
		{[]string{"export", "wins", "wins.csv"}, `triviactl export wins wants no words besides flags, got ["wins.csv"]`, "triviactl export wins --help tells more"},
		{[]string{"export", "wins", "-o", "-", "--format", "parquet"}, "parquet is not for standard output", "give it a FILE, or take csv or ndjson"},
		{[]string{"export", "wins", "-o", "-", "--format", "json"}, `--format cannot be "json"`, "did you mean ndjson?"},
		{[]string{"export", "wins", "-o", "-", "--out", "-"}, "--out is there twice", "give it once"},
		{[]string{"export", "wins", "-o", "-", "--bodies"}, "triviactl export wins has no flag --bodies", "triviactl export wins --help lists the flags; put words that begin with - behind --"},
		{[]string{"export", "deliveries", "-o", "-", "--state", "parkd"}, `--state cannot be "parkd"`, "did you mean parked?"},
		{[]string{"export", "events", "-o", "-", "--since", "soon"}, `--since cannot be "soon"`, "want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339"},
		{[]string{"keys", "list", "ab12"}, `triviactl keys list wants no words besides flags, got ["ab12"]`, "triviactl keys list --help tells more"},
		{[]string{"doctor", "please"}, `triviactl doctor wants no words besides flags, got ["please"]`, "triviactl doctor --help tells more"},
		{[]string{"doctor", "--url", "ftp://x"}, `--url cannot be "ftp://x"`, "as in http://127.0.0.1:8080, without a path"},
		{[]string{"doctor", "--admin-url", "http://x/metrics"}, `--admin-url cannot be "http://x/metrics"`, "as in http://127.0.0.1:8080, without a path"},
		{[]string{"doctor", "--output", "csv"}, `--output cannot be "csv"`, "it takes table, json"},
		{[]string{"man", "wins"}, `triviactl man wants no words besides flags, got ["wins"]`, "triviactl man --help tells more"},
		{[]string{"bench", "now"}, `triviactl bench wants no words besides flags, got ["now"]`, "triviactl bench --help tells more"},
		{[]string{"bench", "--kind", "wins"}, `--kind cannot be "wins"`, "did you mean win?"},
		{[]string{"bench", "--output", "csv"}, `--output cannot be "csv"`, "it takes table, json"},
		{[]string{"bench", "--rate", "5", "--connections", "5"}, "--rate and --connections exclude each other", "take one of them: --rate sends by the clock, --connections as fast as it can"},
		{[]string{"bench", "--rate", "0"}, "--rate cannot be 0", "want 1 to 100000"},
		{[]string{"bench", "--rate", "100001"}, "--rate cannot be 100001", "want 1 to 100000"},
		{[]string{"bench", "--connections", "1001"}, "--connections cannot be 1001", "want 1 to 1000"},
		{[]string{"bench", "--duration", "0s"}, "--duration and --settle cannot be 0 or less", "as in --duration 30s --settle 1m"},
		{[]string{"bench", "--users", "0"}, "--users cannot be 0", "want 1 to 1000000"},
		{[]string{"bench", "--trivias", "1001"}, "--trivias cannot be 1001", "want 1 to 1000"},
		{[]string{"bench", "--duplicates", "5"}, `--duplicates cannot be "5"`, "want 0% to 90%, as in --duplicates 5%"},
		{[]string{"bench", "--duplicates", "NaN%"}, `--duplicates cannot be "NaN%"`, "want 0% to 90%, as in --duplicates 5%"},
		{[]string{"bench", "--duplicates", "91%"}, `--duplicates cannot be "91%"`, "want 0% to 90%, as in --duplicates 5%"},
		{[]string{"simulate", "now"}, `triviactl simulate wants no words besides flags, got ["now"]`, "triviactl simulate --help tells more"},
		{[]string{"simulate", "--output", "csv"}, `--output cannot be "csv"`, "it takes table, json"},
		{[]string{"simulate", "--events", "-1"}, "--events cannot be -1", "want 0 to 10000000"},
		{[]string{"simulate", "--streams", "0"}, "--streams cannot be 0", "want 1 to 1000"},
		{[]string{"simulate", "--rate", "0"}, "--rate cannot be 0", "want at most 100000, and more than 0"},
		{[]string{"simulate", "--hour", "0s"}, "--hour cannot be 0s", "as in --hour 30s"},
		{[]string{"simulate", "--duration", "0s"}, "--duration cannot be 0s", "as in --duration 30s"},
		{[]string{"simulate", "--new", "101%"}, `--new cannot be "101%"`, "want 0% to 100%, as in --new 50%"},
		{[]string{"simulate", "--new", "50"}, `--new cannot be "50"`, "want 0% to 100%, as in --new 50%"},
		{[]string{"simulate", "--begun", "soon"}, `--begun cannot be "soon"`, "want 2h, 3d, now, today, yesterday, 2026-01-31, 2026-01-31 15:04 or RFC 3339"},
		{[]string{"simulate", "--url", "http://127.0.0.1:1/webhooks/customerio"}, "--url cannot have a path: there are two, and they are known", "as in --url http://127.0.0.1:8080"},
		{[]string{"send", "scenario"}, "triviactl send scenario wants NAME..., all or list", "triviactl send scenario list shows what there is"},
		{[]string{"send", "scenario", "stail"}, `there is no scenario "stail"`, "did you mean stale?"},
		{[]string{"send", "scenario", "stale", "all"}, `there is no scenario "all"`, "triviactl send scenario list shows what there is"},
		{[]string{"send", "scenario", "stale", "--url", "http://a.example/path"}, `--url cannot have a path: "http://a.example/path"`, "as in https://hooks.example.com: both routes are called"},
		{[]string{"send", "scenario", "stale", "--user", "u", "--cleanup"}, "--user and --cleanup exclude each other: what USER wins stays", "take one of them"},
		{[]string{"send", "scenario", "stale", "--user", strings.Repeat("x", 65)}, `"` + strings.Repeat("x", 65) + `" cannot name a user: user_id has 65 characters, at most 64 fit`, "a user or a trivia has 1 to 64 characters that can be seen; white space around them is dropped"},
		{[]string{"completion", "tcsh"}, `no script for "tcsh"`, "there are scripts for bash, zsh and fish"},
		{[]string{"template", "--url", "example.com"}, `--url cannot be "example.com"`, "as in https://hooks.example.com, without a path"},
		{[]string{"migrate", "now"}, `triviactl migrate wants no words besides flags, got ["now"]`, "triviactl migrate --help tells more"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.words, " "), func(t *testing.T) {
			t.Parallel()
			newStage(t).want(t, tt.words, 2, "", "triviactl: usage: "+tt.said+"\ntriviactl: hint: "+tt.hint+"\n")
		})
	}
}

func TestMissingKeysAreNamed(t *testing.T) {
	t.Parallel()

	for _, words := range [][]string{
		{"sign"}, {"send", "win", "--user", "u", "--trivia", "t", "--item", "i"}, {"verify", "-", "--route", "win"},
	} {
		st := newStage(t)
		st.env = nil
		st.want(t, words, 2, "", `triviactl: usage: no signing key: CUSTOMERIO_ACTION_SECRET is not set
triviactl: hint: set CUSTOMERIO_ACTION_SECRET to the key that the hook verifies with, or CUSTOMERIO_WEBHOOK_SECRET if both routes have the same
`)
	}
	st := newStage(t)
	st.env = nil
	st.want(t, []string{"verify", "-"}, 2, "", `triviactl: usage: no signing key: neither CUSTOMERIO_ACTION_SECRET nor CUSTOMERIO_WEBHOOK_SECRET is set
triviactl: hint: set them to the keys to try, separated by commas
`)
}

func TestDistance(t *testing.T) {
	t.Parallel()

	tests := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"list", "list", 0}, {"lst", "list", 1}, {"kitten", "sitting", 3}, {"", "ab", 2}, {"é", "e", 1}}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// firstWords is what comes first, in the order in which people are told of it.
const firstWords = "tui\nwins\ndeliveries\nevents\nresponses\npush\nusers\nsources\nkeys\n" +
	"explain\naudit\ntrivia\nprizes\nexport\ndoctor\nreplay\nprune\nforget\nwarehouse\nmigrate\ntemplate\ncompletion\nman\nsend\nsign\nverify\nbench\nsimulate\n"

func TestCompletionOffersWhatMayComeNext(t *testing.T) {
	t.Parallel()

	tests := []struct {
		words []string
		want  string
	}{
		{[]string{""}, firstWords},
		{[]string{"w"}, "wins\nwarehouse\n"},
		{[]string{"warehouse", "verify", "--table", "t"}, "trivia_wins\n"},
		{[]string{"wins", ""}, "list\nshow\n"},
		{[]string{"wins", "list", "--s"}, "--since\n"},
		{[]string{"wins", "list", "--user", "x", "--un"}, "--until\n"},
		{[]string{"wins", "list", "--output", ""}, "table\njson\ncsv\n"},
		{[]string{"deliveries", "list", "--state", "p"}, "pending\nparked\n"},
		{[]string{"deliveries", "list", "--outcome", "a"}, "awarded\nalready_won\n"},
		{[]string{"push", "list", "--state", "p"}, "pending\nparked\n"},
		{[]string{"push", "list", "--kind=s"}, "--kind=suppress\n"},
		{[]string{"push", "list", "--cause", "o"}, "operator\n"},
		{[]string{"send", "file", "--route", ""}, "win\nevent\n"},
		{[]string{"send", "scenario", "sl"}, "slow-body\n"},
		{[]string{"send", "scenario", "stale", "l"}, "list\n"},
		{[]string{"bench", "--kind", ""}, "win\nevent\n"},
		{[]string{"completion", "z"}, "zsh\n"},
		{[]string{"wins", "list", "--output=j"}, "--output=json\n"},
		{[]string{"wins", "list", "--output", "="}, "table\njson\ncsv\n"},
		{[]string{"wins", "list", "--output", "=", "j"}, "json\n"},
		{[]string{"wins", "list", "--nonsense=j"}, ""},
		{[]string{"sign", ""}, ""},
		{[]string{"nonsense", ""}, ""},
		{[]string{"wins", "show", "--", "--"}, ""},
		{nil, firstWords},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.words, " "), func(t *testing.T) {
			t.Parallel()
			newStage(t).want(t, append(tt.words, completionFlag), 0, tt.want, "")
		})
	}

	st := newStage(t)
	st.env[describe] = "1"
	st.want(t, []string{"wins", "", completionFlag}, 0, "list\tlist wins, newest first\nshow\tshow one win, and all that belongs to it\n", "")
}

func TestHelpFitsTheScreen(t *testing.T) {
	t.Parallel()

	calls := [][]string{
		{},
		{"wins"},
		{"wins", "list"},
		{"wins", "show"},
		{"deliveries"},
		{"deliveries", "list"},
		{"deliveries", "show"},
		{"events"},
		{"events", "list"},
		{"events", "show"},
		{"events", "stats"},
		{"responses"},
		{"responses", "list"},
		{"push"},
		{"push", "list"},
		{"push", "show"},
		{"push", "retry"},
		{"push", "hold"},
		{"push", "release"},
		{"push", "attributes"},
		{"push", "wins"},
		{"push", "check"},
		{"users"},
		{"users", "add"},
		{"users", "import"},
		{"users", "list"},
		{"sources"},
		{"sources", "list"},
		{"sources", "check"},
		{"sources", "refresh"},
		{"migrate"},
		{"template"},
		{"completion"},
		{"send"},
		{"send", "win"},
		{"send", "event"},
		{"send", "events"},
		{"send", "file"},
		{"send", "scenario"},
		{"sign"},
		{"verify"},
		{"replay"},
		{"explain"},
		{"audit"},
		{"audit", "log"},
		{"trivia"},
		{"trivia", "list"},
		{"trivia", "show"},
		{"trivia", "close"},
		{"trivia", "open"},
		{"trivia", "stats"},
		{"prizes"},
		{"prizes", "list"},
		{"prizes", "revoke"},
		{"prune"},
		{"forget"},
		{"warehouse"},
		{"warehouse", "init"},
		{"warehouse", "status"},
		{"warehouse", "backfill"},
		{"warehouse", "verify"},
		{"warehouse", "refused"},
		{"warehouse", "leave"},
		{"export"},
		{"export", "wins"},
		{"export", "events"},
		{"export", "deliveries"},
		{"keys"},
		{"keys", "list"},
		{"doctor"},
		{"man"},
		{"bench"},
		{"simulate"},
	}
	var all strings.Builder
	for _, words := range calls {
		st := newStage(t)
		if code := st.call(t, append(words, "--help")...); code != 0 || st.err.Len() > 0 {
			t.Errorf("triviactl %q --help exits with %d, and says %q", words, code, st.err.String())
		}
		lines := strings.Split(strings.TrimSuffix(st.out.String(), "\n"), "\n")
		if len(words) == 0 && len(lines) > 23 { // and the prompt
			t.Errorf("triviactl --help has %d lines", len(lines))
		}
		for _, line := range lines {
			if n := len([]rune(line)); n > 80 {
				t.Errorf("triviactl %q --help: a line has %d characters: %s", words, n, line)
			}
		}
		if !strings.Contains(st.out.String(), "Examples:") && !strings.Contains(st.out.String(), "COMMAND --help") {
			t.Errorf("triviactl %q --help has no examples", words)
		}
		all.WriteString("$ triviactl " + strings.Join(append(words, "--help"), " ") + "\n" + st.out.String() + "\n")
	}
	golden(t, "help", all.String())
}

func TestEveryCommandIsItsOwn(t *testing.T) {
	t.Parallel()

	// The library shares package variables between apps; ours must not race.
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			newStage(t).call(t, "wins", "list", "--help")
			newStage(t).call(t, "wins", "list", "--limit", "x")
		})
	}
	if diff := cmp.Diff(0, newStage(t).call(t, "--version")); diff != "" {
		t.Error("--version does not exit with 0")
	}
}
