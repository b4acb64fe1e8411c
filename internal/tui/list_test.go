package tui

import (
	"errors"
	"fmt"
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

func TestListsInTheMiddleOfThings(t *testing.T) {
	t.Parallel()

	for _, size := range sizes {
		at := fmt.Sprintf("-%dx%d", size[0], size[1])
		stageAt := func(t *testing.T, words ...string) (*stage, *shelves) {
			t.Helper()
			d, shelves := newDesk(1000)

			return newStage(t, d, pageDeliveries, size[0], size[1], words...), shelves
		}
		for name, play := range map[string]func(*stage, *shelves){
			"new": func(s *stage, shelves *shelves) {
				shelves.deliveries.lay(deliveryNumber(1001))
				shelves.deliveries.arrived = 1234
				s.press("down", "down", " ")
				s.beat()
			},
			"following": func(s *stage, _ *shelves) { s.press("f") },
			"filter": func(s *stage, _ *shelves) {
				s.press("/")
				s.write("--state ")
				s.press("tab")
			},
			"mistake": func(s *stage, _ *shelves) {
				s.press("/")
				s.write("--stat parked")
				s.press("enter")
			},
			"parked": func(s *stage, _ *shelves) { s.press("!") },
			"nomatch": func(s *stage, _ *shelves) {
				s.press("/")
				s.write("zebra")
				s.press("enter")
			},
			"lost": func(s *stage, shelves *shelves) {
				shelves.fail(errors.New("list deliveries: context deadline exceeded"))
				s.press("g")
			},
			"searching": func(s *stage, shelves *shelves) {
				shelves.deliveries.stretch = 100
				held := s.hold()
				s.press("/")
				s.write("user-98")
				s.press("enter")
				held.next()
			},
		} {
			t.Run(name+at, func(t *testing.T) {
				t.Parallel()
				s, shelves := stageAt(t)
				s.frame.View()
				play(s, shelves)
				s.golden("deliveries-" + name + at)
			})
		}
	}
}
