package operator

import (
	"context"

	"trivia/internal/config"
	"trivia/internal/signature"
	"trivia/internal/source"
	"trivia/internal/stream"
	"trivia/internal/trivia"
)

// stream looks at how the deliveries of each route come. A hook that does not
// answer is the business of another check.
func (e *examination) stream(ctx context.Context) []Finding {
	const name = "stream"

	var hook *Hook
	if e.AdminURL != "" {
		if h, err := (Listener{URL: e.AdminURL, Agent: e.Agent}).Ask(ctx); err == nil {
			hook = &h
		}
	}
	routes, err := e.op.Routes(ctx, hook, e.Settings.QuietAfter)
	if err != nil {
		return one(name, Broken, short(ctx, err), "")
	}

	var found []Finding
	for _, r := range routes {
		f := routeFinding(r)
		f.Check = name
		found = append(found, f)
	}

	return found
}

// routeFinding says what a judgement asks of a person. A limit that somebody has
// set is a fault to pass; what was usual is only a guess.
func routeFinding(r Route) Finding {
	f := Finding{Health: Healthy, Says: "of " + string(r.Kind) + "s: " + r.Says(string(r.Kind), string(r.Kind)+"s")}
	switch r.State {
	case stream.Flowing:
	case stream.Quiet:
		// Where nothing can be won, no win comes.
		if r.Unusual && (r.Kind == trivia.KindEvent || r.Limit > 0) {
			f.Health = Odd
			f.Mend = "the other route is not silent, so that the hook can be reached: is this one switched on in Customer.io, with the right address?"
		}
	case stream.Draining:
		f.Health = Odd
		f.Mend = "wait; the log of trivia-hook, and of what is in front of it, tells what held them back"
	case stream.FallingBehind:
		f.Health = Broken
		f.Mend = "Customer.io sends one after the other: 503s, trivia_request_seconds and trivia_commit_seconds at /metrics tell whether trivia-hook holds it up"
	case stream.Blocked:
		f.Health, f.Mend = Broken, unblock(r)
	case stream.Unreachable:
		f.Health = Odd
		if r.Limit > 0 {
			f.Health = Broken
		}
		f.Mend = "can Customer.io reach the address that it was given (DNS, TLS, proxy, firewall)? its page of the webhook shows errors; whom it could not reach it leaves alone for an hour"
	}

	return f
}

// unblock says what to do about most of the refusals.
func unblock(r Route) string {
	if r.Unready != "" {
		return "see what is said of the database and the disk; mostly it is that"
	}
	switch r.Refused.Reason {
	case source.ReasonNotListed, source.ReasonUnreadableHop, source.ReasonUnreadablePeer:
		check := "ADDRESS"
		if r.Refused.Reason == source.ReasonNotListed && r.Refused.From != "" {
			check = r.Refused.From
		}

		return "triviactl sources check " + check + " tells by which rule; is it that of a proxy of ours, name it in " + config.TrustedProxies
	case signature.ReasonMismatch, signature.ReasonBadSignature, signature.ReasonNoSignature:
		return "compare the signing key of this route with Customer.io's: triviactl keys list, " + config.WebhookSecret + " and " + config.ActionSecret
	case signature.ReasonStale, signature.ReasonBadTimestamp, signature.ReasonNoTimestamp:
		return "let this machine keep time with NTP, or set " + config.SignatureTolerance + " to 0"
	}

	return "the log of trivia-hook and /refused of its private listener tell more of " + r.Refused.Reason
}
