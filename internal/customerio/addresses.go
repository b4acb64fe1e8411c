package customerio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"trivia/internal/source"
)

const (
	pathAddresses = "/v1/info/ip_addresses"
	maxAddresses  = 256 << 10 // bytes of the list; a thousand addresses are 50 KB
)

// Addresses asks the App API at base which addresses its region's webhooks
// come from. Nobody signs in for that. The answer has stood up to
// [source.Judge]; any other is an error.
func Addresses(ctx context.Context, base string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()

	body, err := getAddresses(ctx, base+pathAddresses)
	if err == nil {
		var addresses []string
		if addresses, err = readAddresses(body); err == nil {
			return addresses, nil
		}
	}

	return nil, fmt.Errorf("ask for Customer.io's addresses: %w", err)
}

// getAddresses returns the body of an answer that is 200, and not too long.
func getAddresses(ctx context.Context, address string) ([]byte, error) {
	w := newWire(ClientOptions{Now: unhurried})
	defer w.http.CloseIdleConnections()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, unanswered(err)
	}
	defer func() { _ = resp.Body.Close() }()

	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAddresses+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, w.refused(resp, body)
	case err != nil:
		return nil, unanswered(err)
	case len(body) > maxAddresses:
		return nil, fmt.Errorf("the answer has more than %d KiB", maxAddresses>>10)
	}

	return body, nil
}

// unhurried is the clock of a wire whose caller does not look at Retry-After.
func unhurried() time.Time { return time.Time{} }

// readAddresses reads an answer and judges what it says.
func readAddresses(body []byte) ([]string, error) {
	var answer struct {
		Addresses []string `json:"ip_addresses"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return nil, fmt.Errorf("the answer has a %s in %s, want a list of texts", wrong.Value, wrong.Field)
		}

		return nil, fmt.Errorf(`the answer is not {"ip_addresses": […]}, it begins with %s`, beginning(body))
	}
	if answer.Addresses == nil {
		return nil, fmt.Errorf("the answer has no ip_addresses, it begins with %s", beginning(body))
	}

	return source.Judge(answer.Addresses)
}

// beginning quotes the first of an answer, for an error.
func beginning(body []byte) string {
	const most = 60

	return strconv.Quote(clip((&wire{}).words(body[:min(len(body), 4*most)]), most))
}
