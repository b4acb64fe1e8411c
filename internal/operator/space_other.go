//go:build !linux && !darwin && !freebsd

package operator

func space(string) (free, all uint64, err error) { return 0, 0, errNoSpace }
