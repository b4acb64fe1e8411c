package ctl

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"

	"trivia/internal/config"
	"trivia/internal/customerio"
	"trivia/internal/signature"
	"trivia/internal/trivia"
)

// A route is one of the two that Customer.io calls.
type route struct {
	kind    trivia.Kind
	path    string
	setting string // that holds its signing keys
	secrets []config.Secret
}

// routes returns both, with the keys that the settings give them.
func routes(set config.Ctl) []route {
	return []route{
		{trivia.KindWin, customerio.PathWin, config.ActionSecret, set.ActionKeys},
		{trivia.KindEvent, customerio.PathEvent, config.WebhookSecret, set.EventKeys},
	}
}

func routeOf(set config.Ctl, kind trivia.Kind) route {
	all := routes(set)
	if kind == trivia.KindEvent {
		return all[1]
	}

	return all[0]
}

func routeFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "route", Usage: usage}
}

// keys returns the route's signing keys, the first of which signs.
func (r route) keys() ([]signature.Key, error) {
	if len(r.secrets) == 0 {
		hint := "set " + r.setting + " to the key that the hook verifies with"
		if r.setting == config.ActionSecret {
			hint += ", or " + config.WebhookSecret + " if both routes have the same"
		}

		return nil, usagef(hint, "no signing key: %s is not set", r.setting)
	}

	keys := make([]signature.Key, len(r.secrets))
	for i, secret := range r.secrets {
		key, err := signature.NewKey(secret.Reveal())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.setting, err)
		}
		keys[i] = key
	}

	return keys, nil
}

// at returns the URL of the route: given, with the route's path if it has
// none, or where a hook on this machine listens.
func (r route) at(given, listen string) (string, error) {
	if given == "" {
		given = "http://" + reachable(listen)
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", usagef("as in http://127.0.0.1:8080", "--url cannot be %q", given)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = r.path
	}

	return u.String(), nil
}

// reachable turns an address to listen on into one to call.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}

	return net.JoinHostPort(host, port)
}
