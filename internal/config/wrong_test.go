package config

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// enough is an environment with nothing wrong in it.
func enough() map[string]string {
	return map[string]string{
		"HOME":        "/home/u",
		DatabaseURL:   "postgres://u:swordfish@db/trivia",
		WebhookSecret: "swordfish",
	}
}

const (
	wantHostPort = "expected host:port with a port from 0 to 65535, such as 127.0.0.1:8080, [::1]:8080 or :8080"
	wantURL      = "expected http:// or https:// with a host, and no user, query or fragment"
	wantSize     = "expected a size from 1 to 64MiB, such as 1MiB, 512KiB or 1048576"
	wantDuration = "expected a duration of at least 1s, such as 90s or 5m, or 0 for any"
	wantKeys     = "found an empty key (values not shown), expected keys with one comma between two"
	wantPostgres = "found a value (not shown) that is no Postgres URL, expected postgres://user@host/database"
	wantKept     = "expected 8d or more, such as 90d or 2160h, or 0 for ever"
	wantWord     = "expected one word of at most 32 letters, such as production"
	wantAdmin    = "expected another address than TRIVIA_LISTEN, which is public"
)

func TestWrongSettingsAreNamedWithWhatWasExpected(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		env   map[string]string // on top of enough
		embed bool
		want  []string
	}{
		{name: "nothing is wrong"},
		{
			name: "nothing is set",
			env:  map[string]string{DatabaseURL: "", WebhookSecret: "", "HOME": ""},
			want: []string{
				"DATABASE_URL: found nothing, expected postgres://… (or start with --embedded, which needs none)",
				"CUSTOMERIO_WEBHOOK_SECRET: found nothing, expected the signing key of the reporting webhook; without one nothing can be verified",
			},
		},
		{
			name: "space is nothing", env: map[string]string{WebhookSecret: " \n"},
			want: []string{"CUSTOMERIO_WEBHOOK_SECRET: found nothing, expected the signing key of the reporting webhook; without one nothing can be verified"},
		},
		{
			name: "the action key alone", env: map[string]string{WebhookSecret: "", ActionSecret: "swordfish"},
			want: []string{"CUSTOMERIO_WEBHOOK_SECRET: found nothing, expected the signing key of the reporting webhook; without one nothing can be verified"},
		},
		{
			name: "two databases", embed: true,
			want: []string{"DATABASE_URL: found a value (not shown) beside --embedded, expected one of the two: --embedded runs a private Postgres of its own"},
		},
		{
			name: "nowhere to put a private Postgres", env: map[string]string{DatabaseURL: "", "HOME": ""}, embed: true,
			want: []string{"TRIVIA_DATA_DIR: found nothing, and no home directory to put it in, expected a directory for the private Postgres"},
		},
		{name: "another database", env: map[string]string{DatabaseURL: "mysql://u:swordfish@db/trivia"}, want: []string{"DATABASE_URL: " + wantPostgres}},
		{name: "no database", env: map[string]string{DatabaseURL: "swordfish"}, want: []string{"DATABASE_URL: " + wantPostgres}},
		{name: "half a database", env: map[string]string{DatabaseURL: "postgres://"}, want: []string{"DATABASE_URL: " + wantPostgres}},

		{name: "no port", env: map[string]string{Listen: "127.0.0.1"}, want: []string{`TRIVIA_LISTEN: found "127.0.0.1", ` + wantHostPort}},
		{name: "an empty port", env: map[string]string{Listen: "127.0.0.1:"}, want: []string{`TRIVIA_LISTEN: found "127.0.0.1:", ` + wantHostPort}},
		{name: "a port alone", env: map[string]string{Listen: "8080"}, want: []string{`TRIVIA_LISTEN: found "8080", ` + wantHostPort}},
		{name: "a port too high", env: map[string]string{Listen: ":65536"}, want: []string{`TRIVIA_LISTEN: found ":65536", ` + wantHostPort}},
		{name: "a port below zero", env: map[string]string{Listen: ":-1"}, want: []string{`TRIVIA_LISTEN: found ":-1", ` + wantHostPort}},
		{name: "a named port", env: map[string]string{Listen: ":http"}, want: []string{`TRIVIA_LISTEN: found ":http", ` + wantHostPort}},
		{name: "a bare IPv6 address", env: map[string]string{Listen: "::1:8080"}, want: []string{`TRIVIA_LISTEN: found "::1:8080", ` + wantHostPort}},
		{name: "no IPv6 address", env: map[string]string{Listen: "[::g]:8080"}, want: []string{`TRIVIA_LISTEN: found "[::g]:8080", ` + wantHostPort}},
		{name: "a URL to listen on", env: map[string]string{Listen: "http://localhost:8080"}, want: []string{`TRIVIA_LISTEN: found "http://localhost:8080", ` + wantHostPort}},
		{name: "no host", env: map[string]string{AdminListen: "my host:8081"}, want: []string{`TRIVIA_ADMIN_LISTEN: found "my host:8081", ` + wantHostPort}},

		{name: "one address twice", env: map[string]string{Listen: "127.0.0.1:9090"}, want: []string{`TRIVIA_ADMIN_LISTEN: found "127.0.0.1:9090", ` + wantAdmin}},
		{name: "one address by two names", env: map[string]string{Listen: "localhost:9090"}, want: []string{`TRIVIA_ADMIN_LISTEN: found "127.0.0.1:9090", ` + wantAdmin}},
		{name: "one name twice", env: map[string]string{Listen: "hook:80", AdminListen: "HOOK:080"}, want: []string{`TRIVIA_ADMIN_LISTEN: found "HOOK:080", ` + wantAdmin}},
		{name: "everywhere and here", env: map[string]string{Listen: ":9090"}, want: []string{`TRIVIA_ADMIN_LISTEN: found "127.0.0.1:9090", ` + wantAdmin}},
		{name: "here and everywhere", env: map[string]string{AdminListen: "[::]:8080"}, want: []string{`TRIVIA_ADMIN_LISTEN: found "[::]:8080", ` + wantAdmin}},

		{name: "an empty key", env: map[string]string{WebhookSecret: "swordfish,,b"}, want: []string{"CUSTOMERIO_WEBHOOK_SECRET: " + wantKeys}},
		{name: "a comma too many", env: map[string]string{ActionSecret: "swordfish, "}, want: []string{"CUSTOMERIO_ACTION_SECRET: " + wantKeys}},
		{name: "nothing but a comma", env: map[string]string{WebhookSecret: ","}, want: []string{"CUSTOMERIO_WEBHOOK_SECRET: " + wantKeys}},
		{
			name: "a site without its key", env: map[string]string{SiteID: "site"},
			want: []string{"CUSTOMERIO_TRACK_API_KEY: found nothing, expected the key that goes with CUSTOMERIO_SITE_ID"},
		},
		{
			name: "a key without its site", env: map[string]string{TrackAPIKey: "swordfish"},
			want: []string{"CUSTOMERIO_SITE_ID: found nothing, expected the site ID that goes with CUSTOMERIO_TRACK_API_KEY"},
		},

		{name: "another region", env: map[string]string{Region: "EU"}, want: []string{`CUSTOMERIO_REGION: found "EU", expected us or eu`}},
		{name: "no scheme", env: map[string]string{TrackURL: "track.customer.io"}, want: []string{`CUSTOMERIO_TRACK_URL: found "track.customer.io", ` + wantURL}},
		{name: "another scheme", env: map[string]string{AppURL: "ftp://api.customer.io"}, want: []string{`CUSTOMERIO_APP_URL: found "ftp://api.customer.io", ` + wantURL}},
		{name: "no host in a URL", env: map[string]string{TrackURL: "https:///api"}, want: []string{`CUSTOMERIO_TRACK_URL: found "https:///api", ` + wantURL}},
		{name: "a port but no host", env: map[string]string{TrackURL: "https://:80"}, want: []string{`CUSTOMERIO_TRACK_URL: found "https://:80", ` + wantURL}},
		{name: "no URL", env: map[string]string{TrackURL: "http://[::1"}, want: []string{`CUSTOMERIO_TRACK_URL: found "http://[::1", ` + wantURL}},
		{name: "a fragment", env: map[string]string{TrackURL: "https://a/#"}, want: []string{`CUSTOMERIO_TRACK_URL: found "https://a/#", ` + wantURL}},
		{name: "a password in a URL", env: map[string]string{TrackURL: "https://u:swordfish@a"}, want: []string{"CUSTOMERIO_TRACK_URL: found a user or a query (not shown), " + wantURL}},
		{name: "a token in a URL", env: map[string]string{AppURL: "https://a/?token=swordfish"}, want: []string{"CUSTOMERIO_APP_URL: found a user or a query (not shown), " + wantURL}},

		{name: "no such treatment", env: map[string]string{OnBounce: "delete"}, want: []string{`TRIVIA_ON_BOUNCE: found "delete", expected suppress or unsubscribe or attributes or nothing`}},
		{name: "a win suppresses nobody", env: map[string]string{OnWin: "suppress"}, want: []string{`TRIVIA_ON_WIN: found "suppress", expected attributes or nothing`}},
		{name: "no calls at all", env: map[string]string{PushRate: "0"}, want: []string{`TRIVIA_PUSH_RATE: found "0", expected a whole number from 1 to 10000`}},
		{name: "an empty source", env: map[string]string{Sources: "loopback,"}, want: []string{`TRIVIA_SOURCES: found an empty part in "loopback,", expected words with one comma between two`}},
		{name: "an empty proxy", env: map[string]string{TrustedProxies: ",10.0.0.0/8"}, want: []string{`TRIVIA_TRUSTED_PROXIES: found an empty part in ",10.0.0.0/8", expected words with one comma between two`}},
		{name: "another mode", env: map[string]string{SourceMode: "off"}, want: []string{`TRIVIA_SOURCE_MODE: found "off", expected enforce or observe`}},
		{name: "another way with users", env: map[string]string{UnknownUsers: "drop"}, want: []string{`TRIVIA_UNKNOWN_USERS: found "drop", expected park or create`}},

		{name: "no unit of time", env: map[string]string{SignatureTolerance: "300"}, want: []string{`TRIVIA_SIGNATURE_TOLERANCE: found "300", ` + wantDuration}},
		{name: "a time below zero", env: map[string]string{SignatureTolerance: "-5m"}, want: []string{`TRIVIA_SIGNATURE_TOLERANCE: found "-5m", ` + wantDuration}},
		{name: "a time too short", env: map[string]string{SignatureTolerance: "999ms"}, want: []string{`TRIVIA_SIGNATURE_TOLERANCE: found "999ms", ` + wantDuration}},
		{name: "no time", env: map[string]string{SignatureTolerance: "never"}, want: []string{`TRIVIA_SIGNATURE_TOLERANCE: found "never", ` + wantDuration}},

		{name: "no size", env: map[string]string{MaxBody: "big"}, want: []string{`TRIVIA_MAX_BODY: found "big", ` + wantSize}},
		{name: "another unit", env: map[string]string{MaxBody: "1MB"}, want: []string{`TRIVIA_MAX_BODY: found "1MB", ` + wantSize}},
		{name: "a unit alone", env: map[string]string{MaxBody: "MiB"}, want: []string{`TRIVIA_MAX_BODY: found "MiB", ` + wantSize}},
		{name: "size zero", env: map[string]string{MaxBody: "0"}, want: []string{`TRIVIA_MAX_BODY: found "0", ` + wantSize}},
		{name: "a size below zero", env: map[string]string{MaxBody: "-1KiB"}, want: []string{`TRIVIA_MAX_BODY: found "-1KiB", ` + wantSize}},
		{
			name: "a certificate without its key", env: map[string]string{TLSCert: "cert.pem"},
			want: []string{"TRIVIA_TLS_KEY: found nothing, expected the file with the key that goes with TRIVIA_TLS_CERT"},
		},
		{
			name: "a key without its certificate", env: map[string]string{TLSKey: "key.pem"},
			want: []string{"TRIVIA_TLS_CERT: found nothing, expected the file with the certificate that goes with TRIVIA_TLS_KEY"},
		},
		{
			name: "connections and time-outs", env: map[string]string{MaxConnections: "15", IdleTimeout: "500ms"},
			want: []string{
				`TRIVIA_MAX_CONNECTIONS: found "15", expected a whole number from 16 to 1048576`,
				`TRIVIA_IDLE_TIMEOUT: found "500ms", expected a duration of at least 1s, such as 650s or 15m`,
			},
		},
		{name: "half a size", env: map[string]string{MaxBody: "0.5MiB"}, want: []string{`TRIVIA_MAX_BODY: found "0.5MiB", ` + wantSize}},
		{name: "a size too large", env: map[string]string{MaxBody: "65MiB"}, want: []string{`TRIVIA_MAX_BODY: found "65MiB", ` + wantSize}},
		{name: "a size beyond all numbers", env: map[string]string{MaxBody: "18446744073709551617"}, want: []string{`TRIVIA_MAX_BODY: found "18446744073709551617", ` + wantSize}},

		{name: "kept for too short", env: map[string]string{KeepEvents: "7d"}, want: []string{`TRIVIA_KEEP_EVENTS: found "7d", ` + wantKept}},
		{name: "kept for less than nothing", env: map[string]string{KeepDeliveries: "-90d"}, want: []string{`TRIVIA_KEEP_DELIVERIES: found "-90d", ` + wantKept}},
		{name: "kept for a number", env: map[string]string{KeepPushes: "90"}, want: []string{`TRIVIA_KEEP_PUSHES: found "90", ` + wantKept}},
		{name: "kept for ages", env: map[string]string{KeepPushes: "65535d"}, want: []string{`TRIVIA_KEEP_PUSHES: found "65535d", ` + wantKept}},
		{name: "bodies for an hour", env: map[string]string{KeepBodies: "1h"}, want: []string{`TRIVIA_KEEP_BODIES: found "1h", expected 1d or more, such as 90d or 2160h, or 0 for ever`}},
		{name: "two words", env: map[string]string{Environment: "my laptop"}, want: []string{`TRIVIA_ENV: found "my laptop", ` + wantWord}},
		{name: "control bytes", env: map[string]string{Environment: "\x1b[31mred"}, want: []string{`TRIVIA_ENV: found "\x1b[31mred", ` + wantWord}},
		{
			name: "a long word", env: map[string]string{Environment: strings.Repeat("é", 99)},
			want: []string{`TRIVIA_ENV: found "` + strings.Repeat("é", 60) + `…", ` + wantWord},
		},
		{
			name: "everything at once, in the order of the table",
			env: map[string]string{
				MaxBody: "x", Region: "x", DatabaseURL: "x", Listen: "x", AdminListen: "x", WebhookSecret: "x,", SiteID: "x",
			},
			want: []string{
				"DATABASE_URL: " + wantPostgres,
				`TRIVIA_LISTEN: found "x", ` + wantHostPort,
				`TRIVIA_ADMIN_LISTEN: found "x", ` + wantHostPort,
				"CUSTOMERIO_WEBHOOK_SECRET: " + wantKeys,
				"CUSTOMERIO_TRACK_API_KEY: found nothing, expected the key that goes with CUSTOMERIO_SITE_ID",
				`CUSTOMERIO_REGION: found "x", expected us or eu`,
				`TRIVIA_MAX_BODY: found "x", ` + wantSize,
			},
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			env := enough()
			maps.Copy(env, tt.env)
			_, complaints := hookFrom(from(env), tt.embed, somebody)

			var got []string
			for _, c := range complaints {
				got = append(got, c.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
			if strings.Contains(complaints.Error(), "swordfish") {
				t.Errorf("a secret can be read in:\n%v", complaints)
			}
		})
	}
}

func TestComplaintsAreAnErrorOnlyIfThereAreAny(t *testing.T) {
	t.Parallel()

	var complaints Complaints
	if err := complaints.Err(); err != nil {
		t.Errorf("no complaints: Err() = %v, want nil", err)
	}

	complaints.Add(MaxBody, "b")
	complaints.Add("UNHEARD_OF", "d")
	complaints.Add(Sources, "a")
	complaints.Add(MaxBody, "c")

	err := complaints.Err()
	if _, ok := errors.AsType[Complaints](err); !ok {
		t.Errorf("Err() is a %T, want Complaints", err)
	}
	if got, want := err.Error(), "TRIVIA_SOURCES: a\nTRIVIA_MAX_BODY: b\nTRIVIA_MAX_BODY: c\nUNHEARD_OF: d"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}
