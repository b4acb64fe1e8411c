package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"trivia/internal/password"
)

// A DSN says where the database is and how it is reached. It is parsed once,
// for every connection that a program makes.
type DSN struct {
	text    string
	parsed  *pgxpool.Config
	command *password.Command // nil: the password stands where libpq looks for it
}

// DSNOptions are what a DSN's text does not say.
type DSNOptions struct {
	// PasswordCommand prints the password on its first line; sh runs it for new
	// connections. Empty: there is none.
	PasswordCommand string
}

// ParseDSN reads a libpq URL or keyword string, and what it refers to: the
// environment, a service file, certificates. Its error says everything that is
// wrong, and holds no piece of a password.
func ParseDSN(text string, opts DSNOptions) (*DSN, error) {
	parsed, err := parseDSN(text)
	if err != nil {
		return nil, err
	}
	d := &DSN{text: text, parsed: parsed}
	if opts.PasswordCommand != "" {
		d.command = password.New(opts.PasswordCommand, time.Now) //nolint:forbidigo // how old a token is, is real
	}

	return d, nil
}

// Place says where the database is: host and name, and neither user nor
// password. Several hosts stand in the order in which they are tried.
func (d *DSN) Place() string { return placeOf(d.parsed.ConnConfig) }

// config returns the settings of a pool, for the caller to change.
func (d *DSN) config() *pgxpool.Config {
	cfg := d.parsed.Copy()
	cfg.ConnConfig.BuildContextWatcherHandler = cancelFirst
	cfg.ConnConfig.AfterConnect = speakUTF8
	// The pool asks a connection that was idle whether it is alive, and would
	// wait for that answer as long as its caller, or longer.
	cfg.PingTimeout = 500 * time.Millisecond
	cfg.ConnConfig.OnNotice = noteWarning
	// A rule may listen to what it likes; the driver would keep all that it hears.
	cfg.ConnConfig.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	cfg.ConnConfig.DialFunc = dialLines(cfg.ConnConfig.DialFunc)
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		encodeArrays(conn)
		_, err := meet(ctx, conn)

		return err
	}
	if d.command != nil {
		isFatal := cfg.ConnConfig.OnPgError
		cfg.ConnConfig.OnPgError = func(conn *pgconn.PgConn, refusal *pgconn.PgError) bool {
			if strings.HasPrefix(refusal.Code, "28") { // invalid authorization
				d.command.Forget()
			}

			return isFatal(conn, refusal)
		}
	}

	return cfg
}

// newPool returns a pool whose connections are each made with what the
// surroundings say at that moment.
func (d *DSN) newPool(ctx context.Context, cfg *pgxpool.Config) (*pgxpool.Pool, error) {
	before := cfg.BeforeConnect
	cfg.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		if err := d.renew(ctx, conn); err != nil || before == nil {
			return err
		}

		return before(ctx, conn)
	}

	return pgxpool.NewWithConfig(ctx, cfg)
}

// connect makes one connection, outside of any pool.
func (d *DSN) connect(ctx context.Context) (*pgx.Conn, error) {
	cfg := d.config().ConnConfig
	cfg.DefaultQueryExecMode = plannedNow // and nothing by name, which a pooler may not know
	if err := d.renew(ctx, cfg); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, plainly(err)
	}
	encodeArrays(conn)
	if _, err := meet(ctx, conn); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}

	return conn, nil
}

// renew reads again what may have changed since the DSN was parsed: passwords
// in .pgpass or a service file, certificates, hosts that are several. What
// cannot be read at this moment, since it is just being written, stays as it
// was.
func (d *DSN) renew(ctx context.Context, cfg *pgx.ConnConfig) error {
	if now, err := pgconn.ParseConfig(d.text); err == nil {
		cfg.Host, cfg.Port, cfg.Fallbacks, cfg.TLSConfig = now.Host, now.Port, now.Fallbacks, now.TLSConfig
		cfg.Database, cfg.User, cfg.Password = now.Database, now.User, now.Password
	}
	if d.command == nil {
		return nil
	}

	var err error
	cfg.Password, err = d.command.Password(ctx)

	return err
}

// ErrEncoding says that the database cannot hold every text that comes.
var ErrEncoding = errors.New("the database's encoding is not UTF8: text of other languages could not be kept; " +
	"make one with ENCODING 'UTF8' TEMPLATE template0, and move what is there with pg_dump")

// speakUTF8 refuses a database that keeps text in another encoding, and makes a
// connection speak UTF-8 whatever a role or the environment was set to. The
// server has said both when it greeted, so that this costs nothing.
func speakUTF8(ctx context.Context, conn *pgconn.PgConn) error {
	const utf8 = "UTF8"
	if encoding := conn.ParameterStatus("server_encoding"); encoding != "" && encoding != utf8 {
		return fmt.Errorf("%w (it is %s)", ErrEncoding, encoding)
	}
	if conn.ParameterStatus("client_encoding") == utf8 {
		return nil
	}

	return conn.Exec(ctx, "SET client_encoding TO 'UTF8'").Close()
}

// plainly returns what there is to say of a connection that was refused by us,
// without the driver's words around it.
func plainly(err error) error {
	if !errors.Is(err, ErrEncoding) {
		return err
	}
	for next := err; next != nil; next = errors.Unwrap(next) {
		if strings.HasPrefix(next.Error(), ErrEncoding.Error()) {
			return next
		}
	}

	return ErrEncoding
}

// defaultPort is what goes without saying.
const defaultPort = 5432

func placeOf(config *pgx.ConnConfig) string {
	hosts := []string{hostOf(config.Host, config.Port)}
	for _, f := range config.Fallbacks {
		if host := hostOf(f.Host, f.Port); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if config.Database == "" {
		return strings.Join(hosts, ",")
	}

	return strings.Join(hosts, ",") + "/" + config.Database
}

func hostOf(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return "this machine" // a socket
	}
	if port == defaultPort {
		return host
	}

	return fmt.Sprintf("%s:%d", host, port)
}
