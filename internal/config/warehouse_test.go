package config

import (
	"maps"
	"strings"
	"testing"
)

func TestWarehousesAreCalledByTheirPlace(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, value string
		embedded    bool
		want        string
	}{
		{"nothing is said", "", false, ""},
		{"nothing is said beside a private Postgres", "", true, "files:/srv/trivia/warehouse"},
		{"nothing is wanted beside a private Postgres", "off", true, ""},
		{"off", "off", false, ""},
		{"a directory", "files:/data/", false, "files:/data"},
		{"a directory beside a private Postgres", "files:/data/x", true, "files:/data/x"},
		{"a bucket", "files:s3://acme/trivia/", false, "files:s3://acme/trivia"},
		{"a bucket elsewhere", "files:s3://acme?endpoint=http://127.0.0.1:9000&region=eu-west-1", false, "files:s3://acme"},
		{"BigQuery", "bigquery:acme-data.trivia", false, "bigquery:acme-data.trivia"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			env := enough()
			maps.Copy(env, map[string]string{WarehouseTo: tt.value, DataDir: "/srv/trivia"})
			if tt.embedded {
				delete(env, DatabaseURL)
			}
			hook, complaints := hookFrom(from(env), tt.embedded, somebody)
			if err := complaints.Err(); err != nil {
				t.Fatalf("hookFrom: %v", err)
			}
			ctl, err := ctlFrom(from(env), somebody)
			if err != nil {
				t.Fatalf("ctlFrom: %v", err)
			}
			if got := hook.Warehouse.Name(); got != tt.want {
				t.Errorf("trivia-hook's warehouse is %q, want %q", got, tt.want)
			}
			if got := ctl.Warehouse.Name(); got != tt.want {
				t.Errorf("triviactl's warehouse is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWrongWarehousesAreNamed(t *testing.T) {
	t.Parallel()

	const place = "expected files:DIR, files:s3://BUCKET/PREFIX, bigquery:PROJECT.DATASET or off"
	tests := []struct{ name, value, want string }{
		{WarehouseTo, "yes", `found "yes", ` + place},
		{WarehouseTo, "files", `found "files", ` + place},
		{WarehouseTo, "files:", `found "files:", ` + place},
		{WarehouseTo, "bigquery:acme", `found "bigquery:acme", ` + place},
		{WarehouseTo, "bigquery:acme-data.trivia-1", `found "bigquery:acme-data.trivia-1", ` + place},
		{WarehouseTo, "bigquery:Acme.trivia", `found "bigquery:Acme.trivia", ` + place},
		{WarehouseTo, "files:s3:bucket", `found "files:s3:bucket", expected files:s3://BUCKET/PREFIX, perhaps`},
		{WarehouseTo, "files:s3://ann:swordfish@bucket", `found a user (not shown), expected files:s3://BUCKET/PREFIX, perhaps`},
		{WarehouseTo, "files:s3://bucket?secret=x", `found "secret", expected files:s3://BUCKET/PREFIX, perhaps`},
		{WarehouseTo, "files:s3://bucket?endpoint=minio:9000", `found another endpoint, expected files:s3://BUCKET/PREFIX, perhaps`},
		{WarehouseFormat, "csv", `found "csv", expected parquet or ndjson`},
		{WarehouseEvery, "0", `found "0", expected a duration from 1s to 1h, such as 1m`},
		{WarehouseEvery, "2h", `found "2h", expected a duration from 1s to 1h, such as 1m`},
		{WarehouseEndpoint, "localhost:9050", `found "localhost:9050", expected http:// or https://`},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Parallel()

			env := enough()
			env[tt.name] = tt.value
			_, complaints := hookFrom(from(env), false, somebody)
			if len(complaints) != 1 || complaints[0].Name != tt.name || !strings.HasPrefix(complaints[0].Problem, tt.want) {
				t.Errorf("hookFrom complains %q, want of %s: %s", complaints, tt.name, tt.want)
			}
		})
	}
}
