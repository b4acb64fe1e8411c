package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// from returns a getenv of env.
func from(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

var somebody = place{goos: "linux", euid: 1000}

// reveal lets tests compare secrets by what they hide.
func reveal() cmp.Option { return cmp.Transformer("Reveal", Secret.Reveal) }

func TestWhatIsNotSetIsAsTheTableSays(t *testing.T) {
	t.Parallel()

	got, complaints := hookFrom(from(enough()), false, somebody)
	if err := complaints.Err(); err != nil {
		t.Fatalf("hookFrom: %v", err)
	}

	key := []Secret{NewSecret("swordfish")}
	want := Hook{
		DatabaseURL: NewSecret("postgres://u:swordfish@db/trivia"),
		DataDir:     "/home/u/.local/share/trivia",
		Listen:      "127.0.0.1:8080", AdminListen: "127.0.0.1:9090",
		EventKeys: key, ActionKeys: key,
		Region: "us", TrackURL: "https://track.customer.io", AppURL: "https://api.customer.io",
		Sources: []string{"customerio"}, Pushes: defaultPushes(), MaxBody: 1 << 20,
		IdleTimeout: 650 * time.Second, AuditEvery: time.Hour, Environment: "development",
		Warehouse: Warehouse{Format: "parquet", Every: time.Minute},
	}
	if diff := cmp.Diff(want, got, reveal()); diff != "" {
		t.Errorf("hookFrom (-want +got):\n%s", diff)
	}
}

// full is an environment that says everything.
func full() map[string]string {
	return map[string]string{
		DatabaseURL:     "host=a,b dbname=trivia",
		DataDir:         "/srv/trivia/",
		PasswordCommand: " print-token \n",
		Listen:          "[::]:80",
		AdminListen:     " localhost:0 ",
		WebhookSecret:   "new, old",
		ActionSecret:    "action\n",
		SiteID:          "site",
		TrackAPIKey:     "track",
		Region:          "eu",
		TrackURL:        "http://127.0.0.1:9999/",
		AppURL:          "https://proxy/customerio",
		Sources:         "customerio, 10.0.0.0/8 ,loopback",
		OnBounce:        "unsubscribe", OnSpam: "attributes", OnUnsubscribe: "suppress", OnEngagement: "nothing", OnWin: " nothing ",
		PushRate:           "1000",
		KeepBodies:         "24h",
		KeepDeliveries:     "400d",
		KeepEvents:         "8d",
		KeepPushes:         "2160h",
		SourceMode:         "observe",
		TrustedProxies:     "10.0.0.0/8,::1",
		UnknownUsers:       "create",
		SignatureTolerance: "0",
		MaxBody:            "512KiB",
		MaxConnections:     "500",
		TLSCert:            "/etc/trivia/cert.pem",
		TLSKey:             "/etc/trivia/key.pem",
		IdleTimeout:        "15m",
		AuditEvery:         "15m",
		WarehouseTo:        "bigquery:example.com:acme-data.trivia_1",
		WarehouseFormat:    "ndjson",
		WarehouseEvery:     "10s",
		WarehouseEndpoint:  "http://127.0.0.1:9050/",
		Environment:        "staging-eu.2",
		"NO_COLOR":         "1",
	}
}

func TestWhatIsSetIsRead(t *testing.T) {
	t.Parallel()

	got, complaints := hookFrom(from(full()), false, somebody)
	if err := complaints.Err(); err != nil {
		t.Fatalf("hookFrom: %v", err)
	}

	want := Hook{
		DatabaseURL:     NewSecret("host=a,b dbname=trivia"),
		DataDir:         "/srv/trivia",
		PasswordCommand: NewSecret("print-token"),
		Listen:          "[::]:80", AdminListen: "localhost:0",
		EventKeys:  []Secret{NewSecret("new"), NewSecret("old")},
		ActionKeys: []Secret{NewSecret("action")},
		SiteID:     "site", TrackAPIKey: NewSecret("track"),
		Region: "eu", TrackURL: "http://127.0.0.1:9999", AppURL: "https://proxy/customerio",
		Sources:        []string{"customerio", "10.0.0.0/8", "loopback"},
		TrustedProxies: []string{"10.0.0.0/8", "::1"},
		Observe:        true, CreateUsers: true,
		Pushes: Pushes{
			OnBounce: "unsubscribe", OnSpam: "attributes", OnUnsubscribe: "suppress", OnEngagement: "nothing", OnWin: "nothing",
			Rate: 1000,
		},
		AuditEvery: 15 * time.Minute,
		Keep:       Keep{Bodies: day, Deliveries: 400 * day, Events: 8 * day, Pushes: 90 * day},
		MaxBody:    512 << 10, MaxConns: 500, TLSCert: "/etc/trivia/cert.pem", TLSKey: "/etc/trivia/key.pem", IdleTimeout: 15 * time.Minute, Environment: "staging-eu.2",
		Warehouse: Warehouse{
			Kind: BigQuery, Project: "example.com:acme-data", Dataset: "trivia_1", Endpoint: "http://127.0.0.1:9050",
			Format: "ndjson", Every: 10 * time.Second,
		},
	}
	if diff := cmp.Diff(want, got, reveal()); diff != "" {
		t.Errorf("hookFrom (-want +got):\n%s", diff)
	}
}

func TestValuesThatLookOddAndAreFine(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, value string }{
		{DatabaseURL, "postgresql:///trivia?host=/run/trivia"},
		{DatabaseURL, "postgres://u:p%40@a:5432,b:5433/trivia?target_session_attrs=read-write"},
		{DatabaseURL, "user=u password='a://b c' host=/run"},
		{Listen, ":0"},
		{Listen, ":8080"},
		{Listen, "0.0.0.0:65535"},
		{Listen, "[fe80::1%eth0]:8080"},
		{Listen, "hook.internal_net-1:8080"},
		{Listen, "127.0.0.2:9090"}, // beside 127.0.0.1:9090
		{AdminListen, "0.0.0.0:9090"},
		{AdminListen, "127.0.0.1:0"},
		{WebhookSecret, "clé secrète"},
		{SignatureTolerance, "1s"},
		{SignatureTolerance, "1h30m"},
		{SignatureTolerance, "0s"},
		{AuditEvery, "0"},
		{AuditEvery, "1m"},
		{KeepBodies, "1d"},
		{KeepEvents, "0d"},
		{KeepPushes, "36500d"},
		{MaxBody, "1"},
		{MaxBody, "1048576"},
		{MaxBody, "64MiB"},
		{TrackURL, "https://[::1]:8443"},
		{Environment, "producción"},
	}

	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Parallel()

			env := enough()
			env[tt.name] = tt.value
			if _, complaints := hookFrom(from(env), false, somebody); complaints != nil {
				t.Errorf("complaints: %v, want none", complaints)
			}
		})
	}
}

func TestPortZeroNeverCollides(t *testing.T) {
	t.Parallel()

	env := enough()
	maps.Copy(env, map[string]string{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"})
	if _, complaints := hookFrom(from(env), false, somebody); complaints != nil {
		t.Errorf("complaints: %v, want none", complaints)
	}
}

func TestEmbeddedNeedsNoDatabase(t *testing.T) {
	t.Parallel()

	env := enough()
	delete(env, DatabaseURL)
	h, complaints := hookFrom(from(env), true, somebody)
	if complaints != nil || !h.Embedded || !h.DatabaseURL.IsZero() {
		t.Errorf("hookFrom = %+v, %v; want it embedded, without a database", h, complaints)
	}
}

func TestTriviactlRequiresNothing(t *testing.T) {
	t.Parallel()

	got, err := ctlFrom(from(nil), somebody)
	if err != nil {
		t.Fatalf("ctlFrom: %v", err)
	}

	want := Ctl{
		Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", Region: "us", TrackURL: "https://track.customer.io", AppURL: "https://api.customer.io",
		Sources: []string{"customerio"}, MaxBody: 1 << 20, Environment: "development",
		Pushes: Pushes{
			OnBounce: "suppress", OnSpam: "suppress", OnUnsubscribe: "unsubscribe", OnEngagement: "attributes", OnWin: "attributes",
			Rate: 100,
		},
		Warehouse: Warehouse{Format: "parquet", Every: time.Minute},
	}
	if diff := cmp.Diff(want, got, reveal()); diff != "" {
		t.Errorf("ctlFrom (-want +got):\n%s", diff)
	}
}

func TestTriviactlReadsTheSameNames(t *testing.T) {
	t.Parallel()

	got, err := ctlFrom(from(full()), somebody)
	if err != nil {
		t.Fatalf("ctlFrom: %v", err)
	}

	want := Ctl{
		DatabaseURL: NewSecret("host=a,b dbname=trivia"), DataDir: "/srv/trivia", PasswordCommand: NewSecret("print-token"), Listen: "[::]:80", AdminListen: "localhost:0",
		EventKeys: []Secret{NewSecret("new"), NewSecret("old")}, ActionKeys: []Secret{NewSecret("action")},
		SiteID: "site", TrackAPIKey: NewSecret("track"), Region: "eu",
		TrackURL: "http://127.0.0.1:9999", AppURL: "https://proxy/customerio",
		Sources: []string{"customerio", "10.0.0.0/8", "loopback"}, TrustedProxies: []string{"10.0.0.0/8", "::1"},
		CreateUsers: true, MaxBody: 512 << 10, Environment: "staging-eu.2", NoColor: true,
		Pushes: Pushes{
			OnBounce: "unsubscribe", OnSpam: "attributes", OnUnsubscribe: "suppress", OnEngagement: "nothing", OnWin: "nothing",
			Rate: 1000,
		},
		Warehouse: Warehouse{
			Kind: BigQuery, Project: "example.com:acme-data", Dataset: "trivia_1", Endpoint: "http://127.0.0.1:9050",
			Format: "ndjson", Every: 10 * time.Second,
		},
	}
	if diff := cmp.Diff(want, got, reveal()); diff != "" {
		t.Errorf("ctlFrom (-want +got):\n%s", diff)
	}
}

func TestTriviactlComplainsAsWell(t *testing.T) {
	t.Parallel()

	_, err := ctlFrom(from(map[string]string{MaxBody: "big", Listen: "8080", DatabaseURL: "swordfish"}), somebody)
	want := strings.Join([]string{
		"DATABASE_URL: " + wantPostgres,
		`TRIVIA_LISTEN: found "8080", ` + wantHostPort,
		`TRIVIA_MAX_BODY: found "big", ` + wantSize,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("ctlFrom: %v, want\n%s", err, want)
	}
}

func TestTheDataDirectoryIsTheUsers(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		env  map[string]string
		p    place
		want string
	}{
		{"a user", map[string]string{"HOME": "/home/u"}, somebody, "/home/u/.local/share/trivia"},
		{"another data home", map[string]string{"HOME": "/home/u", "XDG_DATA_HOME": "/data"}, somebody, "/data/trivia"},
		{"a data home that is not absolute", map[string]string{"HOME": "/home/u", "XDG_DATA_HOME": "data"}, somebody, "/home/u/.local/share/trivia"},
		{"no home", nil, somebody, ""},
		{"a home that is not absolute", map[string]string{"HOME": "u"}, somebody, ""},
		{"on a Mac", map[string]string{"HOME": "/Users/u"}, place{"darwin", 501}, "/Users/u/Library/Application Support/trivia"},
		{"root", map[string]string{"HOME": "/root", "XDG_DATA_HOME": "/root/data"}, place{"linux", 0}, "/var/lib/trivia"},
		{"root without a home", nil, place{"linux", 0}, "/var/lib/trivia"},
		{"as told", map[string]string{"HOME": "/home/u", DataDir: "/srv/t"}, somebody, "/srv/t"},
		{"root, as told", map[string]string{DataDir: "/srv/t"}, place{"linux", 0}, "/srv/t"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			c, err := ctlFrom(from(tt.env), tt.p)
			if err != nil || c.DataDir != tt.want {
				t.Errorf("data directory = %q, %v; want %q", c.DataDir, err, tt.want)
			}
		})
	}
}

func TestARelativeDataDirectoryIsBelowTheWorkingDirectory(t *testing.T) {
	t.Parallel()

	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}

	c, err := CtlFrom(from(map[string]string{DataDir: "data/../data"}))
	if want := filepath.Join(dir, "data"); err != nil || c.DataDir != want {
		t.Errorf("data directory = %q, %v; want %q", c.DataDir, err, want)
	}
}

func TestTheTableListsEverySettingOnce(t *testing.T) {
	t.Parallel()

	rows := map[string]Setting{}
	for _, s := range Table() {
		if s.Name == "" || s.Default == "" || s.Meaning == "" || rows[s.Name].Name != "" {
			t.Errorf("row %+v is incomplete, or there twice", s)
		}
		rows[s.Name] = s
	}

	// What is read must be listed, and the other way round. These belong to the
	// system.
	ours := func(name string) bool { return name != "HOME" && name != "XDG_DATA_HOME" && name != "NO_COLOR" }

	read := map[string]bool{}
	_, _ = HookFrom(func(name string) string {
		if ours(name) {
			read[name] = true
		}

		return ""
	}, false)
	for name := range read {
		if _, ok := rows[name]; !ok {
			t.Errorf("%s is read and not in the table", name)
		}
	}
	for name := range rows {
		if !read[name] {
			t.Errorf("%s is in the table and not read", name)
		}
	}
}

func TestASecretCannotBePrinted(t *testing.T) {
	t.Parallel()

	const text = "swordfish"
	secret := NewSecret(text)
	if secret.Reveal() != text || secret.IsZero() || !(Secret{}).IsZero() || !NewSecret("").IsZero() {
		t.Error("a secret does not keep what it is given")
	}
	for _, got := range []string{secret.String(), fmt.Sprint(secret), fmt.Sprintf("%#v", secret), Secret{}.String()} {
		if got != "[secret]" {
			t.Errorf("printed as %q, want [secret]", got)
		}
	}

	var out bytes.Buffer
	hidden := struct{ secrets []Secret }{[]Secret{secret}}
	hook, _ := hookFrom(from(enough()), false, somebody)
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("a line", slog.Any("secret", secret), slog.Any("hidden", hidden), slog.Any("hook", hook))
	slog.New(slog.NewTextHandler(&out, nil)).Info("a line", slog.Any("secret", secret), slog.Any("hidden", hidden))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%p"} {
		_, _ = fmt.Fprintf(&out, strings.Repeat(verb, 5)+"\n", secret, &secret, hidden, hidden.secrets, hook)
	}
	if err := json.NewEncoder(&out).Encode(map[string]any{"secret": secret, "hook": hook}); err != nil {
		t.Fatalf("encode: %v", err)
	}

	for _, leak := range []string{text, "73776f7264", "115 119 111", "c3dvcmRmaXNo"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q can be read in:\n%s", leak, &out)
		}
	}
}

func defaultPushes() Pushes {
	return Pushes{
		OnBounce: "suppress", OnSpam: "suppress", OnUnsubscribe: "unsubscribe", OnEngagement: "attributes", OnWin: "attributes",
		Rate: 100,
	}
}
