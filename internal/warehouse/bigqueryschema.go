package warehouse

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/bigquery"
)

// errUnfit is of a table that rows of ours can never go into.
var errUnfit = errors.New("does not fit")

// latest is what the name of a view ends in that shows each row once.
const latest = "_latest"

// A design is how a table is made.
type design struct {
	table   Table
	says    string
	schema  bigquery.Schema
	id, day string   // the columns that are unique, and that it is partitioned by
	cluster []string // what people filter by
}

func designOf(table Table) design {
	if table == Wins {
		return design{
			Wins, "Wins of trivias, as Trivia awarded them. Rows may be here twice; the view " + string(Wins) + latest + " shows each once.",
			schemaOf(winColumns()), "win_id", "won_at",
			[]string{"trivia_id", "user_id"},
		}
	}

	return design{
		Events, "Customer.io's reporting webhooks. Rows may be here twice; the view " + string(Events) + latest + " shows each once.",
		schemaOf(eventColumns()), "event_id", "received_at",
		[]string{"metric", "campaign_id", "customer_id", "delivery_id"},
	}
}

func schemaOf[T any](columns []column[T]) (schema bigquery.Schema) {
	for _, c := range columns {
		schema = append(schema, &bigquery.FieldSchema{Name: c.name, Type: c.kind, Required: c.required, Description: c.says})
	}

	return schema
}

// metadata describes the table to be created.
func (d design) metadata() *bigquery.TableMetadata {
	return &bigquery.TableMetadata{
		Description:      d.says,
		Schema:           d.schema,
		TimePartitioning: &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: d.day},
		Clustering:       &bigquery.Clustering{Fields: d.cluster},
	}
}

// view is the query that shows each row once. Which of two it takes makes a
// difference only where the payload was no longer kept when one of them was
// sent, or where an event came once more after it had been pruned.
func (d design) view(name string) string {
	order := d.day + " DESC"
	if d.table == Events {
		order += ", " + payloadColumn + " IS NULL"
	}

	return fmt.Sprintf("SELECT *\nFROM `%s`\nWHERE TRUE\nQUALIFY ROW_NUMBER() OVER (PARTITION BY %s ORDER BY %s) = 1", name, d.id, order)
}

// perDay is the query that counts the rows of each day, in UTC.
func (d design) perDay(name string) string {
	return fmt.Sprintf("SELECT FORMAT_TIMESTAMP('%%F', %[1]s) AS day, COUNT(DISTINCT %[2]s) AS n\n"+
		"FROM `%[3]s`\nWHERE %[1]s >= @since AND %[1]s < @until\nGROUP BY day", d.day, d.id, name)
}

// missing returns the columns that a table does not have.
func (d design) missing(there bigquery.Schema) (columns bigquery.Schema) {
	for _, field := range d.schema {
		if find(there, field.Name) == nil {
			columns = append(columns, &bigquery.FieldSchema{Name: field.Name, Type: field.Type, Description: field.Description})
		}
	}

	return columns
}

func find(schema bigquery.Schema, name string) *bigquery.FieldSchema {
	i := slices.IndexFunc(schema, func(f *bigquery.FieldSchema) bool { return strings.EqualFold(f.Name, name) })
	if i < 0 {
		return nil
	}

	return schema[i]
}

// kindOf returns the type of a column, which may go by the name that it has in
// queries.
func kindOf(f *bigquery.FieldSchema) bigquery.FieldType {
	if f.Type == "BOOL" {
		return flag
	}

	return f.Type
}

// fit returns an error if rows can never go into a table as it is: columns of
// other types than ours, or required ones that we know nothing of. Columns
// that are missing are no hindrance: their values are left out.
func fit(table Table, there *bigquery.TableMetadata) error {
	if there.Type != "" && there.Type != bigquery.RegularTable {
		return fmt.Errorf("%w: it is a %s, no table", errUnfit, there.Type)
	}

	var wrong []string
	for _, want := range designOf(table).schema {
		has := find(there.Schema, want.Name)
		switch {
		case has == nil:
		case has.Repeated:
			wrong = append(wrong, fmt.Sprintf("column %s is repeated", has.Name))
		case kindOf(has) != want.Type:
			wrong = append(wrong, fmt.Sprintf("column %s is %s, want %s", has.Name, has.Type, want.Type))
		}
	}
	for _, has := range there.Schema {
		want := find(designOf(table).schema, has.Name)
		if has.Required && has.DefaultValueExpression == "" && (want == nil || !want.Required) {
			wrong = append(wrong, fmt.Sprintf("column %s is required, and not always known", has.Name))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s", errUnfit, strings.Join(wrong, "; "))
	}

	return nil
}
