package receiver

// What the tests hold the intake to.
const (
	TakeTime = takeTime
	KeepTime = keepTime
	Patience = patience
	MaxQueue = maxQueue
	MaxBatch = maxBatch
	MinBatch = minBatch
)
