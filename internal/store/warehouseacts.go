package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Cursor names a place in the order of time of a table.
func (p WarehousePlace) Cursor(table WarehouseTable) Cursor {
	return newCursor(string(table), instant(p.At), p.Key, p.Key2)
}

// WarehousePlaceOf reads what [WarehousePlace.Cursor] wrote.
func WarehousePlaceOf(c Cursor) (table WarehouseTable, p WarehousePlace, err error) {
	for _, table = range []WarehouseTable{WarehouseEvents, WarehouseWins} {
		var words []string
		if words, err = c.place(string(table), 3); err != nil {
			continue
		}
		p = WarehousePlace{Key: words[1], Key2: words[2]}
		p.At, err = parseInstant(c, words[0])

		return table, p, err
	}

	return "", p, err
}

const (
	leaveWarehouse = `
	DELETE FROM warehouse_positions WHERE sink = @sink AND leased_until <= now()`

	isWarehouse = `
	SELECT count(*) FROM warehouse_positions WHERE sink = @sink`

	leaveRefused = `
	DELETE FROM warehouse_refused WHERE sink = @sink`
)

// LeaveWarehouse forgets how far a warehouse is, and what it refused. It is
// [ErrNotFound] if nothing is known of it, and [ErrWarehouseHeld] while a
// process sends to it.
func (a *Act) LeaveWarehouse(ctx context.Context, sink string) (refused int, err error) {
	args := pgx.NamedArgs{"sink": sink}
	var before, after int
	if err = a.tx.QueryRow(ctx, isWarehouse, args).Scan(&before); err == nil && before == 0 {
		err = ErrNotFound
	}
	if err == nil {
		_, err = a.tx.Exec(ctx, leaveWarehouse, args)
	}
	if err == nil {
		err = a.tx.QueryRow(ctx, isWarehouse, args).Scan(&after)
	}
	if err == nil && after > 0 {
		err = ErrWarehouseHeld
	}
	if err != nil {
		return 0, fmt.Errorf("leave warehouse %s: %w", sink, err)
	}
	tag, err := a.tx.Exec(ctx, leaveRefused, args)
	if err != nil {
		return 0, fmt.Errorf("leave warehouse %s: %w", sink, err)
	}

	return int(tag.RowsAffected()), nil
}
