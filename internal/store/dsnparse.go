package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// leastConns is more than prizes that take long ever occupy: the question whether
// the database is ready must not wait for them.
const leastConns = 8

// A dsnError is everything that is wrong with the text of a [DSN]. Its words are
// ours throughout: whatever stands in such a text may be a piece of a password.
type dsnError []string

func (w dsnError) Error() string { return strings.Join(w, "; ") }

// parseDSN lets the driver read text, and takes or refuses by name what the
// driver would obey and we would overrule.
func parseDSN(text string) (*pgxpool.Config, error) {
	if wrong := ambiguous(text); wrong != "" {
		return nil, dsnError{wrong}
	}
	driver, err := pgconn.ParseConfig(text)
	if err != nil {
		return nil, dsnError{causeOf(text, err)}
	}
	if slices.ContainsFunc(hostsOf(driver), func(host string) bool { return strings.Contains(host, "@") }) {
		return nil, dsnError{"the host has an @ in it: " + escapeIt}
	}
	if wrong := refusals(driver.RuntimeParams); len(wrong) > 0 {
		return nil, wrong
	}
	cfg, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, dsnError{"the settings that begin with pool_ cannot be read: numbers are whole, durations are like 30s or 5m"}
	}

	// Always UTF-8: see speakUTF8.
	delete(cfg.ConnConfig.RuntimeParams, "client_encoding")
	if _, given := driver.RuntimeParams[poolMaxConns]; !given {
		cfg.MaxConns = leastConns
	}
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	if driver.RuntimeParams[execMode] == cacheDescribe || cfg.ConnConfig.StatementCacheCapacity == 0 {
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}

	return cfg, nil
}

const escapeIt = "in a URL, the characters % @ / : ? # of a user or password are written as %25 %40 %2F %3A %3F %23"

// ambiguous finds what the driver would understand, as something else than was
// meant: a piece of a password then ends as a host, a database or a parameter.
func ambiguous(text string) string {
	_, rest, isURL := strings.Cut(text, "://")
	switch {
	case strings.ContainsAny(text, "\x00\r\n"):
		return "it has a line break or a zero byte in it"
	case !isURL:
		return ""
	}
	for i := range len(rest) {
		if rest[i] == '%' && (i+2 >= len(rest) || !isHex(rest[i+1]) || !isHex(rest[i+2])) {
			return "a % is followed by no two hexadecimal digits: " + escapeIt
		}
	}
	// A password ends at the first @ that comes before any slash.
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	path, _, _ := strings.Cut(rest, "?")
	if strings.Contains(path, "@") {
		return "an @ stands behind the host, or in it: " + escapeIt
	}

	return ""
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func hostsOf(cfg *pgconn.Config) []string {
	hosts := []string{cfg.Host}
	for _, f := range cfg.Fallbacks {
		hosts = append(hosts, f.Host)
	}

	return hosts
}

// Parameters that are for the driver and not for the server.
const (
	execMode          = "default_query_exec_mode"
	statementCapacity = "statement_cache_capacity"
	describeCapacity  = "description_cache_capacity"
	poolMaxConns      = "pool_max_conns"
	poolMinConns      = "pool_min_conns"
	poolMinIdle       = "pool_min_idle_conns"
	poolPing          = "pool_ping_timeout"

	cacheDescribe = "cache_describe"
)

// Those of a pool that are obeyed as they are, if they can be read.
var poolDurations = []string{
	"pool_max_conn_lifetime", "pool_max_conn_lifetime_jitter", "pool_max_conn_idle_time", "pool_health_check_period",
}

// refusals looks at the parameters that libpq does not know.
func refusals(params map[string]string) (wrong dsnError) {
	const most = 10_000
	number := func(name string, least int64, why string) {
		if value, given := params[name]; given {
			if n, err := strconv.ParseInt(value, 10, 32); err != nil || n < least || n > most {
				wrong = append(wrong, fmt.Sprintf("%s must be a whole number of at least %d%s", name, least, why))
			}
		}
	}
	number(poolMaxConns, leastConns, ": so many the service needs besides intake's own")
	number(poolMinConns, 0, "")
	number(poolMinIdle, 0, "")
	number(statementCapacity, 0, ", and 0 if there is a pooler that keeps no prepared statements")
	number(describeCapacity, 1, ", or left out")

	switch params[execMode] {
	case "", cacheDescribe:
	default:
		wrong = append(wrong, execMode+" can only be "+cacheDescribe+", which is right behind any pooler; "+
			"leave it out, and a pooler is noticed by itself")
	}
	if _, given := params[poolPing]; given {
		wrong = append(wrong, poolPing+" cannot be chosen: leave it out; a connection that does not answer is given up by itself")
	}

	known := append([]string{poolMaxConns, poolMinConns, poolMinIdle, poolPing}, poolDurations...)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch {
		case !isParameter(name):
			wrong = append(wrong, "there is a parameter whose name (not shown) has odd characters in it: "+escapeIt)
		case strings.HasPrefix(name, "pool_") && !slices.Contains(known, name):
			wrong = append(wrong, "a parameter (not shown) begins with pool_ and is none of "+strings.Join(known, ", "))
		}
	}

	return wrong
}

// isParameter reports whether the server could know a parameter of that name.
func isParameter(name string) bool {
	odd := func(c rune) bool {
		return c != '_' && c != '.' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	}

	return name != "" && (name[0] < '0' || name[0] > '9') && !strings.ContainsFunc(name, odd)
}

// The driver's words for what it does not understand, and ours. Its own quote
// what they are about.
var causes = []struct{ theirs, ours string }{
	{"failed to parse as URL", "it is no URL like postgres://user:password@host:5432/database?sslmode=require: " + escapeIt},
	{"failed to parse as keyword/value", `it is no list like host=db user=u password='p w' dbname=d: a value with spaces stands between ' and ', and \ goes before a ' or \ in it`},
	{"failed to read service file", "the service file cannot be read: see servicefile or PGSERVICEFILE"},
	{"unable to find service", "the service that service or PGSERVICE names is not in the service file"},
	{"failed to read service", "the service cannot be read: see service and PGSERVICE"},
	{"invalid port", "a port is no number from 1 to 65535; if it is part of a password: " + escapeIt},
	{"could not match", "there are more ports than one, and not as many as hosts"},
	{"sslmode is invalid", "sslmode must be disable, allow, prefer, require, verify-ca or verify-full"},
	{"unable to read CA file", "the file of certificates that sslrootcert or PGSSLROOTCERT names cannot be read"},
	{"unable to add CA to cert pool", "the file that sslrootcert or PGSSLROOTCERT names holds no certificate in PEM form"},
	{"unable to load system certificate pool", "this system has no list of certificates, which sslrootcert=system asks for"},
	{`both "sslcert" and "sslkey"`, "sslcert and sslkey go together: one of the two is missing"},
	{"unable to read sslkey", "the file that sslkey or PGSSLKEY names cannot be read"},
	{"failed to decode sslkey", "the file that sslkey or PGSSLKEY names holds no key in PEM form"},
	{"unable to find sslpassword", "the key that sslkey names is encrypted, and there is no sslpassword"},
	{"unable to decrypt key", "the key that sslkey names does not open with sslpassword"},
	{"unable to read cert", "the file that sslcert or PGSSLCERT names cannot be read"},
	{"unable to load cert", "the certificate of sslcert and the key of sslkey do not go together"},
	{"unknown target_session_attrs", "target_session_attrs must be any, read-write, read-only, primary, standby or prefer-standby"},
	{"invalid connect_timeout", "connect_timeout must be a whole number of seconds"},
	{"invalid sslcertmode", "sslcertmode must be disable, allow or require"},
	{"invalid min_protocol_version", "min_protocol_version must be 3.0, 3.2 or latest"},
	{"invalid max_protocol_version", "max_protocol_version must be 3.0, 3.2 or latest"},
	{"min_protocol_version cannot be", "min_protocol_version is above max_protocol_version"},
	{"unknown channel_binding", "channel_binding must be disable, prefer or require"},
	{"invalid require_auth", "require_auth names a method that does not exist"},
}

// causeOf says in our words why the driver cannot read text.
func causeOf(text string, err error) string {
	said := err.Error()
	if refused, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		alone := *refused
		alone.ConnString = ""
		said = alone.Error()
	}
	for _, c := range causes {
		if !strings.Contains(said, c.theirs) {
			continue
		}
		if file, ok := errors.AsType[*fs.PathError](err); ok {
			return c.ours + fileOf(text, file)
		}

		return c.ours
	}

	return "it cannot be read: " + escapeIt
}

// fileOf says why a file cannot be read; its name only if no password can have
// slipped into that.
func fileOf(text string, file *fs.PathError) string {
	if _, rest, isURL := strings.Cut(text, "://"); isURL {
		_, query, _ := strings.Cut(rest, "?")
		if !strings.ContainsAny(query, "@") && !strings.Contains(query, "pass") {
			return fmt.Sprintf(": %s: %v", file.Path, file.Err)
		}
	}

	return fmt.Sprintf(": %v", file.Err)
}
