package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/pgtest"
)

// The same win comes again and again under other keys, through whatever
// process: it is one win and one prize.
func TestAThousandCopiesOfFiftyWinsAreFiftyPrizes(t *testing.T) {
	t.Parallel()

	const (
		wins   = 50
		copies = 20
	)
	db := newPostgres(t)
	hooks := []*program{launch(t, on(db.url)), launch(t, on(db.url)), launch(t, on(db.url))}
	for _, p := range hooks {
		p.waitReady(t)
	}

	s := newSender(t, wins*copies)
	answers := make(chan sent, wins*copies)
	begin := make(chan struct{})
	for n := range wins * copies {
		w := nthWin(n % wins)
		w.key = fmt.Sprintf("copy-%d", n)
		go func() {
			<-begin
			answers <- sent{w, s.win(hooks[n%len(hooks)].public, w)}
		}()
	}
	close(begin)

	all := make([]sent, wins*copies)
	for i := range all {
		all[i] = <-answers
		if a := all[i].answer; !all[i].taken() || a.Status != "accepted" || a.Key != all[i].key {
			t.Errorf("%s was answered %+v, want it accepted", all[i].key, a)
		}
	}
	db.checkPrizes(t, all)
	db.want(t, `SELECT count(*)::text FROM prizes`, fmt.Sprint(wins))
	db.want(t, `SELECT count(*) || ' ' || outcome FROM deliveries GROUP BY outcome ORDER BY outcome`,
		fmt.Sprintf("%d already_won", wins*(copies-1)), fmt.Sprintf("%d awarded", wins))
}

// A team's own rule for one user is nothing to the others.
func TestAPrizeThatIsRefusedParksItsOwnDeliveryOnly(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	db.exec(t, `
		ALTER FUNCTION grant_prize RENAME TO grant_ordinary_prize;
		CREATE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
		LANGUAGE plpgsql AS $$
		BEGIN
			IF user_id = 'user-7' THEN
				RAISE EXCEPTION 'user-7 is barred from mugs';
			END IF;
			PERFORM grant_ordinary_prize(user_id, item, trivia_id);
		END
		$$`)
	p := start(t, on(db.url))

	all := sendTogether(t, p, 0, 20)
	for _, s := range all {
		if s.Outcome != "pending" && (s.Outcome != "awarded" || s.user == "user-7") {
			t.Errorf("win of %s: outcome %q", s.user, s.Outcome)
		}
	}
	db.waitSettled(t)
	db.want(t, `SELECT user_id || ' ' || state || ' ' || reason FROM deliveries WHERE outcome IS DISTINCT FROM 'awarded'`,
		"user-7 parked user-7 is barred from mugs")
	db.want(t, `SELECT count(*)::text FROM granted WHERE user_id <> 'user-7'`, "19")
	db.want(t, `SELECT count(*)::text FROM trivia_wins`, "19")

	if got := p.logged(t, "delivery parked: the database refuses to settle it"); len(got) != 1 || got[0].text("key") != "load-7" {
		t.Errorf("parked in the log: %v, want load-7 in one line", got)
	}
}

// slowPrizes makes the prizes of user-0 to user-9 take longer than anybody
// waits for an answer.
const slowPrizes = `
	ALTER FUNCTION grant_prize RENAME TO grant_ordinary_prize;
	CREATE FUNCTION grant_prize(user_id text, item text, trivia_id text) RETURNS void
	LANGUAGE plpgsql AS $$
	BEGIN
		IF length(user_id) = length('user-0') THEN
			PERFORM pg_sleep(3);
		END IF;
		PERFORM grant_ordinary_prize(user_id, item, trivia_id);
	END
	$$`

func TestAPrizeThatTakesLongIsGrantedLater(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	db.exec(t, slowPrizes)
	p := start(t, on(db.url))

	slow := sendTogether(t, p, 7, 8)[0]
	if slow.Outcome != "pending" {
		t.Errorf("the slow prize was answered %+v, want pending", slow.answer)
	}
	others := sendTogether(t, p, 10, 20)
	for _, s := range others {
		if s.Outcome != "awarded" && s.Outcome != "pending" {
			t.Errorf("win of %s was answered %+v, want awarded or pending", s.user, s.answer)
		}
	}

	db.checkPrizes(t, append(others, slow))
	db.want(t, `SELECT count(*)::text FROM granted`, "11")
	db.want(t, `SELECT DISTINCT outcome FROM deliveries`, "awarded")
}

// Another process has kept wins and left. All that are settled at once take
// long, and the service is as ready as ever.
func TestPrizesThatTakeLongDoNotMakeTheServiceLookBroken(t *testing.T) {
	t.Parallel()

	db := prepare(t, pgtest.Database(t))
	db.exec(t, slowPrizes+`;
		INSERT INTO deliveries (key, kind, body, body_sha256, state, received_at, last_seen_at, due_at)
		SELECT user_id, 'win', body, sha256(body), 'pending', now(), now(), now()
		FROM users, convert_to('{"user_id":"' || user_id || '","trivia_id":"left","item":"mug"}', 'UTF8') AS body
		WHERE user_id < 'user-4' AND length(user_id) = length('user-0')`)
	p := start(t, on(db.url))

	wait(t, "all of them are being settled", func() bool {
		return len(db.column(t, `
			SELECT state FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`)) == 4
	})
	checkHealth(t, p, http.StatusOK)
	if _, metrics := get(t, p.private+"/metrics"); !strings.Contains(metrics, "trivia_backlog_up 1\n") {
		t.Errorf("/metrics does not know the backlog:\n%s", ours(metrics))
	}
	all := sendTogether(t, p, 10, 11)
	if !awarded(all[0]) {
		t.Errorf("a win beside them was answered %+v, want it awarded", all[0].answer)
	}
	db.checkPrizes(t, all)
	db.want(t, `SELECT count(*)::text FROM granted WHERE trivia_id = 'left'`, "4")
}

// sendTogether sends the wins from one number up to another at once. All must
// be answered 200.
func sendTogether(t *testing.T, p *program, from, to int) []sent {
	t.Helper()

	s := newSender(t, to-from)
	answers := make(chan sent, to-from)
	for n := from; n < to; n++ {
		go func() { answers <- sent{nthWin(n), s.win(p.public, nthWin(n))} }()
	}

	all := make([]sent, to-from)
	for i := range all {
		all[i] = <-answers
		if !all[i].taken() {
			t.Errorf("win of %s was answered %d, %v; want 200", all[i].user, all[i].status, all[i].err)
		}
	}

	return all
}

// What cannot be used is kept and parked, and in nobody's way.
func TestUnusableBodiesAreParked(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	p := start(t, on(db.url))
	s := newSender(t, 1)

	bodies := []string{
		"", "null", "[]", `"text"`, "1", "{", "{}", `{"user_id":"user-1"`, `{"user_id":"user-1","trivia_id":"t","item":"mug"} and more`,
		`{"user_id":"","trivia_id":"t","item":"mug"}`, `{"user_id":null,"trivia_id":"t","item":"mug"}`,
		`{"user_id":["user-1"],"trivia_id":"t","item":"mug"}`, `{"user_id":"user-1","trivia_id":"t","item":7}`,
		`{"user_id":"user-1\u0000","trivia_id":"t","item":"mug"}`, "{\"user_id\":\"user-1\xff\"}", "\x00\x01\x02\xfe",
	}
	for i, body := range bodies {
		header := http.Header{"X-Cio-Delivery-Id": {fmt.Sprintf("bad-%d", i)}}
		a := s.post(p.public+customerio.PathWin, s.action, []byte(body), header)
		if a.status != http.StatusOK || a.Outcome != "malformed" {
			t.Errorf("body %q was answered %+v, want 200 and malformed", body, a)
		}
	}
	if a := s.win(p.public, nthWin(1)); a.Outcome != "awarded" {
		t.Errorf("the win behind them was answered %+v, want it awarded", a)
	}

	db.want(t, `SELECT count(*) || ' ' || state FROM deliveries WHERE outcome = 'malformed' AND reason <> '' GROUP BY state`,
		fmt.Sprintf("%d parked", len(bodies)))
	wait(t, "every parked delivery is logged", func() bool { return p.countLogged(t, "delivery parked") == len(bodies) })
}
