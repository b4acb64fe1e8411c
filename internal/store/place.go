package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// defaultPort is what goes without saying.
const defaultPort = 5432

// Place says where the database at url is: host and name, and neither user nor
// password. Several hosts stand in the order in which they are tried.
func Place(url string) string {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "" // whoever opens it says so
	}

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
