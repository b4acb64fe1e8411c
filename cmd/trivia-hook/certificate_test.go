package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"trivia/internal/config"
)

// A pair is a certificate and its key, in files.
type pair struct{ cert, key string }

func newPair(t *testing.T) pair {
	t.Helper()

	dir := t.TempDir()

	return pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// issue writes a new certificate with that number, and its key unless the
// certificate alone is asked for.
func (p pair) issue(t *testing.T, number int64, keyToo bool) {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "trivia"}, DNSNames: []string{"hook.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, bytes []byte) {
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(p.cert, "CERTIFICATE", der)
	if keyToo {
		write(p.key, "EC PRIVATE KEY", secret)
	}
}

func (p pair) env() env { return env{config.TLSCert: p.cert, config.TLSKey: p.key} }

func TestThePublicListenerSpeaksTLS(t *testing.T) {
	t.Parallel()

	files := newPair(t)
	files.issue(t, 1, true)
	p := start(t, on(newPostgres(t).url).with(files.env()))
	base := strings.Replace(p.public, "http://", "https://", 1)
	s := newSender(t, 1)
	s.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	if a := s.win(base, nthWin(1)); a.status != http.StatusOK {
		t.Errorf("a win over TLS is answered %+v, want 200", a)
	}
	if got := shown(t, p); got != 1 {
		t.Errorf("certificate %d is shown, want 1", got)
	}

	// A renewal is taken by itself; one that is half done is not.
	files.issue(t, 2, false)
	wait(t, "half a renewal is refused", func() bool {
		shown(t, p)
		return len(p.logged(t, "the TLS certificate cannot be used: the one in use stays")) > 0
	})
	if got := shown(t, p); got != 1 {
		t.Errorf("certificate %d is shown after half a renewal, want 1", got)
	}
	files.issue(t, 3, true)
	wait(t, "a renewal is in use", func() bool { return shown(t, p) == 3 })
	files.issue(t, 4, true)
	p.signal(t, syscall.SIGHUP)
	wait(t, "the settings are reloaded", func() bool { return len(p.logged(t, "settings were reloaded")) > 0 })
	if got := shown(t, p); got != 4 {
		t.Errorf("certificate %d is shown after SIGHUP, want 4", got)
	}

	// Plain HTTP is told that it is, and counted; so is what is neither.
	resp, err := http.Get(p.public + "/healthz") //nolint:noctx // it is answered at once
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP is answered %v, %v; want 400", resp, err)
	}
	if err == nil {
		_ = resp.Body.Close()
	}
	config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.public, "http://")); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 was taken")
	}
	wait(t, "both are counted", func() bool {
		_, metrics := get(t, p.private+"/metrics")
		return strings.Contains(metrics, `trivia_refused_total{reason="plain_on_tls"} 1`+"\n") &&
			strings.Contains(metrics, `trivia_refused_total{reason="tls_handshake"} 1`+"\n")
	})
}

// shown returns the number of the certificate that is shown on a new
// connection.
func shown(t *testing.T, p *program) int64 {
	t.Helper()

	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}}
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.public, "http://"))
	if err != nil {
		t.Fatalf("connect by TLS: %v", err)
	}
	defer func() { _ = conn.Close() }()

	over, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatalf("the connection is a %T", conn)
	}

	return over.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestABadCertificateIsAWrongSetting(t *testing.T) {
	t.Parallel()

	files := newPair(t)
	files.issue(t, 1, true)
	files.issue(t, 2, false)
	for name, e := range map[string]env{
		"no pair": files.env(), "no file": {config.TLSCert: "/nowhere.pem", config.TLSKey: "/nowhere.key"}, "half of it": {config.TLSCert: files.cert},
	} {
		p := launch(t, on("postgres://nowhere").with(e))
		if code := p.exit(t); code != exitConfig || !strings.Contains(p.stderr.String(), "TRIVIA_TLS_") {
			t.Errorf("%s: exit code %d and %q, want %d and the setting's name", name, code, p.stderr, exitConfig)
		}
	}
}
