package config

import (
	"path/filepath"
)

// A place is what the default of the data directory depends on, besides the
// environment.
type place struct {
	goos string
	euid int
}

// dataDir returns where the private Postgres keeps its data when no setting
// says so, or "" if there is no telling. Root has no use for a directory below
// /root: nobody else may enter there, and Postgres does not run as root.
func dataDir(getenv func(string) string, p place) string {
	if p.euid == 0 {
		return "/var/lib/trivia"
	}

	home := getenv("HOME")
	if p.goos == "darwin" {
		return below(home, "Library", "Application Support", "trivia")
	}
	if dir := below(getenv("XDG_DATA_HOME"), "trivia"); dir != "" {
		return dir
	}

	return below(home, ".local", "share", "trivia")
}

// below joins names to base. A base that is not absolute counts as none, as
// the XDG specification asks.
func below(base string, names ...string) string {
	if !filepath.IsAbs(base) {
		return ""
	}

	return filepath.Join(append([]string{base}, names...)...)
}
