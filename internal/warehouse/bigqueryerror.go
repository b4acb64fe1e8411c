package warehouse

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
)

// mostReason is how much of an error's text is kept, in bytes.
const mostReason = 500

// answerOf returns what BigQuery said, if it is an answer of BigQuery.
func answerOf(err error) *googleapi.Error {
	answer, _ := errors.AsType[*googleapi.Error](err)

	return answer
}

// brief puts into short words what came of a call. An answer comes with its
// whole body, which may be a proxy's page of HTML.
func brief(err error) error {
	answer := answerOf(err)
	if lost, ok := errors.AsType[*url.Error](err); answer == nil && ok {
		at, _, _ := strings.Cut(lost.URL, "?")

		return answered{fmt.Sprintf("no answer from %s: %v", at, lost.Err), err}
	}
	if answer == nil {
		return err
	}
	text := answer.Message
	if text == "" {
		text = http.StatusText(answer.Code)
	}
	if reason := reasonOf(answer); reason != "" {
		text = reason + ": " + text
	}

	return answered{fmt.Sprintf("BigQuery answers %d %s", answer.Code, short(text)), err}
}

// answered is an error with other words.
type answered struct {
	text string
	error
}

func (a answered) Error() string { return a.text }
func (a answered) Unwrap() error { return a.error }

// short is a text from outside on one line, not too long.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= mostReason {
		return text
	}

	return strings.ToValidUTF8(text[:mostReason], "") + "…"
}

func reasonOf(answer *googleapi.Error) string {
	if len(answer.Errors) == 0 {
		return ""
	}

	return answer.Errors[0].Reason
}

// isQuota reports whether BigQuery only wants less of us.
func isQuota(answer *googleapi.Error) bool {
	switch reasonOf(answer) {
	case "rateLimitExceeded", "quotaExceeded", "userRateLimitExceeded", "jobRateLimitExceeded":
		return true
	}

	return answer.Code == http.StatusTooManyRequests
}

// isRows reports whether a call failed for what is in its rows, or for how
// many there are: some of them alone may do better.
func isRows(answer *googleapi.Error) bool {
	if answer == nil || isQuota(answer) {
		return false
	}

	return answer.Code == http.StatusBadRequest || answer.Code == http.StatusRequestEntityTooLarge
}

// isSize reports whether a call failed for how large it was.
func isSize(answer *googleapi.Error) bool {
	return answer.Code == http.StatusRequestEntityTooLarge || strings.Contains(answer.Message, "payload size exceeds")
}

// A fault is what BigQuery says is wrong with one row.
type fault struct {
	reason  string // in words
	again   bool   // it is not the row's: it may go well next time
	stopped bool   // others of the call have faults
	payload bool   // it may be the payload's
}

// faultOf reads the errors of a row. Without any, or with such as have no words,
// it is taken for stopped: so BigQuery has said that others are at fault.
func faultOf(row bigquery.RowInsertionError) fault {
	f := fault{stopped: true}
	var words []string
	for _, err := range row.Errors {
		e, ok := errors.AsType[*bigquery.Error](err)
		if !ok {
			words, f.stopped = append(words, err.Error()), false

			continue
		}
		switch e.Reason {
		case "stopped":
			continue
		case "backendError", "internalError", "timeout", "rateLimitExceeded", "quotaExceeded", "tableUnavailable", "resourcesExceeded":
			f.again = true
		}
		if e.Message == "" && e.Location == "" {
			continue
		}
		f.stopped = false
		f.payload = f.payload || e.Location == "" || strings.HasPrefix(e.Location, payloadColumn)
		words = append(words, strings.Trim(e.Reason+" "+e.Location, " ")+": "+e.Message)
	}
	f.reason = short(strings.Join(words, "; "))

	return f
}
