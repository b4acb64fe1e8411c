package pgembed

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
)

// brewMajor is what to install on macOS when any version will do: packages
// there have a version in their names.
const brewMajor = 17

// advice says how to install Postgres of a major version (0 = any) here.
func advice(major int) string {
	text, _ := os.ReadFile("/etc/os-release") // absent on macOS; then it does not matter
	become := "sudo "
	if os.Geteuid() == 0 {
		become = ""
	}

	return adviceFor(runtime.GOOS, string(text), become, major)
}

var familyPattern = regexp.MustCompile(`(?m)^(?:ID|ID_LIKE)=.*\b(debian|ubuntu|fedora|rhel|centos|alpine)\b`)

func adviceFor(goos, osRelease, become string, major int) string {
	family := goos
	if match := familyPattern.FindStringSubmatch(osRelease); match != nil {
		family = match[1]
	}
	version := ""
	if major != 0 {
		version = strconv.Itoa(major)
	}

	switch family {
	case "darwin":
		if major == 0 {
			version = strconv.Itoa(brewMajor)
		}

		return fmt.Sprintf("install it with `brew install postgresql@%s`", version)
	case "debian", "ubuntu":
		if major != 0 {
			version = "-" + version
		}

		return fmt.Sprintf("install it with `%sapt-get install -y --no-install-recommends postgresql%s`", become, version)
	case "fedora", "rhel", "centos":
		return fmt.Sprintf("install it with `%sdnf install -y postgresql-server`", become)
	case "alpine":
		return fmt.Sprintf("install it with `%sapk add postgresql%s`", become, version)
	default:
		if major == 0 {
			version = strconv.Itoa(oldestMajor) + " or newer"
		}

		return fmt.Sprintf("install the server of PostgreSQL %s with your package manager", version)
	}
}
