package config

import "time"

// A Ctl is what triviactl runs with. It reads the same names as [Hook], and
// requires none of them: each command says itself what it cannot do without.
type Ctl struct {
	DatabaseURL Secret // empty: look for a private Postgres in DataDir
	DataDir     string // absolute; empty if there is no home directory either

	PasswordCommand Secret // that sh runs for the database's password; empty: there is none

	Listen, AdminListen string // where a trivia-hook on this machine listens

	EventKeys, ActionKeys []Secret // empty if not set

	SiteID           string
	TrackAPIKey      Secret
	Region           string // us or eu
	TrackURL, AppURL string // never empty, without a slash at the end

	Sources, TrustedProxies []string // for source.Parse, which alone can judge them

	CreateUsers bool          // insert a missing user with the win, instead of parking it
	Tolerance   time.Duration // how far a timestamp may be from our clock; 0 means any
	MaxBody     int64         // in bytes
	Environment string        // production, staging, …
	QuietAfter  time.Duration // how long nothing may come; 0 means that what was usual decides
	NoColor     bool          // NO_COLOR is set; see no-color.org

	Pushes    Pushes    // what is owed for what an operator settles
	Warehouse Warehouse // without DatabaseURL, that of a private Postgres
}

// CtlFrom reads the settings of triviactl. Its error is [Complaints].
func CtlFrom(getenv func(string) string) (Ctl, error) {
	return ctlFrom(getenv, here())
}

func ctlFrom(getenv func(string) string, p place) (Ctl, error) {
	r := newReader(getenv)

	c := Ctl{
		DatabaseURL:     r.databaseURL(),
		DataDir:         r.dataDir(p),
		PasswordCommand: NewSecret(r.text(PasswordCommand)),
		Listen:          r.hostPort(Listen, defaultListen),
		AdminListen:     r.hostPort(AdminListen, defaultAdminListen),
		EventKeys:       r.keys(WebhookSecret),
		ActionKeys:      r.keys(ActionSecret),
		SiteID:          r.text(SiteID),
		TrackAPIKey:     NewSecret(r.text(TrackAPIKey)),
		Region:          r.oneOf(Region, defaultRegion, "eu"),
		Sources:         r.list(Sources, defaultSources),
		CreateUsers:     r.oneOf(UnknownUsers, defaultUnknownUsers, "create") == "create",
		Tolerance:       r.duration(SignatureTolerance, defaultTolerance),
		MaxBody:         r.size(MaxBody, defaultMaxBody),
		Environment:     r.word(Environment, defaultEnvironment),
		QuietAfter:      r.interval(QuietAfter, defaultQuietAfter),
		NoColor:         getenv("NO_COLOR") != "",

		TrustedProxies: r.list(TrustedProxies, ""),
		Pushes:         r.pushes(),
	}
	c.TrackURL, c.AppURL = r.hosts(c.Region)
	c.Warehouse = r.warehouse(c.DatabaseURL.IsZero(), c.DataDir)
	if r.text(ActionSecret) == "" {
		c.ActionKeys = c.EventKeys
	}

	return c, r.complaints.Err()
}
