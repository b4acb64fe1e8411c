package tui

import (
	"errors"
	"testing"
)

func listPages() []pageName {
	return []pageName{pageWins, pageDeliveries, pageEvents, pagePushes, pageAudit}
}

func TestListsAtAllSizes(t *testing.T) {
	t.Parallel()

	for _, page := range listPages() {
		goldens(t, page, "full", func() Desk { d, _ := newDesk(1000); return d })
		goldens(t, page, "empty", func() Desk { d, _ := newDesk(0); return d })
		goldens(t, page, "failing", func() Desk {
			d, s := newDesk(0)
			s.fail(errors.New("list rows: dial tcp 10.0.0.7:5432: connect: connection refused"))

			return d
		})
	}
}
