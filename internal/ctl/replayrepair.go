package ctl

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"trivia/internal/operator"
)

// repair shows the repaired copy of one delivery, asks, and settles it.
func (s *session) repair(ctx context.Context, do verbs, r replayCall) error {
	source := r.set.Rows[0]
	repair := operator.Repair{Source: source, With: r.with, Reason: r.reason, CreateUsers: r.create, Owing: r.owing}
	preview, err := do.PreviewRepair(ctx, repair)
	if err != nil {
		return hintUnrepairable(err)
	}
	if r.format == formatTable || r.dryRun {
		s.showRepair(r, preview, true)
	}
	if r.dryRun {
		s.previewed = 1

		return nil
	}
	question := fmt.Sprintf("repair %q, which would then be %s", source.Key, preview.After)
	if err := s.confirmUntil(ctx, r.yes, 1, question); err != nil {
		return err
	}

	done, err := do.Repair(ctx, repair)
	if err != nil {
		return hintUnrepairable(err)
	}
	if r.format == formatTable {
		s.print("%s kept, and settled: %s\n", shellWord(done.Copy.Key), repairEnd(done))

		return nil
	}
	s.showRepair(r, done, false)

	return nil
}

func repairEnd(done operator.Repaired) string {
	if done.Reason == "" {
		return done.After.String()
	}

	return done.After.String() + ", " + done.Reason
}

func hintUnrepairable(err error) error {
	if errors.Is(err, operator.ErrNotRepairable) {
		return hinted{err, "--with-user, --with-trivia and --with-item put words right; nothing was done"}
	}

	return err
}

func (s *session) showRepair(r replayCall, done operator.Repaired, dryRun bool) {
	source := r.set.Rows[0]
	before := operator.Standing{State: source.State, Outcome: source.Outcome}
	if r.format == formatJSON {
		s.print("%s\n", encoded(struct {
			DryRun bool   `json:"dry_run"`
			Key    string `json:"key"`
			Sum    string `json:"body_sha256"`
			Before string `json:"before"`
			Copy   string `json:"copy"`
			User   string `json:"user_id"`
			Trivia string `json:"trivia_id"`
			Item   string `json:"item"`
			After  string `json:"after"`
			Reason string `json:"reason,omitempty"`
		}{
			dryRun, source.Key, hex.EncodeToString(source.SHA256), before.String(), done.Copy.Key,
			string(done.Copy.Win.User), string(done.Copy.Win.Trivia), string(done.Copy.Win.Item), done.After.String(), done.Reason,
		}))

		return
	}

	s.card(
		line{"key", []any{source.Key}}, line{"before", []any{before.String(), source.Reason}},
		line{"copy", []any{done.Copy.Key}},
		line{"user", []any{done.Copy.Win.User}}, line{"trivia", []any{done.Copy.Win.Trivia}}, line{"item", []any{done.Copy.Win.Item}},
		line{"after", []any{done.After.String(), done.Reason}},
	)
	s.body(done.Copy.Body)
	if !dryRun || !r.dryRun {
		s.print("\n")
	}
}
