package diag

// Pruned counts rows of a table that were past their use: deleted, or of
// bodies, blanked.
func (m *Metrics) Pruned(table string, n int) {
	if n <= 0 {
		return // a counter cannot fall
	}
	m.pruned.get(table).Add(float64(n))
}
