package operator

import (
	"context"
	"iter"

	"trivia/internal/store"
)

// ListDeliveriesWithBodies is [Operator.ListDeliveries] with the bodies.
func (o *Operator) ListDeliveriesWithBodies(
	ctx context.Context, f store.DeliveryFilter, page store.Page,
) iter.Seq2[store.DeliveryRow, error] {
	return o.store.DeliveriesWithBodies(ctx, f, page)
}

// TallyWins counts the wins that f chooses.
func (o *Operator) TallyWins(ctx context.Context, f store.WinFilter) (int64, error) {
	return o.store.TallyWins(ctx, f)
}

// TallyEvents counts the events that f chooses.
func (o *Operator) TallyEvents(ctx context.Context, f store.EventFilter) (int64, error) {
	return o.store.TallyEvents(ctx, f)
}

// TallyDeliveries counts the deliveries that f chooses.
func (o *Operator) TallyDeliveries(ctx context.Context, f store.DeliveryFilter) (int64, error) {
	return o.store.TallyDeliveries(ctx, f)
}
