package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"trivia/internal/customerio"
)

// What net/http refuses by itself, before any handler of ours sees it, is
// counted, logged and shown like the rest, and answered without a reset.
func TestWhatTheServerRefusesByItselfIsSaid(t *testing.T) {
	t.Parallel()

	post := "POST " + customerio.PathEvent + " HTTP/1.1\r\nHost: trivia\r\n"
	tests := []struct {
		name, sent string
		status     int // 0: none
		reason     string
		hint       string // something of it
	}{
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x8a", 500), 400, "tls_on_plain", "TRIVIA_TLS_CERT"},
		{"PROXY protocol 1", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + post + "\r\n", 400, "proxy_protocol", "X-Forwarded-For"},
		{"PROXY protocol 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + post + "\r\n", 400, "proxy_protocol", "X-Forwarded-For"},
		{"no request line", "hello\r\n\r\n", 400, "bad_request", ""},
		{"a bad path", "GET /%zz HTTP/1.1\r\nHost: trivia\r\n\r\n", 400, "bad_request", ""},
		{"a bad header", post + "Bad Header: x\r\n\r\n", 400, "bad_request", ""},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, "bad_request", ""},
		{"lengths that differ", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400, "bad_request", ""},
		{"a length that is none", post + "Content-Length: x\r\n\r\n", 400, "bad_request", ""},
		{"a length and chunks", post + "content-length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "framing", ""},
		{"another coding", post + "Transfer-Encoding: gzip\r\n\r\n", 501, "transfer_encoding", ""},
		{"another expectation", post + "Expect: tea\r\n\r\n", 417, "expectation", ""},
		{"another version", "GET / HTTP/3.0\r\nHost: trivia\r\n\r\n", 505, "http_version", ""},
		{"a header without end", post + "X-Long: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 431, "header_too_large", ""},
		{"half a header", post + "X-", 0, "unfinished_request", ""},
		{"odd characters", "GE\u202eT\x1b[2J / HTTP/1.1\r\n\r\n", 400, "bad_request", ""},
	}

	p := start(t, on(newPostgres(t).url))
	counts := map[string]int{}
	for _, tt := range tests {
		counts[tt.reason]++
		c := newCaller(t, p.public, nthWin(0))
		if _, err := c.conn.Write([]byte(tt.sent)); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if tt.status == 0 {
			_ = c.conn.Close()
			continue
		}
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s is answered %v, %v; want %d", tt.name, resp, err, tt.status)
			continue
		}
		_ = resp.Body.Close()
		_ = c.conn.Close()
	}

	total := len(tests)
	wait(t, "all of them are logged", func() bool { return p.countLogged(t, "request refused") >= total })
	_, metrics := get(t, p.private+"/metrics")
	for reason, n := range counts {
		if want := fmt.Sprintf("trivia_refused_total{reason=%q} %d\n", reason, n); !strings.Contains(metrics, want) {
			t.Errorf("/metrics does not say %s%s", want, ours(metrics))
		}
	}
	if _, refused := get(t, p.private+"/refused"); strings.Count(refused, `"status"`) != total {
		t.Errorf("/refused = %s, want %d", refused, total)
	}
	for _, r := range p.logged(t, "request refused") {
		for _, tt := range tests {
			if tt.hint != "" && r.text("reason") == tt.reason && !strings.Contains(r.text("hint"), tt.hint) {
				t.Errorf("%s is logged as %v, want a hint at %q", tt.name, r, tt.hint)
			}
		}
	}
	if strings.ContainsAny(p.stderr.String(), "\u202e\x1b") {
		t.Errorf("the log holds what a stranger chose as it came:\n%s", p.stderr)
	}
}
