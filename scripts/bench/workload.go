package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"trivia/internal/customerio"
	"trivia/internal/signature"
)

// A workload is a kind of request.
type workload struct {
	name     string
	requests func(key signature.Key, n, users int) [][]byte // as they go over the wire, signed beforehand
	proof    map[string]string                              // by version: counts that must agree
}

var workloads = map[string]workload{
	"wins": {"wins", winRequests, map[string]string{
		"plain":       winProof,
		"trivia-hook": winProof,
	}},
	"events": {"events", eventRequests, map[string]string{
		"plain": `SELECT count(*) FROM events`,
		"trivia-hook": `
			SELECT count(*) FROM events UNION ALL
			SELECT count(*) FROM deliveries WHERE outcome = 'recorded'`,
	}},
}

const winProof = `
	SELECT count(*) FROM trivia_wins UNION ALL
	SELECT count(*) FROM prizes UNION ALL
	SELECT count(*) FROM pushes UNION ALL
	SELECT count(*) FROM deliveries WHERE outcome = 'awarded'`

// winRequests returns wins of different users, as far as there are any.
func winRequests(key signature.Key, n, users int) [][]byte {
	requests := make([][]byte, n)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	for i := range requests {
		name := newName()
		body := fmt.Sprintf(
			`{"user_id":"user-%d","trivia_id":"trivia-%d","item":"mug","campaign":"spring","delivery_id":"%x"}`,
			i%users, i/users, name[:8])
		requests[i] = request(key, customerio.PathWin, stamp,
			fmt.Sprintf("%s: %s\r\n", customerio.HeaderIdempotencyKey, hex.EncodeToString(name[:])), body)
	}

	return requests
}

// mix is what a campaign reports, in a hundred events: a quarter of them asks
// for a push by the default policy.
var mix = []struct {
	share          int
	object, metric string
	more           string // of data
}{
	{26, "email", "sent", `,"subject":"Your weekly trivia","recipient":"%s"`},
	{25, "email", "delivered", `,"subject":"Your weekly trivia","recipient":"%s"`},
	{18, "email", "opened", `,"subject":"Your weekly trivia","recipient":"%s","proxied":false,"prefetched":false`},
	{5, "email", "clicked", `,"subject":"Your weekly trivia","recipient":"%s","href":"https://example.com/trivia/capitals?utm_source=email","link_id":42`},
	{1, "email", "bounced", `,"subject":"Your weekly trivia","recipient":"%s","failure_message":"550 5.1.1 no such user"`},
	{1, "email", "unsubscribed", `,"subject":"Your weekly trivia","recipient":"%s"`},
	{8, "in_app", "sent", `,"recipient":"%s"`},
	{7, "in_app", "opened", `,"recipient":"%s"`},
	{6, "in_app", "clicked", `,"recipient":"%s","tracked_response":"trivia/capitals/paris","href":"","link_id":7`},
	{3, "sms", "delivered", `,"recipient":"%s"`},
}

// eventRequests returns events of different people and campaigns.
func eventRequests(key signature.Key, n, users int) [][]byte {
	requests := make([][]byte, n)
	begin := time.Now()
	now := begin.Unix()
	stamp := strconv.FormatInt(now, 10)
	for i := range requests {
		name := newName()
		// As the vendor's: made of the time and of chance.
		id := customerio.EventID(begin.Add(time.Duration(i)*50*time.Microsecond), string(name[:]))
		user, email := fmt.Sprintf("user-%d", i%users), fmt.Sprintf("user-%d@example.com", i%users)
		share, kind := int(name[15])*100/256, 0
		for share >= mix[kind].share {
			share -= mix[kind].share
			kind++
		}
		m := mix[kind]
		body := fmt.Sprintf(
			`{"event_id":"%s","object_type":"%s","metric":"%s","timestamp":%d,"data":{"customer_id":"%s",`+
				`"identifiers":{"id":"%s","email":"%s","cio_id":"a1b2%08x"},"delivery_id":"dgTGlA%x",`+
				`"campaign_id":%d,"action_id":%d,"trigger_event_id":"01E4C4CT6YDC7Y5M7FE1GWWPQJ"%s}}`,
			id, m.object, m.metric, now-int64(name[14]), user, user, email, i%users, name[:8],
			int(name[13])%20, 96, fmt.Sprintf(m.more, email))
		requests[i] = request(key, customerio.PathEvent, stamp, "", body)
	}

	return requests
}

func newName() (name [16]byte) {
	_, _ = rand.Read(name[:]) // never fails

	return name
}

func request(key signature.Key, path, stamp, headers, body string) []byte {
	return fmt.Appendf(nil,
		"POST %s HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n"+
			"%s%s: %s\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, headers, signature.HeaderTimestamp, stamp,
		signature.HeaderSignature, signature.Sign(key, stamp, []byte(body)), len(body), body)
}
