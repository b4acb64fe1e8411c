package config

import (
	"cmp"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode"
)

func (r *reader) hostPort(name, otherwise string) string {
	const expected = "host:port with a port from 0 to 65535, such as 127.0.0.1:8080, [::1]:8080 or :8080"

	value := cmp.Or(r.text(name), otherwise)
	host, port, err := net.SplitHostPort(value)
	if err != nil || !isHost(host) {
		r.complain(name, quote(value), expected)

		return ""
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		r.complain(name, quote(value), expected)

		return ""
	}

	return value
}

// atLeast reads a duration that must not be shorter than least.
func (r *reader) atLeast(name, otherwise string, least time.Duration) time.Duration {
	value := cmp.Or(r.text(name), otherwise)
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		r.complain(name, quote(value), "a duration of at least "+least.String()+", such as 650s or 15m")

		return 0
	}

	return d
}

// connections reads how many connections there may be, 0 if that is not said.
func (r *reader) connections() int {
	const least, most = 16, 1 << 20

	value := r.text(MaxConnections)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		r.complain(MaxConnections, quote(value), fmt.Sprintf("a whole number from %d to %d", least, most))

		return 0
	}

	return n
}

// isHost reports whether host can be listened on: nothing, an address, or a
// name.
func isHost(host string) bool {
	if strings.ContainsAny(host, ":%") {
		address, _, _ := strings.Cut(host, "%")

		return net.ParseIP(address) != nil
	}

	return !strings.ContainsFunc(host, func(c rune) bool {
		return c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '.' && c != '-' && c != '_'
	})
}

// collide reports whether two listeners cannot both listen. Port 0 never
// collides.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil {
		return false // complained about already
	}

	numberA, _ := strconv.Atoi(portA)
	numberB, _ := strconv.Atoi(portB)
	if numberA != numberB || numberA == 0 {
		return false
	}

	return everywhere(hostA) || everywhere(hostB) || sameHost(hostA, hostB)
}

func everywhere(host string) bool {
	ip := net.ParseIP(host)

	return host == "" || ip != nil && ip.IsUnspecified()
}

func sameHost(a, b string) bool {
	ipA, ipB := net.ParseIP(a), net.ParseIP(b)
	switch {
	case ipA != nil && ipB != nil:
		return ipA.Equal(ipB)
	case ipA != nil:
		return ipA.IsLoopback() && strings.EqualFold(b, "localhost")
	case ipB != nil:
		return ipB.IsLoopback() && strings.EqualFold(a, "localhost")
	}

	return strings.EqualFold(a, b)
}
