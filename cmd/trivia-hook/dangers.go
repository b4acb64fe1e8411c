package main

import (
	"log/slog"
	"net"
	"strconv"
	"strings"

	"trivia/internal/config"
)

const (
	shortKey  = 16 // characters: a key with fewer is guessed, or is none
	wideBits  = 8  // a network with fewer is no network of ours
	developed = "development"
)

// A danger is a setting that may be meant, and mostly is not.
type danger struct{ setting, why string }

// warnOfDangers says at start, and after each reload, what is dangerous about
// the settings.
func warnOfDangers(log *slog.Logger, set settings) {
	for _, name := range set.Unquoted {
		log.Warn("quotes around a setting are no part of it, and were removed: docker --env-file, for one, keeps them",
			slog.String("setting", name))
	}
	for _, d := range dangersOf(set.Hook) {
		log.Warn("a setting is dangerous as it is", slog.String("setting", d.setting), slog.String("why", d.why))
	}
}

func dangersOf(h config.Hook) []danger {
	var found []danger
	add := func(setting, why string) { found = append(found, danger{setting, why}) }

	for _, network := range h.TrustedProxies {
		if wide(network) {
			add(config.TrustedProxies, network+" is trusted as a proxy of ours: whoever calls from there can claim any address")
		}
	}
	for _, word := range h.Sources {
		if word == "any" || wide(word) {
			add(config.Sources, word+" lets nearly everybody call: only signatures keep strangers out")
		}
	}
	if !loopback(h.AdminListen) {
		add(config.AdminListen, h.AdminListen+" can be reached from other machines: profiles and refused requests are for nobody else")
	}
	found = append(found, oddKeys(config.WebhookSecret, h.EventKeys, h.Environment)...)
	if !sameKeys(h.ActionKeys, h.EventKeys) {
		found = append(found, oddKeys(config.ActionSecret, h.ActionKeys, h.Environment)...)
	}

	return found
}

// wide reports whether a network holds more than anybody owns.
func wide(network string) bool {
	_, bits, ok := strings.Cut(network, "/")
	n, err := strconv.Atoi(bits)

	return ok && err == nil && n < wideBits
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)

	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameKeys reports whether a are b: one setting stands for both.
func sameKeys(a, b []config.Secret) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// oddKeys tells of keys that are hardly Customer.io's. Those of a developer may
// be short and made up. No key is shown.
func oddKeys(setting string, keys []config.Secret, environment string) []danger {
	var found []danger
	for i, key := range keys {
		which, text := "key "+strconv.Itoa(i+1), key.Reveal()
		if strings.Trim(text, `"'`) != text {
			found = append(found, danger{setting, which + " begins or ends with a quote, which is taken for a part of it"})
		}
		switch {
		case environment == developed:
		case placeholder(text):
			found = append(found, danger{setting, which + " looks like a placeholder: take Customer.io's own"})
		case len(text) < shortKey:
			found = append(found, danger{setting, which + " has fewer than " + strconv.Itoa(shortKey) + " characters: it can be guessed"})
		}
	}

	return found
}

func placeholder(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{
		"changeme", "change-me", "change_me", "your-", "your_", "yourkey", "placeholder", "replace", "example", "dev-signing-key", "xxxx", "todo", "...", "…",
	} {
		if strings.Contains(key, word) {
			return true
		}
	}

	return strings.HasPrefix(key, "<") || strings.HasPrefix(key, "${")
}
