package warehouse

import (
	"maps"
	"slices"

	"trivia/internal/store"
)

// A Day compares one day of a table, here and in the warehouse.
type Day struct {
	store.WarehouseDay

	Table Table
	There int // different rows in the warehouse
}

// Missing returns how many rows the warehouse should have and has not. Less
// than 0 is how many it has beyond: what was pruned here, or sent since.
func (d Day) Missing() int { return d.Rows - d.Waiting - d.Refused - d.There }

// Compare puts what was counted here and there side by side, by day.
func Compare(table Table, here []store.WarehouseDay, there map[string]int) (days []Day) {
	all := map[string]Day{}
	for _, d := range here {
		all[d.Day] = Day{WarehouseDay: d, Table: table}
	}
	for name, n := range there {
		d := all[name]
		d.Day, d.Table, d.There = name, table, n
		all[name] = d
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		days = append(days, all[name])
	}

	return days
}
