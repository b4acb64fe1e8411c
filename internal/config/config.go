// Package config turns the environment into checked settings. Settings are
// read once and complained about all at once; secrets cannot be printed.
package config

import (
	"os"
	"runtime"
	"slices"
	"time"
)

// A Hook is what trivia-hook runs with.
type Hook struct {
	Embedded    bool   // run a private Postgres; then DatabaseURL is empty
	DatabaseURL Secret // a URL or a list of key=value pairs
	DataDir     string // absolute; may be empty unless Embedded

	PasswordCommand Secret // that sh runs for the database's password; empty: there is none

	Listen, AdminListen string        // host:port; port 0 means any free one
	StopDelay           time.Duration // requests are still let in so long after a signal to stop

	EventKeys, ActionKeys []Secret // never empty

	SiteID           string // empty: pushes are kept and not sent
	TrackAPIKey      Secret
	Region           string // us or eu
	TrackURL, AppURL string // never empty, without a slash at the end

	Sources, TrustedProxies []string // for source.Parse, which alone can judge them
	Observe                 bool     // let everyone in, and say who would have been refused

	Pushes    Pushes
	Keep      Keep
	Warehouse Warehouse

	CreateUsers bool          // insert a missing user with the win, instead of parking it
	Tolerance   time.Duration // how far a timestamp may be from our clock; 0 means any
	MaxBody     int64         // in bytes
	IdleTimeout time.Duration // at least a second
	MaxConns    int           // 0 = as many as the process may well have
	TLSCert     string        // a file; empty: the public listener speaks plain HTTP
	TLSKey      string        // likewise; one is never without the other
	AuditEvery  time.Duration // 0 means never
	QuietAfter  time.Duration // how long nothing may come; 0 means that what was usual decides
	Environment string        // production, staging, …

	Unquoted []string // settings that had quotes around them, which are no part of them
}

// Pushes say what Customer.io is told of people, and how fast.
type Pushes struct {
	OnBounce, OnSpam, OnUnsubscribe string // suppress, unsubscribe, attributes or nothing
	OnEngagement, OnWin             string // attributes or nothing
	Rate                            int    // calls in a second, at least 1
}

// HookFrom reads the settings of trivia-hook. The private Postgres of embedded
// and a DATABASE_URL exclude each other; one of them there must be.
//
// The complaints have room for more: the caller lets source.Parse judge
// Sources and TrustedProxies, and adds what that says.
func HookFrom(getenv func(string) string, embedded bool) (Hook, Complaints) {
	return hookFrom(getenv, embedded, here())
}

func here() place { return place{goos: runtime.GOOS, euid: os.Geteuid()} }

func hookFrom(getenv func(string) string, embedded bool, p place) (Hook, Complaints) {
	r := newReader(getenv)

	h := Hook{
		Embedded:    embedded,
		DatabaseURL: r.databaseURL(),
		DataDir:     r.dataDir(p),
		Listen:      r.hostPort(Listen, defaultListen),
		AdminListen: r.hostPort(AdminListen, defaultAdminListen),
		StopDelay:   r.delay(StopDelay, defaultStopDelay),
		EventKeys:   r.keys(WebhookSecret),
		ActionKeys:  r.keys(ActionSecret),
		SiteID:      r.text(SiteID),
		TrackAPIKey: NewSecret(r.text(TrackAPIKey)),
		Region:      r.oneOf(Region, defaultRegion, "eu"),
		Sources:     r.list(Sources, defaultSources),
		Observe:     r.oneOf(SourceMode, defaultSourceMode, "observe") == "observe",
		Pushes:      r.pushes(),
		Keep:        r.keep(),
		CreateUsers: r.oneOf(UnknownUsers, defaultUnknownUsers, "create") == "create",
		Tolerance:   r.duration(SignatureTolerance, defaultTolerance),
		MaxBody:     r.size(MaxBody, defaultMaxBody),
		IdleTimeout: r.atLeast(IdleTimeout, defaultIdleTimeout, time.Second),
		MaxConns:    r.connections(),
		TLSCert:     r.text(TLSCert),
		TLSKey:      r.text(TLSKey),
		AuditEvery:  r.interval(AuditEvery, defaultAuditEvery),
		QuietAfter:  r.interval(QuietAfter, defaultQuietAfter),
		Environment: r.word(Environment, defaultEnvironment),

		TrustedProxies:  r.list(TrustedProxies, ""),
		PasswordCommand: NewSecret(r.text(PasswordCommand)),
	}
	h.TrackURL, h.AppURL = r.hosts(h.Region)
	h.Warehouse = r.warehouse(embedded, h.DataDir)
	if r.text(ActionSecret) == "" {
		h.ActionKeys = h.EventKeys
	}
	r.together(h)
	slices.SortFunc(r.unquoted, func(a, b string) int { return rank(a) - rank(b) })
	h.Unquoted = r.unquoted

	return h, r.complaints
}

// together checks what no setting can tell alone.
func (r *reader) together(h Hook) {
	switch given := r.text(DatabaseURL) != ""; {
	case h.Embedded && given:
		r.complain(DatabaseURL, "a value (not shown) beside --embedded",
			"one of the two: --embedded runs a private Postgres of its own")
	case !h.Embedded && !given:
		r.complain(DatabaseURL, "nothing", "postgres://… (or start with --embedded, which needs none)")
	}
	if h.Embedded && h.DataDir == "" {
		r.complain(DataDir, "nothing, and no home directory to put it in", "a directory for the private Postgres")
	}

	if r.text(WebhookSecret) == "" {
		r.complain(WebhookSecret, "nothing", "the signing key of the reporting webhook; without one nothing can be verified")
	}
	if collide(h.Listen, h.AdminListen) {
		r.complain(AdminListen, quote(h.AdminListen), "another address than "+Listen+", which is public")
	}

	switch cert, key := h.TLSCert != "", h.TLSKey != ""; {
	case cert && !key:
		r.complain(TLSKey, "nothing", "the file with the key that goes with "+TLSCert)
	case key && !cert:
		r.complain(TLSCert, "nothing", "the file with the certificate that goes with "+TLSKey)
	}

	switch id, key := h.SiteID != "", !h.TrackAPIKey.IsZero(); {
	case id && !key:
		r.complain(TrackAPIKey, "nothing", "the key that goes with "+SiteID)
	case key && !id:
		r.complain(SiteID, "nothing", "the site ID that goes with "+TrackAPIKey)
	}
}
