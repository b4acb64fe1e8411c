package receiver

import (
	"io"
	"net/http"
)

// serveHealth answers /healthz and /readyz, and reports whether it did.
func (rc *Receiver) serveHealth(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}

	switch r.URL.Path {
	case "/healthz":
		_, _ = io.WriteString(w, "ok\n")
	case "/readyz":
		if err := rc.Ready(r.Context()); err != nil {
			// The reason is on the private listener: a stranger may ask here.
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return true
		}
		_, _ = io.WriteString(w, "ready\n")
	default:
		return false
	}

	return true
}
