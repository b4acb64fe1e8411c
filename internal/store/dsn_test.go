package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func parsed(t *testing.T, text string) *DSN {
	t.Helper()
	d, err := ParseDSN(text, DSNOptions{})
	if err != nil {
		t.Fatalf("ParseDSN(%q) = %v", text, err)
	}

	return d
}

func TestAPlaceNamesNoPassword(t *testing.T) {
	t.Parallel()

	tests := []struct{ text, want string }{
		{"postgres://ann:s3cr3t@db.example.com/trivia", "db.example.com/trivia"},
		{"postgres://ann:s3cr3t@db.example.com:6432/trivia?sslmode=require", "db.example.com:6432/trivia"},
		{"postgres://ann:s3cr3t@one:5432,two:6432/trivia?target_session_attrs=read-write", "one,two:6432/trivia"},
		{"host=db.example.com user=ann password=s3cr3t dbname=trivia", "db.example.com/trivia"},
		{"postgres:///trivia?host=/run/postgresql&user=ann", "this machine/trivia"},
	}
	for _, tt := range tests {
		if got := parsed(t, tt.text).Place(); got != tt.want {
			t.Errorf("Place of %q = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestWhatIsWrongWithADSNIsSaid(t *testing.T) {
	t.Parallel()

	missing, empty := filepath.Join(t.TempDir(), "missing.pem"), filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text, want string }{
		{"a missing CA file", "postgres://u:p@h/d?sslmode=verify-full&sslrootcert=" + missing, "sslrootcert or PGSSLROOTCERT names cannot be read: " + missing + ": no such file"},
		{"the same in a list", "host=h password=p sslrootcert=" + missing, "sslrootcert or PGSSLROOTCERT names cannot be read: no such file"},
		{"an empty CA file", "postgres://u:p@h/d?sslrootcert=" + empty, "holds no certificate"},
		{"a certificate without key", "postgres://u:p@h/d?sslcert=" + empty, "one of the two is missing"},
		{"no key", "postgres://u:p@h/d?sslcert=" + empty + "&sslkey=" + empty, "holds no key"},
		{"an unknown service", "postgres://h/d?servicefile=" + empty + "&service=trivia", "is not in the service file"},
		{"no service file", "postgres://h/d?servicefile=" + missing + "&service=trivia", "the service file cannot be read"},
		{"a bad port", "postgres://u:p@h:70000/d", "a port is no number from 1 to 65535"},
		{"too many ports", "host=a,b port=1,2,3", "more ports than one"},
		{"an unknown sslmode", "postgres://u:p@h/d?sslmode=perhaps", "sslmode must be disable, allow"},
		{"an unknown kind of server", "postgres://u:p@h/d?target_session_attrs=fast", "target_session_attrs must be any, read-write"},
		{"a timeout that is none", "postgres://u:p@h/d?connect_timeout=soon", "connect_timeout must be"},
		{"a percent sign in a password", "postgres://u:50%@h/d", "are written as %25"},
		{"a slash in a password", "postgres://u:a/b@h/d", "are written as %25 %40 %2F"},
		{"a slash behind a number in a password", "postgres://u:55/b@h/d", "are written as %25 %40 %2F"},
		{"an at sign in a password", "postgres://u:a@b@h/d", "an @ stands behind the host, or in it"},
		{"half an address", "postgres://u:p@[::1/d", "it is no URL like"},
		{"a list with a space too many", "host=h password=a b", "stands between ' and '"},
		{"a line break", "postgres://u:p@h/d\n?x=y", "a line break"},

		{"a pool that is too small", "postgres://u:p@h/d?pool_max_conns=4", "pool_max_conns must be a whole number of at least 8"},
		{"no number", "postgres://u:p@h/d?pool_max_conns=many", "pool_max_conns must be a whole number"},
		{"a pool's least below zero", "postgres://u:p@h/d?pool_min_conns=-1", "pool_min_conns must be"},
		{"no duration", "postgres://u:p@h/d?pool_max_conn_lifetime=long", "begin with pool_ cannot be read"},
		{"another pool's word", "postgres://u:p@h/d?pool_mode=transaction", "a parameter (not shown) begins with pool_ and is none of"},
		{"how long a ping lasts", "postgres://u:p@h/d?pool_ping_timeout=1m", "pool_ping_timeout cannot be chosen"},
		{"another way to run statements", "postgres://u:p@h/d?default_query_exec_mode=simple_protocol", "default_query_exec_mode can only be cache_describe"},
		{"the driver's own way", "postgres://u:p@h/d?default_query_exec_mode=cache_statement", "default_query_exec_mode can only be cache_describe"},
		{"no descriptions", "postgres://u:p@h/d?description_cache_capacity=0", "description_cache_capacity must be a whole number of at least 1"},
		{"no number of statements", "postgres://u:p@h/d?statement_cache_capacity=-1", "statement_cache_capacity must be"},
		{
			"two things", "postgres://u:p@h/d?pool_max_conns=1&default_query_exec_mode=exec",
			"besides intake's own; default_query_exec_mode can only be",
		},
		{"no parameter", "postgres://u:p@h/d?5=6", "odd characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := ParseDSN(tt.text, DSNOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseDSN(%q) = %v, want %q in it", tt.text, err, tt.want)
			}
		})
	}
}

func TestWhatTheDriverReadsOutOfADSNIsObeyed(t *testing.T) {
	t.Parallel()

	d := parsed(t, "postgres://u:p@h/d?pool_max_conns=9&pool_min_conns=1&pool_max_conn_lifetime=10m&statement_cache_capacity=40"+
		"&description_cache_capacity=50&client_encoding=LATIN1&application_name=quiz&search_path=game")
	cfg := d.config()
	if cfg.MaxConns != 9 || cfg.MinConns != 1 || cfg.MaxConnLifetime.Minutes() != 10 {
		t.Errorf("a pool of %d to %d for %s, want 1 to 9 for 10m", cfg.MinConns, cfg.MaxConns, cfg.MaxConnLifetime)
	}
	if c := cfg.ConnConfig; c.StatementCacheCapacity != 40 || c.DescriptionCacheCapacity != 50 || c.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		t.Errorf("caches of %d and %d, %s", c.StatementCacheCapacity, c.DescriptionCacheCapacity, c.DefaultQueryExecMode)
	}
	if got := fmt.Sprint(cfg.ConnConfig.RuntimeParams); got != "map[application_name:quiz search_path:game]" {
		t.Errorf("the server is told %s, want what the user says and nothing of ours", got)
	}

	if got := parsed(t, "host=h").config().MaxConns; got != leastConns {
		t.Errorf("a pool of %d, want %d", got, leastConns)
	}
	for _, text := range []string{"host=h default_query_exec_mode=cache_describe", "host=h statement_cache_capacity=0"} {
		if got := parsed(t, text).config().ConnConfig.DefaultQueryExecMode; got != pgx.QueryExecModeCacheDescribe {
			t.Errorf("%s: %s, want nothing prepared by name", text, got)
		}
	}
}

// secretive is what no word of ours is made of.
const secretive = `ZQXJ0123456789%@/:?#&= '"\[],.-+~`

// Templates of what people may write around a password, right or wrong.
var templates = []string{
	"postgres://u:%s@h/d", "postgres://u:%s@h:70000/d", "postgres://u:%s@h/d?sslmode=perhaps", "postgres://u:%s@[::1/d",
	"postgres://u:%s@h/d?sslrootcert=/nowhere", "postgres://h/d?user=u&password=%s&sslmode=perhaps", "postgres://h/d?password=%s",
	"postgres://h/d?password=%s&sslrootcert=/nowhere", "postgres://%s@h/d", "postgres://%s", "postgres:///d?host=/run&password=%s&port=0",
	"host=h password=%s sslmode=perhaps", "host=h password='%s' sslrootcert=/nowhere", "password=%s", "host=h port=x password=%s", "%s",
	"postgres://u:%s@h/d?pool_max_conns=1", "postgres://u:%s@h/d?default_query_exec_mode=exec", "mysql://u:%s@h/d",
	"postgres://u:%s@h/d?target_session_attrs=x", "postgres://u:x@h/d?sslpassword=%s&sslcert=/nowhere&sslkey=/nowhere",
}

// leaks returns a piece of password that the error about text holds, if any.
func leaks(template, password string) string {
	text := strings.Replace(template, "%s", password, 1)
	_, err := ParseDSN(text, DSNOptions{})
	if err == nil {
		return ""
	}
	said := strings.NewReplacer(escapeIt, "", "65535", "").Replace(err.Error()) // these are ours
	for i := 0; i+4 <= len(password); i++ {
		if piece := password[i : i+4]; strings.Contains(said, piece) {
			return fmt.Sprintf("ParseDSN(%q) = %q holds %q", text, err, piece)
		}
	}

	return ""
}

func TestNoPieceOfAPasswordIsSaid(t *testing.T) {
	t.Parallel()

	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		password := make([]byte, 4+random.IntN(20))
		for i := range password {
			password[i] = secretive[random.IntN(len(secretive))]
		}
		for _, template := range templates {
			if leak := leaks(template, string(password)); leak != "" {
				t.Fatal(leak)
			}
		}
	}
}

func FuzzNoPieceOfAPasswordIsSaid(f *testing.F) {
	f.Add(0, []byte("a/b@c"))
	f.Add(5, []byte("?sslrootcert=x"))
	f.Fuzz(func(t *testing.T, which int, choice []byte) {
		password := make([]byte, len(choice))
		for i, c := range choice {
			password[i] = secretive[int(c)%len(secretive)]
		}
		if leak := leaks(templates[uint(which)%uint(len(templates))], string(password)); leak != "" {
			t.Fatal(leak)
		}
	})
}

func TestPasswordsAreReadAnewForEachConnection(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}

		return name
	}
	pass, service := write("pgpass", "h:5432:d:u:one"), write("service", "[trivia]\nhost=h\nuser=u\npassword=one\n")
	tests := []struct {
		name, text string
		command    string
		change     func()
		then       string
	}{
		{"a file of passwords", "postgres://u@h/d?passfile=" + pass, "", func() { write("pgpass", "h:5432:d:u:two") }, "two"},
		{"a service file", "postgres:///d?service=trivia&servicefile=" + service, "", func() { write("service", "[trivia]\nhost=h\nuser=u\npassword=two\n") }, "two"},
		{"a service file that is being written", "postgres:///d?service=trivia&servicefile=" + service, "", func() { write("service", "") }, "two"},
		{"a command", "postgres://u:zero@h/d", "cat " + write("token", "one\n"), func() { write("token", "two") }, "one"},
	}
	for _, tt := range tests {
		d, err := ParseDSN(tt.text, DSNOptions{PasswordCommand: tt.command})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		cfg := d.config().ConnConfig
		if err := d.renew(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		tt.change()
		if err := d.renew(t.Context(), cfg); err != nil || cfg.Password != tt.then {
			t.Errorf("%s: password %q, %v; want %q", tt.name, cfg.Password, err, tt.then)
		}
	}

	d, err := ParseDSN("host=h", DSNOptions{PasswordCommand: "echo secret >&2; exit 1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.renew(t.Context(), d.config().ConnConfig); err == nil || !strings.Contains(err.Error(), "run the password command") {
		t.Errorf("renew = %v, want that the command fails", err)
	}
}

func TestAPasswordThatTheServerRefusesIsAskedForAgain(t *testing.T) {
	t.Parallel()

	token := filepath.Join(t.TempDir(), "token")
	d, err := ParseDSN("host=h", DSNOptions{PasswordCommand: "cat " + token})
	if err != nil {
		t.Fatal(err)
	}
	cfg := d.config().ConnConfig
	for _, tt := range []struct{ code, want string }{{"57P03", "one"}, {"28P01", "two"}} {
		for _, word := range []string{"one", "two"} {
			if err := os.WriteFile(token, []byte(word), 0o600); err != nil {
				t.Fatal(err)
			}
			if word == "one" {
				d.command.Forget()
			} else if cfg.OnPgError(nil, &pgconn.PgError{Severity: "FATAL", Code: tt.code}) {
				t.Error("a fatal error left the connection open")
			}
			if err := d.renew(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
		}
		if cfg.Password != tt.want {
			t.Errorf("after %s the password is %q, want %q", tt.code, cfg.Password, tt.want)
		}
	}
}

func TestWhatWeRefuseIsSaidPlainly(t *testing.T) {
	t.Parallel()

	err := fmt.Errorf("%w (it is LATIN1)", ErrEncoding)
	if got := plainly(fmt.Errorf("failed to connect: %w", fmt.Errorf("AfterConnect error: %w", err))); !errors.Is(got, err) || got.Error() != err.Error() {
		t.Errorf("plainly = %v, want %v", got, err)
	}
}
