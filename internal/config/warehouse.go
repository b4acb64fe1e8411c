package config

import (
	"cmp"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A WarehouseKind is what kind of place a warehouse is.
type WarehouseKind string

// The kinds of warehouses.
const (
	NoWarehouse    WarehouseKind = ""
	FilesWarehouse WarehouseKind = "files"
	BigQuery       WarehouseKind = "bigquery"
)

// A Warehouse says where events and wins are copied to.
type Warehouse struct {
	Kind WarehouseKind

	Dir    string   // of files, absolute; empty if they are in object storage
	Bucket *url.URL // of files in object storage: s3://BUCKET/PREFIX?endpoint=…
	Format string   // of files: parquet or ndjson

	Project, Dataset string // of BigQuery
	Endpoint         string // of BigQuery, without a slash at the end; empty: Google's own

	Every time.Duration // for how long rows may wait, so that files do not become many and small
}

// Name tells warehouses apart, and is what a position is kept under: another
// place is another warehouse, and gets everything. It is empty if there is none.
func (w Warehouse) Name() string {
	switch w.Kind {
	case NoWarehouse:
	case FilesWarehouse:
		if w.Bucket != nil {
			return "files:s3://" + w.Bucket.Host + strings.TrimRight(w.Bucket.Path, "/")
		}

		return "files:" + w.Dir
	case BigQuery:
		return "bigquery:" + w.Project + "." + w.Dataset
	}

	return ""
}

const (
	noWarehouse   = "off"
	warehouseWant = "files:DIR, files:s3://BUCKET/PREFIX, bigquery:PROJECT.DATASET or off"
	warehouseDir  = "warehouse" // in the data directory, beside a private Postgres

	mostWarehouseWait = time.Hour
)

// dataset is project.dataset. Old projects have a domain in front.
var dataset = regexp.MustCompile(`^((?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,61}[a-z0-9])\.([A-Za-z0-9_]+)$`)

// warehouse reads where to copy to. Beside a private Postgres, that is a folder
// of files unless something else is said.
func (r *reader) warehouse(embedded bool, dataDir string) Warehouse {
	w := Warehouse{
		Format:   r.oneOf(WarehouseFormat, defaultWarehouseFormat, "ndjson"),
		Every:    r.warehouseEvery(),
		Endpoint: r.warehouseEndpoint(),
	}

	value := r.text(WarehouseTo)
	if value == "" && embedded && dataDir != "" {
		w.Kind, w.Dir = FilesWarehouse, filepath.Join(dataDir, warehouseDir)

		return w
	}
	if value == "" || value == noWarehouse {
		return w
	}

	kind, place, _ := strings.Cut(value, ":")
	switch {
	case kind == string(FilesWarehouse) && strings.HasPrefix(place, "s3:"):
		if w.Bucket = r.bucket(value, place); w.Bucket != nil {
			w.Kind = FilesWarehouse
		}
	case kind == string(FilesWarehouse) && place != "":
		dir, err := filepath.Abs(place)
		if err != nil {
			r.complain(WarehouseTo, quote(value), "files: and an absolute directory")

			return w
		}
		w.Kind, w.Dir = FilesWarehouse, dir
	case kind == string(BigQuery) && dataset.MatchString(place):
		names := dataset.FindStringSubmatch(place)
		w.Kind, w.Project, w.Dataset = BigQuery, names[1], names[2]
	default:
		r.complain(WarehouseTo, quote(value), warehouseWant)
	}

	return w
}

// bucket reads s3://BUCKET/PREFIX?endpoint=URL&region=NAME. Credentials have no
// place there: the client finds them by itself.
func (r *reader) bucket(value, place string) *url.URL {
	const want = "files:s3://BUCKET/PREFIX, perhaps with ?endpoint=https://HOST or ?region=NAME, and no credentials"

	if strings.Contains(place, "@") {
		r.complain(WarehouseTo, "a user (not shown)", want)

		return nil
	}
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Fragment != "" {
		r.complain(WarehouseTo, quote(value), want)

		return nil
	}
	for name, values := range u.Query() {
		if name != "endpoint" && name != "region" || len(values) != 1 {
			r.complain(WarehouseTo, quote(name), want)

			return nil
		}
	}
	if e := u.Query().Get("endpoint"); e != "" {
		at, err := url.Parse(e)
		if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || strings.Trim(at.Path, "/") != "" {
			r.complain(WarehouseTo, "another endpoint", want)

			return nil
		}
	}

	return u
}

func (r *reader) warehouseEvery() time.Duration {
	value := cmp.Or(r.text(WarehouseEvery), defaultWarehouseEvery)
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Second || d > mostWarehouseWait {
		r.complain(WarehouseEvery, quote(value), "a duration from 1s to 1h, such as 1m")

		return 0
	}

	return d
}

func (r *reader) warehouseEndpoint() string {
	if r.text(WarehouseEndpoint) == "" {
		return ""
	}

	return r.url(WarehouseEndpoint, "")
}
