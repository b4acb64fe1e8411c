package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"trivia/internal/config"
)

// certificateAgain is how often, at most, the files are looked at when somebody
// connects.
const certificateAgain = 2 * time.Second

// A certificate is what the public listener proves itself with. Whoever renews
// it replaces two files; what is in use changes when both belong together.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	inUse atomic.Pointer[tls.Certificate]

	mu     sync.Mutex // held while the files are looked at
	looked time.Time
	seen   string // when the files were written, and how long they are
}

// newCertificate returns the certificate that the settings name and have read;
// nil if there is none.
func newCertificate(set settings, log *slog.Logger, now func() time.Time) *certificate {
	if set.pair == nil {
		return nil
	}
	c := &certificate{certFile: set.TLSCert, keyFile: set.TLSKey, log: log, now: now, looked: now()}
	c.seen = c.stamp()
	c.take(set.pair)

	return c
}

// config returns how TLS is spoken. HTTP/1.1 alone is offered: a sender of
// single requests gains nothing by HTTP/2, and its streams would escape the
// limit on connections.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}

	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.look(false)

			return c.inUse.Load(), nil
		},
	}
}

// look takes files that have changed into use. Asked to, it takes them whether
// they have or not, and at once.
func (c *certificate) look(asked bool) {
	if c == nil {
		return
	}
	if asked {
		c.mu.Lock()
	} else if !c.mu.TryLock() {
		return // somebody looks already
	}
	defer c.mu.Unlock()

	now := c.now()
	if !asked && now.Sub(c.looked) < certificateAgain {
		return
	}
	c.looked = now
	seen := c.stamp()
	if !asked && seen == c.seen {
		return
	}
	c.seen = seen
	if err := c.load(); err != nil {
		c.log.Error("the TLS certificate cannot be used: the one in use stays", slog.String("setting", config.TLSCert), slog.Any("error", err))
	}
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.take(&pair)

	return nil
}

// take takes a certificate into use, and says until when it can be.
func (c *certificate) take(pair *tls.Certificate) {
	c.inUse.Store(pair)
	ends := pair.Leaf.NotAfter
	c.log.Info("TLS certificate in use", slog.Any("names", pair.Leaf.DNSNames), slog.Time("ends", ends))
	if c.now().After(ends) {
		c.log.Error("the TLS certificate has ended: senders refuse it", slog.String("setting", config.TLSCert), slog.Time("ended", ends))
	}
}

// stamp tells one writing of the files from another.
func (c *certificate) stamp() string {
	var said strings.Builder
	for _, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			_, _ = fmt.Fprint(&said, info.ModTime().UnixNano(), " ", info.Size(), " ")
		} else {
			said.WriteString("gone ")
		}
	}

	return said.String()
}
