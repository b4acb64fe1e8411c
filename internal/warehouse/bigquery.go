package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/option"
)

// How rows are streamed. Google advises calls of up to 500 rows and 5 MB, and
// refuses those of more than 10 MB.
const (
	rowsPerCall  = 500
	bytesPerCall = 5_000_000
	mostRowBytes = 9_500_000               // alone in a call, with all that is around it
	callsAtOnce  = PieceRows / rowsPerCall // what a piece needs, one on the way beside the other
	callTime     = 30 * time.Second
)

// BigQueryOptions say where the tables are. Project and Dataset are required:
// [trivia/internal/config.Warehouse] has them checked.
type BigQueryOptions struct {
	Project, Dataset string

	// Endpoint is asked instead of Google's. One that is not https gets no
	// credentials.
	Endpoint string

	// Location is where [BigQuery.Init] creates a dataset that is missing, such
	// as "EU". Empty: it creates none.
	Location string

	// CallTime is how long one call may take, the client's own retries included;
	// 0 means 30 s.
	CallTime time.Duration
}

// A BigQuery is a dataset of Google BigQuery. Make one with [NewBigQuery]. The
// client that it works with is made when it is first needed: looking for
// credentials takes time, and may fail, and neither is intake's business.
//
// Rows are streamed with tabledata.insertAll: it takes rows at once, says of
// each what is wrong with it, and keeps no state between calls. Rows that are
// sent twice vanish in the views, and mostly even before, by their insert id.
type BigQuery struct {
	BigQueryOptions

	mu     sync.Mutex
	client *bigquery.Client // nil: not made yet
}

// NewBigQuery returns a sink. Nothing is asked yet.
func NewBigQuery(opts BigQueryOptions) *BigQuery {
	opts.CallTime = cmp.Or(opts.CallTime, callTime)

	return &BigQuery{BigQueryOptions: opts}
}

// Name names the dataset: another one begins from the first row.
func (b *BigQuery) Name() string { return "bigquery:" + b.Project + "." + b.Dataset }

// Close ends the client.
func (b *BigQuery) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()

	if b.client == nil {
		return nil
	}
	err := b.client.Close()
	b.client = nil

	return err
}

// dataset returns the dataset as the client sees it.
func (b *BigQuery) dataset(ctx context.Context) (*bigquery.Dataset, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if b.client == nil {
		options := []option.ClientOption{option.WithTelemetryDisabled()}
		if b.Endpoint != "" {
			options = append(options, option.WithEndpoint(basePath(b.Endpoint)))
			if !strings.HasPrefix(b.Endpoint, "https://") {
				options = append(options, option.WithoutAuthentication())
			}
		}
		// What refreshes the credentials goes on using the context.
		client, err := bigquery.NewClient(context.WithoutCancel(ctx), b.Project, options...)
		if err != nil {
			return nil, fmt.Errorf("BigQuery: find credentials: %w", err)
		}
		b.client = client
	}

	return b.client.Dataset(b.Dataset), nil
}

// basePath is the endpoint as the client wants it: with the path of the API,
// unless it has another one.
func basePath(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err == nil && strings.Trim(u.Path, "/") == "" {
		u.Path = "/bigquery/v2/"

		return u.String()
	}

	return strings.TrimSuffix(endpoint, "/") + "/"
}

// Send streams the rows, some calls at once. Where only some arrive, because
// BigQuery wants less of us or fails, all come again: what has arrived is
// found by its insert id, or vanishes in the view.
func (b *BigQuery) Send(ctx context.Context, batch Batch) ([]Refusal, error) {
	if len(batch.Events)+len(batch.Wins) == 0 {
		return nil, nil
	}
	dataset, err := b.dataset(ctx)
	if err != nil {
		return nil, err
	}
	s := newSending(dataset.Table(string(batch.Table)), b.CallTime)
	rows := rowsOf(batch)
	calls, stop := errgroup.WithContext(ctx)
	calls.SetLimit(callsAtOnce)
	for _, some := range s.calls(rows) {
		calls.Go(func() error { return s.put(stop, some) })
	}
	if err := calls.Wait(); err != nil {
		return nil, b.explain("stream rows into "+b.nameOf(batch.Table), err)
	}
	if s.none(rows) {
		// That no row is good enough may be the table's fault.
		if err := s.check(ctx); err != nil {
			return nil, b.explain("look at "+b.nameOf(batch.Table)+", which refuses every row", err)
		}
	}

	return s.refusals(), nil
}

func (b *BigQuery) nameOf(table Table) string {
	return b.Project + "." + b.Dataset + "." + string(table)
}

// explain says what was being done, to what, and what to do about it where
// that is known.
func (b *BigQuery) explain(doing string, err error) error {
	next := ""
	answer := answerOf(err)
	switch {
	case answer == nil:
	case reasonOf(answer) == "failedPrecondition":
		next = "; somebody else has changed it meanwhile: run it again"
	case answer.Code == 404:
		next = "; triviactl warehouse init makes what is missing"
	case answer.Code == 401, answer.Code == 403 && !isQuota(answer):
		next = "; the credentials need the roles bigquery.dataEditor on the dataset and bigquery.jobUser in the project"
	}

	return fmt.Errorf("%s: %w%s", doing, brief(err), next)
}
