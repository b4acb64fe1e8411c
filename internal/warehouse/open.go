package warehouse

import (
	"context"
	"errors"
	"fmt"

	"trivia/internal/config"
)

// ErrNone says that no warehouse is set.
var ErrNone = errors.New("no warehouse is set")

// Open returns the sink that the settings name. It need not be within reach:
// what is wrong with it is said when something is sent.
func Open(ctx context.Context, set config.Warehouse) (Sink, error) {
	switch set.Kind {
	case config.NoWarehouse:
		return nil, ErrNone
	case config.FilesWarehouse:
		return openFiles(ctx, set)
	case config.BigQuery:
		return NewBigQuery(BigQueryOptions{Project: set.Project, Dataset: set.Dataset, Endpoint: set.Endpoint}), nil
	}

	return nil, fmt.Errorf("open the warehouse: no kind is called %q", set.Kind)
}
