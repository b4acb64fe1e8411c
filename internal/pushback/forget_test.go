package pushback_test

import "testing"

func TestWhoeverIsForgottenIsGoneOnceTheyAreSuppressed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(t, `
		INSERT INTO pushes (person, kind, cause, cause_id, occurred_at, state) VALUES
			('ann', 'suppress', 'operator', 'forget', now(), 'pending'),
			('bob', 'suppress', 'event', 'forget', now(), 'pending'),
			('cyd', 'suppress', 'operator', 'forget', now(), 'pending'),
			('cyd', 'attributes', 'operator', 'ann@desk', now(), 'held')`)

	b.send(t)
	b.sawTaken(t, "ann", "ann suppress")
	b.sawTaken(t, "bob", "bob suppress")
	b.want(t, `SELECT person || ' ' || state FROM pushes`, "bob sent")
	b.want(t, `SELECT person FROM push_people`, "bob")
}
