package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"trivia/internal/config"
	"trivia/internal/receiver"
	"trivia/internal/signature"
)

// errHungUp ends a service whose terminal was closed.
var errHungUp = errors.New("the terminal was closed")

// A reloader takes new signing keys, sources and proxies into use while
// requests come.
type reloader struct {
	getenv    func(string) string
	log       *slog.Logger
	receiver  *receiver.Receiver
	addresses *addresses
	cert      *certificate // nil: there is none

	set  settings        // what is in use
	said config.Snapshot // of all settings, as they were when they were last read
}

// run reloads whenever somebody asks for it (SIGHUP), until ctx ends. A closed
// terminal sends the same signal: then it returns an error.
func (r *reloader) run(ctx context.Context, sur surroundings) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sur.hangups:
			if sur.terminalGone != nil && sur.terminalGone() {
				return errHungUp
			}
			r.reload(ctx)
		}
	}
}

// reload reads all settings again. If anything is wrong with any of them,
// everything stays as it is.
func (r *reloader) reload(ctx context.Context) {
	said := config.SnapshotOf(r.getenv)
	set, err := readSettings(r.getenv, r.set.Embedded)
	if err == nil {
		err = r.addresses.reword(ctx, set)
	}
	if err != nil {
		r.complain(ctx, err)
		return
	}
	r.receiver.Rekey(set.action, set.event)
	r.cert.look(true)

	for _, name := range r.said.Changed(said) {
		if !config.Reloadable(name) {
			r.log.WarnContext(ctx, "a setting has changed that is not reloaded: restart to use it", slog.String("setting", name))
		}
	}
	r.log.InfoContext(ctx, "settings were reloaded",
		keyChange("action_keys", r.set.action.Keys, set.action.Keys),
		keyChange("event_keys", r.set.event.Keys, set.event.Keys),
		slog.Any("sources", set.Sources), slog.Any("trusted_proxies", set.TrustedProxies))
	r.set.action, r.set.event, r.said = set.action, set.event, said
	if r.set.Observe || r.set.Tolerance > 0 { // a reload does not change these, and they are easily forgotten
		warn(r.log, r.set)
	}
	warnOfDangers(r.log, set)
}

// complain logs every complaint on its own.
func (r *reloader) complain(ctx context.Context, err error) {
	complaints, ok := errors.AsType[config.Complaints](err)
	if !ok {
		r.log.ErrorContext(ctx, "the settings cannot be reloaded: all stay as they are", slog.Any("error", err))
		return
	}
	for _, c := range complaints {
		r.log.ErrorContext(ctx, "the settings cannot be reloaded: all stay as they are",
			slog.String("setting", c.Name), slog.String("problem", c.Problem))
	}
}

// keyChange says which keys came and went, by their fingerprints.
func keyChange(name string, before, after []signature.Key) slog.Attr {
	return slog.Group(name,
		slog.Any("in_use", fingerprints(after, nil)),
		slog.Any("came", fingerprints(after, before)),
		slog.Any("went", fingerprints(before, after)))
}

// fingerprints returns those of keys that are not among others.
func fingerprints(keys, others []signature.Key) []string {
	found := []string{}
	for _, key := range keys {
		if !slices.ContainsFunc(others, func(o signature.Key) bool { return o.Fingerprint() == key.Fingerprint() }) {
			found = append(found, key.Fingerprint())
		}
	}

	return found
}
