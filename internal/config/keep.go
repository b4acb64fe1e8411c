package config

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Keep says how long what came is kept, by when it came. Zero means for ever.
type Keep struct {
	Bodies, Deliveries, Events, Pushes time.Duration
}

const (
	day = 24 * time.Hour

	// Customer.io repeats an event for seven days: what is gone sooner would be
	// counted twice.
	leastKept = 8 * day
	mostKept  = 100 * 365 * day
)

func (r *reader) keep() Keep {
	return Keep{
		Bodies:     r.age(KeepBodies, day), // a repeat is known without its body
		Deliveries: r.age(KeepDeliveries, leastKept),
		Events:     r.age(KeepEvents, leastKept),
		Pushes:     r.age(KeepPushes, leastKept),
	}
}

// age reads how old something may become: days, or what time.ParseDuration
// reads.
func (r *reader) age(name string, least time.Duration) time.Duration {
	value := cmp.Or(r.text(name), defaultKeep)
	d, err := parseAge(value)
	if err != nil || d != 0 && (d < least || d > mostKept) {
		r.complain(name, quote(value), fmt.Sprintf("%dd or more, such as 90d or 2160h, or 0 for ever", least/day))

		return 0
	}

	return d
}

func parseAge(value string) (time.Duration, error) {
	number, ok := strings.CutSuffix(value, "d")
	if !ok {
		return time.ParseDuration(value)
	}
	days, err := strconv.ParseUint(number, 10, 16)

	return time.Duration(days) * day, err
}
