package warehouse

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
)

// CountDays counts the rows of each day from since to before until, each once.
// Days are in UTC, as in 2026-11-22.
func (b *BigQuery) CountDays(ctx context.Context, table Table, since, until time.Time) (map[string]int, error) {
	dataset, err := b.dataset(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := b.count(ctx, dataset, designOf(table), since, until)
	if err != nil {
		return nil, b.explain("count rows of "+b.nameOf(table), err)
	}

	return counts, nil
}

func (b *BigQuery) count(ctx context.Context, dataset *bigquery.Dataset, d design, since, until time.Time) (map[string]int, error) {
	b.mu.Lock()
	client := b.client
	b.mu.Unlock()
	found, err := dataset.Metadata(ctx) // a query wants to be told where its data are
	if err != nil {
		return nil, err
	}
	query := client.Query(d.perDay(b.nameOf(d.table)))
	query.Location = found.Location
	query.Parameters = []bigquery.QueryParameter{{Name: "since", Value: since}, {Name: "until", Value: until}}
	rows, err := query.Read(ctx)
	if err != nil {
		return nil, err
	}

	counts := map[string]int{}
	for {
		var row struct {
			Day string
			N   int
		}
		err := rows.Next(&row)
		if errors.Is(err, iterator.Done) {
			return counts, nil
		}
		if err != nil {
			return nil, err
		}
		counts[row.Day] = row.N
	}
}
