package diag_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"trivia/internal/diag"
)

func TestWarehousesAreCounted(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.WarehouseUp("files:/w", true)
	m.WarehouseUp("bigquery:a.b", true)
	m.WarehouseUp("bigquery:a.b", false)
	m.WarehouseSent("files:/w", "trivia_wins", 5, 0, time.Second)
	m.WarehouseSent("files:/w", "trivia_wins", 2, 3, time.Second)
	m.WarehouseLag(func(context.Context) ([]diag.WarehouseLag, error) {
		return []diag.WarehouseLag{{Sink: "files:/w", Table: "trivia_wins", Lag: 90 * time.Second}}, nil
	})
	checkLines(t, m,
		`trivia_warehouse_up{sink="files:/w"} 1`, `trivia_warehouse_up{sink="bigquery:a.b"} 0`,
		`trivia_warehouse_rows_total{sink="files:/w",table="trivia_wins"} 7`,
		`trivia_warehouse_refused_total{sink="files:/w",table="trivia_wins"} 3`,
		`trivia_warehouse_send_seconds_count{sink="files:/w",table="trivia_wins"} 2`,
		`trivia_warehouse_lag_seconds{sink="files:/w",table="trivia_wins"} 90`)
}

func TestALagThatCannotBeReadIsLeftOut(t *testing.T) {
	t.Parallel()

	m := diag.New()
	m.WarehouseLag(func(context.Context) ([]diag.WarehouseLag, error) { return nil, errors.New("the sky is down") })
	for _, line := range scrape(t, m, "trivia_warehouse_lag") {
		t.Errorf("/metrics has the line %q", line)
	}
}
