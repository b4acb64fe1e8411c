package bqtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

func (s *Server) getDataset(w http.ResponseWriter, r *http.Request, _ []byte) {
	d, ok := s.datasets[r.PathValue("dataset")]
	if !ok {
		refuse(w, http.StatusNotFound, "notFound", "Not found: Dataset "+r.PathValue("project")+":"+r.PathValue("dataset"))

		return
	}
	say(w, d)
}

func (s *Server) insertDataset(w http.ResponseWriter, r *http.Request, body []byte) {
	var d bq.Dataset
	if !read(w, body, &d) {
		return
	}
	name := d.DatasetReference.DatasetId
	if _, ok := s.datasets[name]; ok {
		refuse(w, http.StatusConflict, "duplicate", "Already Exists: Dataset "+r.PathValue("project")+":"+name)

		return
	}
	s.datasets[name] = &d
	say(w, d)
}

// lookup returns a table or view, or answers that there is none.
func (s *Server) lookup(w http.ResponseWriter, r *http.Request) *table {
	t, ok := s.tables[r.PathValue("dataset")+"."+r.PathValue("table")]
	if !ok {
		refuse(w, http.StatusNotFound, "notFound",
			fmt.Sprintf("Not found: Table %s:%s.%s", r.PathValue("project"), r.PathValue("dataset"), r.PathValue("table")))

		return nil
	}

	return t
}

func (s *Server) getTable(w http.ResponseWriter, r *http.Request, _ []byte) {
	if t := s.lookup(w, r); t != nil {
		say(w, t.Table)
	}
}

func (s *Server) insertTable(w http.ResponseWriter, r *http.Request, body []byte) {
	var made bq.Table
	if !read(w, body, &made) {
		return
	}
	dataset, name := r.PathValue("dataset"), made.TableReference.TableId
	switch _, exists := s.tables[dataset+"."+name]; {
	case s.datasets[dataset] == nil:
		refuse(w, http.StatusNotFound, "notFound", "Not found: Dataset "+r.PathValue("project")+":"+dataset)

		return
	case exists:
		refuse(w, http.StatusConflict, "duplicate", "Already Exists: Table "+r.PathValue("project")+":"+dataset+"."+name)

		return
	}
	if complaint := described(&made); complaint != "" {
		refuse(w, http.StatusBadRequest, "invalid", complaint)

		return
	}
	made.Type = "TABLE"
	if made.View != nil {
		made.Type, made.Schema = "VIEW", s.schemaOf(made.View.Query)
	}
	s.put(dataset, name, &made)
	say(w, made)
}

// described returns what is wrong with the description of a table.
func described(t *bq.Table) string {
	if t.View != nil {
		return ""
	}
	column := func(name string) *bq.TableFieldSchema {
		for _, f := range t.Schema.Fields {
			if f.Name == name {
				return f
			}
		}

		return nil
	}
	if p := t.TimePartitioning; p != nil && (column(p.Field) == nil || column(p.Field).Type != "TIMESTAMP") {
		return "The field specified for partitioning cannot be found in the schema, or is no TIMESTAMP: " + p.Field
	}
	if t.Clustering == nil {
		return ""
	}
	if len(t.Clustering.Fields) > 4 {
		return "Too many clustering fields: at most 4"
	}
	for _, name := range t.Clustering.Fields {
		if f := column(name); f == nil || f.Type == "JSON" {
			return "The field specified for clustering cannot be found in the schema, or cannot cluster: " + name
		}
	}

	return ""
}

// schemaOf returns the columns of the table that a view's query reads.
func (s *Server) schemaOf(query string) *bq.TableSchema {
	for key, t := range s.tables {
		if strings.Contains(query, "."+key+"`") {
			return t.Schema
		}
	}

	return nil
}

func (s *Server) patchTable(w http.ResponseWriter, r *http.Request, body []byte) {
	t := s.lookup(w, r)
	var patch bq.Table
	if t == nil || !read(w, body, &patch) {
		return
	}
	if match := r.Header.Get("If-Match"); match != "" && match != t.Etag {
		// So it was recorded: the code within is another.
		refuseAs(w, http.StatusPreconditionFailed, http.StatusBadRequest, "FAILED_PRECONDITION", "failedPrecondition", "Precondition check failed.")

		return
	}
	changed := *t.Table
	if patch.Schema != nil {
		if complaint := extends(t.Schema, patch.Schema); complaint != "" {
			refuse(w, http.StatusBadRequest, "invalid", fmt.Sprintf("Provided Schema does not match Table %s:%s.%s. %s",
				r.PathValue("project"), r.PathValue("dataset"), r.PathValue("table"), complaint))

			return
		}
		changed.Schema = patch.Schema
	}
	if patch.View != nil {
		changed.View, changed.Schema = patch.View, s.schemaOf(patch.View.Query)
	}
	s.put(r.PathValue("dataset"), r.PathValue("table"), &changed)
	say(w, changed)
}

// extends returns why a schema cannot follow another: it may only have more
// columns, none of them required.
func extends(old, changed *bq.TableSchema) string {
	for _, f := range old.Fields {
		i := slices.IndexFunc(changed.Fields, func(c *bq.TableFieldSchema) bool { return c.Name == f.Name })
		switch {
		case i < 0:
			return "Field " + f.Name + " is missing in new schema"
		case changed.Fields[i].Type != f.Type:
			return fmt.Sprintf("Field %s has changed type from %s to %s", f.Name, f.Type, changed.Fields[i].Type)
		case f.Mode != "REQUIRED" && changed.Fields[i].Mode == "REQUIRED":
			return "Field " + f.Name + " has changed mode from NULLABLE to REQUIRED"
		}
	}
	for _, f := range changed.Fields {
		added := !slices.ContainsFunc(old.Fields, func(c *bq.TableFieldSchema) bool { return c.Name == f.Name })
		if added && f.Mode == "REQUIRED" {
			return "Cannot add required fields to an existing schema. (field: " + f.Name + ")"
		}
	}

	return ""
}
