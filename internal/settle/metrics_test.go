package settle_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"trivia/internal/diag"
)

// metricsOf returns what a scrape shows.
func metricsOf(t *testing.T, m *diag.Metrics) string {
	t.Helper()

	w := httptest.NewRecorder()
	diag.Handler(m, &diag.Refusals{}).ServeHTTP(w,
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))

	return w.Body.String()
}
