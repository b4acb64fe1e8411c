package receiver

import (
	"bytes"
	"net/http"
	"strings"
)

// framedTwice reports whether a request says in two ways where its body ends.
// Net/http goes by the chunks and drops the length without a word; a proxy
// before us may have gone by the length, and taken for the body what we would
// take for another request of its.
func framedTwice(r *http.Request) bool {
	if len(r.TransferEncoding) == 0 {
		return false
	}
	c := connOf(r.Context())
	if c == nil {
		return false // no gate: what came over the wire is not known
	}

	header, _, whole := bytes.Cut(c.header, endOfHeader)
	if !whole || !bytes.HasPrefix(header, []byte(r.Method+" ")) {
		return true // sent before the answer to the one before it, which is how to hide a length
	}
	for line := range bytes.Lines(header) {
		if name, _, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(bytes.TrimSpace(name)), "Content-Length") {
			return true
		}
	}

	return false
}
