package warehouse

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"cloud.google.com/go/bigquery"
)

// Init creates what is missing: the tables, and the views that show each row
// once, and the dataset if a location is given for it. Of tables that exist it
// only adds columns. It returns what it has done.
func (b *BigQuery) Init(ctx context.Context) ([]string, error) { return b.initiate(ctx, false) }

// Plan returns what Init would do.
func (b *BigQuery) Plan(ctx context.Context) ([]string, error) { return b.initiate(ctx, true) }

func (b *BigQuery) initiate(ctx context.Context, plan bool) ([]string, error) {
	dataset, err := b.dataset(ctx)
	if err != nil {
		return nil, err
	}
	i := &initiation{BigQuery: b, dataset: dataset, plan: plan}
	if err := i.makeDataset(ctx); err != nil {
		return i.done, err
	}
	for _, table := range Tables() {
		changed, err := i.makeTable(ctx, designOf(table))
		if err != nil {
			return i.done, err
		}
		if err := i.makeView(ctx, designOf(table), changed); err != nil {
			return i.done, err
		}
	}

	return i.done, nil
}

// An initiation is a call of Init, or of Plan.
type initiation struct {
	*BigQuery

	dataset *bigquery.Dataset
	plan    bool // nothing is done
	absent  bool // the dataset is only planned
	done    []string
}

func (i *initiation) did(format string, args ...any) {
	i.done = append(i.done, fmt.Sprintf(format, args...))
}

func isCode(err error, code int) bool {
	answer := answerOf(err)

	return answer != nil && answer.Code == code
}

// during bounds a call and says what went wrong with it. That a thing which we
// create is there already is fine: somebody else was faster.
func (i *initiation) during(ctx context.Context, doing string, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, i.CallTime)
	defer cancel()

	err := call(ctx)
	if err == nil || isCode(err, http.StatusConflict) {
		return nil
	}

	return i.explain(doing, err)
}

// look reads about a thing and reports whether it exists.
func (i *initiation) look(ctx context.Context, what string, call func(context.Context) error) (exists bool, err error) {
	exists = true
	err = i.during(ctx, "look at "+what, func(ctx context.Context) error {
		err := call(ctx)
		if isCode(err, http.StatusNotFound) {
			exists, err = false, nil
		}

		return err
	})

	return exists, err
}

func (i *initiation) makeDataset(ctx context.Context) error {
	name := "dataset " + i.Project + "." + i.Dataset
	exists, err := i.look(ctx, name, func(ctx context.Context) error {
		_, err := i.dataset.Metadata(ctx)

		return err
	})
	if err != nil || exists {
		return err
	}
	if i.Location == "" {
		return fmt.Errorf("there is no %s: say where to create it, as in --location EU, for it cannot be moved later", name)
	}

	i.absent = i.plan
	if !i.plan {
		err = i.during(ctx, "create "+name, func(ctx context.Context) error {
			return i.dataset.Create(ctx, &bigquery.DatasetMetadata{Location: i.Location})
		})
	}
	if err == nil {
		i.did("created %s in %s", name, i.Location)
	}

	return err
}

// find reads about a table or view; nil if there is none.
func (i *initiation) find(ctx context.Context, table *bigquery.Table, what string) (found *bigquery.TableMetadata, err error) {
	if i.absent {
		return nil, nil
	}
	_, err = i.look(ctx, what, func(ctx context.Context) error {
		found, err = table.Metadata(ctx)

		return err
	})

	return found, err
}

// makeTable also reports whether there are columns now that were not there.
func (i *initiation) makeTable(ctx context.Context, d design) (changed bool, err error) {
	table, name := i.dataset.Table(string(d.table)), "table "+i.nameOf(d.table)
	found, err := i.find(ctx, table, name)
	if err != nil {
		return false, err
	}
	if found == nil {
		if !i.plan {
			err = i.during(ctx, "create "+name, func(ctx context.Context) error { return table.Create(ctx, d.metadata()) })
		}
		if err == nil {
			i.did("created %s, partitioned by the day of %s, clustered by %s", name, d.day, strings.Join(d.cluster, ", "))
		}

		return false, err
	}
	if err := fit(d.table, found); err != nil {
		return false, fmt.Errorf("%s %w: rename the column or the table, and run init again", name, err)
	}

	missing := d.missing(found.Schema)
	if len(missing) == 0 {
		return false, nil
	}
	if !i.plan {
		err = i.during(ctx, "add columns to "+name, func(ctx context.Context) error {
			_, err := table.Update(ctx, bigquery.TableMetadataToUpdate{Schema: append(found.Schema, missing...)}, found.ETag)

			return err
		})
	}
	if err == nil {
		var names []string
		for _, column := range missing {
			names = append(names, column.Name)
		}
		i.did("added to %s: %s", name, strings.Join(names, ", "))
	}

	return true, err
}

// makeView makes a view, or makes it anew: it does not see by itself that its
// table has got columns.
func (i *initiation) makeView(ctx context.Context, d design, changed bool) error {
	view, name := i.dataset.Table(string(d.table)+latest), "view "+i.nameOf(d.table)+latest
	found, err := i.find(ctx, view, name)
	if err != nil {
		return err
	}
	query := d.view(i.nameOf(d.table))
	switch {
	case found == nil:
		if !i.plan {
			err = i.during(ctx, "create "+name, func(ctx context.Context) error {
				return view.Create(ctx, &bigquery.TableMetadata{
					ViewQuery: query, Description: "Each row of " + string(d.table) + " once.",
				})
			})
		}
		if err == nil {
			i.did("created %s", name)
		}
	case found.Type != bigquery.ViewTable:
		return fmt.Errorf("%s is a %s: rename it, and run init again", i.nameOf(d.table)+latest, found.Type)
	case changed, found.ViewQuery != query:
		if !i.plan {
			err = i.during(ctx, "update "+name, func(ctx context.Context) error {
				_, err := view.Update(ctx, bigquery.TableMetadataToUpdate{ViewQuery: query}, found.ETag)

				return err
			})
		}
		if err == nil {
			i.did("updated %s", name)
		}
	}

	return err
}
