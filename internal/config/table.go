package config

import "slices"

// The names of the settings.
const (
	DatabaseURL        = "DATABASE_URL"
	PasswordCommand    = "TRIVIA_DATABASE_PASSWORD_COMMAND"
	DataDir            = "TRIVIA_DATA_DIR"
	Listen             = "TRIVIA_LISTEN"
	AdminListen        = "TRIVIA_ADMIN_LISTEN"
	StopDelay          = "TRIVIA_STOP_DELAY"
	WebhookSecret      = "CUSTOMERIO_WEBHOOK_SECRET" //nolint:gosec // a name, no secret
	ActionSecret       = "CUSTOMERIO_ACTION_SECRET"  //nolint:gosec // a name, no secret
	SiteID             = "CUSTOMERIO_SITE_ID"
	TrackAPIKey        = "CUSTOMERIO_TRACK_API_KEY"
	Region             = "CUSTOMERIO_REGION"
	TrackURL           = "CUSTOMERIO_TRACK_URL"
	AppURL             = "CUSTOMERIO_APP_URL"
	Sources            = "TRIVIA_SOURCES"
	SourceMode         = "TRIVIA_SOURCE_MODE"
	TrustedProxies     = "TRIVIA_TRUSTED_PROXIES"
	UnknownUsers       = "TRIVIA_UNKNOWN_USERS"
	SignatureTolerance = "TRIVIA_SIGNATURE_TOLERANCE"
	MaxBody            = "TRIVIA_MAX_BODY"
	MaxConnections     = "TRIVIA_MAX_CONNECTIONS"
	TLSCert            = "TRIVIA_TLS_CERT"
	TLSKey             = "TRIVIA_TLS_KEY"
	IdleTimeout        = "TRIVIA_IDLE_TIMEOUT"
	OnBounce           = "TRIVIA_ON_BOUNCE"
	OnSpam             = "TRIVIA_ON_SPAM"
	OnUnsubscribe      = "TRIVIA_ON_UNSUBSCRIBE"
	OnEngagement       = "TRIVIA_ON_ENGAGEMENT"
	OnWin              = "TRIVIA_ON_WIN"
	PushRate           = "TRIVIA_PUSH_RATE"
	AuditEvery         = "TRIVIA_AUDIT_EVERY"
	QuietAfter         = "TRIVIA_QUIET_AFTER"
	KeepBodies         = "TRIVIA_KEEP_BODIES"
	KeepDeliveries     = "TRIVIA_KEEP_DELIVERIES"
	KeepEvents         = "TRIVIA_KEEP_EVENTS"
	KeepPushes         = "TRIVIA_KEEP_PUSHES"
	WarehouseTo        = "TRIVIA_WAREHOUSE"
	WarehouseFormat    = "TRIVIA_WAREHOUSE_FORMAT"
	WarehouseEvery     = "TRIVIA_WAREHOUSE_EVERY"
	WarehouseEndpoint  = "TRIVIA_WAREHOUSE_ENDPOINT"
	Environment        = "TRIVIA_ENV"
	EnvFile            = "TRIVIA_ENV_FILE"
)

// What a setting is when the environment does not say.
const (
	defaultListen        = "127.0.0.1:8080"
	defaultAdminListen   = "127.0.0.1:9090"
	defaultStopDelay     = "0"
	defaultRegion        = "us"
	defaultSources       = "customerio"
	defaultSourceMode    = "enforce"
	defaultUnknownUsers  = "park"
	defaultTolerance     = "0"
	defaultMaxBody       = "1MiB"
	defaultIdleTimeout   = "650s"
	defaultOnBounce      = "suppress"
	defaultOnSpam        = "suppress"
	defaultOnUnsubscribe = "unsubscribe"
	defaultOnEngagement  = "attributes"
	defaultOnWin         = "attributes"
	defaultPushRate      = "100"
	defaultAuditEvery    = "1h"
	defaultQuietAfter    = "0"
	defaultKeep          = "0"
	defaultEnvironment   = "development"

	defaultWarehouseFormat = "parquet"
	defaultWarehouseEvery  = "1m"
)

// A Setting is one row of the settings table, as the README and --help show
// it. Default is either the very text that is read when the environment says
// nothing, or, if that depends, a few words about it.
type Setting struct {
	Name, Default, Meaning string
}

// Table returns every setting, in the order in which people are told of them.
func Table() []Setting {
	return []Setting{
		{DatabaseURL, "none", "Postgres. trivia-hook --embedded needs none: it runs a private Postgres of its own"},
		{
			PasswordCommand, "none",
			"a shell command whose first line of output is the database's password, for tokens that do not last; asked again after a minute, or when it is refused",
		},
		{DataDir, "the user's data directory + /trivia", "where the private Postgres keeps its data"},
		{Listen, defaultListen, "public listener: the two routes, /healthz, /readyz and nothing else"},
		{AdminListen, defaultAdminListen, "private listener: /metrics, /debug/pprof/, refused requests"},
		{
			StopDelay, defaultStopDelay,
			"how long requests are still let in after a signal to stop, while /readyz says 503: until whoever sends them here has noticed",
		},
		{WebhookSecret, "required", "signing keys, comma separated: any one may match (rotation)"},
		{ActionSecret, "the above", "signing keys of the action route, which Customer.io signs with another key"},
		{SiteID, "none", "without it and the next, pushes are kept and not sent"},
		{TrackAPIKey, "none", "the key that goes with the site ID"},
		{Region, defaultRegion, "us or eu"},
		{TrackURL, "by region", "another host for the Track API, for tests and proxies"},
		{AppURL, "by region", "another host for the App API, for tests and proxies"},
		{Sources, defaultSources, "who may call: addresses, CIDRs, and the words customerio, loopback, any"},
		{SourceMode, defaultSourceMode, "observe only logs and counts"},
		{TrustedProxies, "none", "CIDRs whose X-Forwarded-For is believed, read from the right"},
		{
			UnknownUsers, defaultUnknownUsers,
			"create inserts a missing user with the win, for databases that do not hold the product's users",
		},
		{SignatureTolerance, defaultTolerance, "0 = any age, marked `late` when far from our clock; else how far a timestamp may be, beyond it 401"},
		{MaxBody, defaultMaxBody, "the longest body that is read; a longer one is answered 413"},
		{
			MaxConnections, "4096, or less where few files may be open",
			"connections of the public listener at once; beyond it the oldest idle one is closed",
		},
		{IdleTimeout, defaultIdleTimeout, "how long a connection is kept on which nothing comes; longer than whoever sends keeps it"},
		{TLSCert, "none", "a file with the certificate of the public listener and those between it and its root, in PEM: with it, the listener speaks HTTPS"},
		{TLSKey, "none", "the file with the key that goes with it"},
		{OnBounce, defaultOnBounce, "what a bounced email does to its person: suppress, unsubscribe, attributes, nothing. suppress deletes the profile for good"},
		{OnSpam, defaultOnSpam, "likewise, an email that was reported as spam"},
		{OnUnsubscribe, defaultOnUnsubscribe, "likewise, a person who unsubscribed"},
		{OnEngagement, defaultOnEngagement, "an email that a person opened or clicked: attributes or nothing"},
		{OnWin, defaultOnWin, "a trivia that was won: attributes (and an event) or nothing"},
		{PushRate, defaultPushRate, "calls to Customer.io in a second, at most, by each trivia-hook"},
		{AuditEvery, defaultAuditEvery, "how often what belongs together is checked, for the last day; 0 = never"},
		{QuietAfter, defaultQuietAfter, "how long nothing may come before doctor fails and the Overview says so; 0 = by the pauses of the week before"},
		{KeepEvents, defaultKeep, "delete events, and the answers that they tell of, after so long, such as 90d; 0 = never"},
		{KeepDeliveries, defaultKeep, "likewise, settled deliveries, but no event's before the event; wins and prizes stay for good"},
		{KeepPushes, defaultKeep, "likewise, pushes that were sent"},
		{KeepBodies, defaultKeep, "blank the bodies of settled deliveries after so long, such as 30d; 0 = never"},
		{
			WarehouseTo, "with --embedded, the folder warehouse in the data directory; else off",
			"where events and wins are copied to: files:DIR, files:s3://BUCKET/PREFIX, bigquery:PROJECT.DATASET or off",
		},
		{WarehouseFormat, defaultWarehouseFormat, "of files: parquet or ndjson"},
		{WarehouseEvery, defaultWarehouseEvery, "for how long rows may wait, so that files are not many and small; BigQuery is not kept waiting"},
		{WarehouseEndpoint, "Google's own", "another host for BigQuery, for tests and proxies"},
		{Environment, defaultEnvironment, "the name of this environment, shown to whoever is about to change something"},
		{EnvFile, "none", "a file of NAME=VALUE lines that win over the environment; SIGHUP lets trivia-hook read signing keys, sources and proxies from it again"},
	}
}

// rank returns the place of name in the table. Unknown names come last.
func rank(name string) int {
	table := Table()
	if i := slices.IndexFunc(table, func(s Setting) bool { return s.Name == name }); i >= 0 {
		return i
	}

	return len(table)
}
