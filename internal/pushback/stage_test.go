package pushback_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trivia/internal/customerio"
)

func TestWhatIsOwedIsSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.owe(t, "ann", "attributes", "0s", `{"last_email_metric":"opened","n":12345678901234567890}`)
	b.owe(t, "bob", "unsubscribe", "0s", `{"unsubscribed":true}`)
	b.owe(t, "cyd", "suppress", "0s", `{"email_bounced":true}`)
	b.owe(t, "dan", "suppress", "0s", "")
	b.win(t, "eve", "capitals", "mug", "0s")

	b.send(t)

	b.sawTaken(t, "ann", "ann attributes last_email_metric=opened n=1.2345678901234567e+19")
	b.sawTaken(t, "bob", "bob attributes unsubscribed=true")
	b.sawTaken(t, "cyd", "cyd attributes email_bounced=true", "cyd suppress")
	b.sawTaken(t, "dan", "dan suppress")
	b.sawTaken(t, "eve",
		"eve attributes last_trivia_id=capitals last_trivia_item=mug last_trivia_won_at=1.777896e+09 trivia_wins=1",
		"eve events data=map[item:mug trivia_id:capitals won_at:1.777896e+09] name=trivia_prize_awarded")
	b.want(t, pushes,
		"ann attributes sent 1 200", "bob unsubscribe sent 1 200", "cyd suppress sent 1 200", "dan suppress sent 1 200", "eve event sent 1 200")
	b.want(t, `SELECT person FROM pushes WHERE settled_at IS NULL`)
	b.want(t, `SELECT person FROM push_people WHERE leased_until > now() OR failures > 0`)
	noonAt := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	if id := customerio.EventID(noonAt, "trivia_prize_awarded", "eve", "capitals"); b.twin.events[id] != 1 {
		t.Errorf("the events are %v, want one with the ID of the win, %s", b.twin.events, id)
	}
	b.scraped(t, `trivia_push_calls_total{answer="200",call="attributes"} 4`)
	b.scraped(t, `trivia_push_calls_total{answer="200",call="suppress"} 2`)
	b.scraped(t, `trivia_pushes_settled_total{state="sent"} 5`)
}

func TestWhatWaitsOfOnePersonIsOneCall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.owe(t, "ann", "attributes", "0s", `{"a":1,"b":1}`)
	b.owe(t, "ann", "unsubscribe", "2s", `{"a":2,"unsubscribed":true}`)
	b.owe(t, "ann", "attributes", "1s", `{"a":3,"c":3}`)
	b.owe(t, "ann", "attributes", "0s", `{"a":4}`)

	b.send(t)
	b.sawTaken(t, "", "ann attributes a=2 b=1 c=3 unsubscribed=true")
	b.want(t, pushes, "ann attributes sent 1 200", "ann unsubscribe sent 1 200", "ann attributes sent 1 200",
		"ann attributes sent 0 (told already: newer is known)")
	if at := b.twin.requests()[0].Body["_timestamp"]; at != 1777896002.0 {
		t.Errorf("_timestamp = %v, want that of the latest, two seconds past noon", at)
	}
}

func TestAnEventThatComesLateOverwritesNothingNewer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.owe(t, "ann", "attributes", "10s", `{"a":"new"}`)
	b.send(t)
	b.owe(t, "ann", "attributes", "9.999999s", `{"a":"old","b":"first"}`)
	b.send(t)
	b.owe(t, "ann", "attributes", "9s", `{"a":"older"}`)
	b.send(t)
	b.owe(t, "ann", "attributes", "10s", `{"a":"the same moment"}`)
	b.send(t)

	b.sawTaken(t, "", "ann attributes a=new", "ann attributes b=first", "ann attributes a=the same moment")
	for _, req := range b.twin.requests() {
		if at := req.Body["_timestamp"]; at != 1777896010.0 {
			t.Errorf("%v has _timestamp %v, want never an earlier one than before", req, at)
		}
	}
	b.want(t, `SELECT reason FROM pushes WHERE reason IS NOT NULL`, "told already: newer is known")
}

func TestNothingBehindASuppressionIsToldBeforeIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.owe(t, "ann", "attributes", "0s", `{"a":1}`)
	b.owe(t, "ann", "suppress", "1s", `{"spam_complaint":true}`)
	b.owe(t, "ann", "attributes", "2s", `{"b":1}`)
	b.win(t, "ann", "capitals", "mug", "3s")
	b.owe(t, "ann", "suppress", "4s", ``)

	b.send(t)
	b.sawTaken(t, "",
		"ann attributes a=1 spam_complaint=true", "ann suppress",
		"ann attributes b=1 last_trivia_id=capitals last_trivia_item=mug last_trivia_won_at=1.777896003e+09 trivia_wins=1",
		"ann events data=map[item:mug trivia_id:capitals won_at:1.777896003e+09] name=trivia_prize_awarded",
		"ann suppress")
}

func TestWinsTellHowTheyStand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.win(t, "ann", "rivers", "car", "5s")
	b.win(t, "ann", "capitals", "mug", "0s")
	b.win(t, "ann", "pruned", "cap", "9s")
	b.exec(t, `DELETE FROM trivia_wins WHERE trivia_id = 'pruned'`)

	b.send(t)
	b.sawTaken(t, "",
		"ann attributes last_trivia_id=rivers last_trivia_item=car last_trivia_won_at=1.777896005e+09 trivia_wins=2",
		"ann events data=map[item:car trivia_id:rivers won_at:1.777896005e+09] name=trivia_prize_awarded",
		"ann events data=map[item:mug trivia_id:capitals won_at:1.777896e+09] name=trivia_prize_awarded")
	b.want(t, pushes, "ann event sent 1 200", "ann event sent 1 200", "ann event parked 0 (the win that it tells of is gone)")
}

func TestEveryIdentifierReachesThatPersonOrNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	odd := []string{
		"a/b", "a?b", "a#b", "a%b", "a%2Fb", "a+b", "a@b.example", "a&b", "a b", " a", "a ", "Zoë 漢字 🎉", "...", "cio_03000001", "a;b=c", "a\\b",
		`"`, "'", "a//b", "../b", strings.Repeat("x", 150), "-", "0",
	}
	bad := []string{".", "..", "", " ", strings.Repeat("x", 151), strings.Repeat("漢", 51)}
	for _, person := range append(odd, bad...) {
		b.owe(t, person, "attributes", "0s", `{"name":`+quoted(person)+`}`)
		b.owe(t, person, "suppress", "0s", ``)
	}

	b.send(t)
	for _, person := range odd {
		b.sawTaken(t, person, person+" attributes name="+person, person+" suppress")
	}
	if got, want := len(b.twin.requests()), 2*len(odd); got != want {
		t.Errorf("there were %d calls, want %d", got, want)
	}
	b.want(t, `SELECT DISTINCT state || ' ' || status FROM pushes WHERE char_length(person) < 51 AND btrim(person) NOT IN ('', '.', '..')`, "sent 200")
	parked := b.rows(t, `SELECT person FROM pushes WHERE state = 'parked' AND reason LIKE '%no call can name this person%' AND attempts = 0 ORDER BY id`)
	var want []string
	for _, person := range bad {
		want = append(want, person, person)
	}
	if diff := cmp.Diff(want, parked); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func TestWhatIsRefusedIsParkedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()

	for _, status := range []int{400, 403, 404, 413, 422} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.twin.fault = func(w http.ResponseWriter, _ *http.Request, req request) bool {
				if _, bad := req.Body["bad"]; bad || req.Verb == "suppress" {
					answer(w, status, "I do not\nlike it")
					return true
				}

				return false
			}
			b.owe(t, "ann", "attributes", "1s", `{"bad":1}`)
			b.owe(t, "ann", "suppress", "2s", ``)
			b.owe(t, "ann", "attributes", "3s", `{"good":1}`)
			b.owe(t, "bob", "attributes", "4s", `{"good":1}`)

			b.send(t)
			b.want(t, pushes,
				"ann attributes parked 1 "+itoa(status)+" (I do not like it)", "ann suppress parked 1 "+itoa(status)+" (I do not like it)",
				"ann attributes sent 1 200", "bob attributes sent 1 200")
			b.sawTaken(t, "ann", "ann attributes good=1")
			if n := b.log.count("push parked"); n != 2 {
				t.Errorf("the log says %d times that a push is parked, want 2", n)
			}
		})
	}
}

func TestOneBadRowDoesNotParkItsNeighbours(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = func(w http.ResponseWriter, _ *http.Request, req request) bool {
		if _, bad := req.Body["bad"]; bad {
			answer(w, http.StatusBadRequest, "attribute value too long")
			return true
		}

		return false
	}
	b.owe(t, "ann", "attributes", "1s", `{"a":1,"b":1}`)
	b.owe(t, "ann", "attributes", "2s", `{"b":2,"bad":1}`)
	b.owe(t, "ann", "attributes", "0s", `{"a":3,"c":3}`)
	b.owe(t, "ann", "suppress", "4s", `{"d":4}`)
	b.exec(t, `UPDATE pushes SET attributes = '[1]' WHERE attributes ? 'c'`)

	b.send(t)
	b.want(t, pushes, "ann attributes sent 1 200", "ann attributes parked 1 400 (attribute value too long)",
		"ann attributes parked 0 (its attributes are no object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage)",
		"ann suppress sent 1 200")
	b.sawTaken(t, "ann", "ann attributes a=1 b=1", "ann attributes d=4", "ann suppress")
}

// What a push that is refused would have told newer, an older one still tells.
func TestWhatIsRefusedTellsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.twin.fault = func(w http.ResponseWriter, _ *http.Request, req request) bool {
		if req.Body["a"] == "new" {
			answer(w, http.StatusNotFound, "")
			return true
		}

		return false
	}
	b.owe(t, "ann", "attributes", "1s", `{"a":"old"}`)
	b.owe(t, "ann", "attributes", "2s", `{"a":"new"}`)

	b.send(t)
	b.sawTaken(t, "ann", "ann attributes a=old")
	b.want(t, pushes, "ann attributes sent 1 200", "ann attributes parked 1 404 (Not Found)")
}
