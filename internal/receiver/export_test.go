package receiver

import "trivia/internal/store"

// What the tests hold the intake to.
const (
	TakeTime = takeTime
	KeepTime = keepTime
	Patience = patience
	MaxQueue = maxQueue
	MaxBatch = maxBatch
	MinBatch = minBatch
)

// Count counts what became of a batch.
func (in *Intake) Count(arrivals []store.Arrival, receipts []store.Receipt) {
	in.count(arrivals, receipts)
}
