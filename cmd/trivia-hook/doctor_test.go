package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trivia/internal/config"
)

// doctor runs the doctor of a service with the settings e, and returns its exit
// code and what it says of each check, as "state: reason".
func (p *program) doctor(t *testing.T, e env, words ...string) (int, map[string]string) {
	t.Helper()

	args := append([]string{"doctor", "--output", "json", "--url", p.public, "--admin-url", p.private}, words...)
	cmd := exec.CommandContext(t.Context(), filepath.Join(build(t), "bin", "triviactl"), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range e {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	said, err := cmd.Output()
	if strings.Contains(string(said), hidden) {
		t.Errorf("triviactl doctor has printed a secret:\n%s", said)
	}
	var rows []struct{ Check, State, Reason string }
	if jsonErr := json.Unmarshal(said, &rows); jsonErr != nil {
		t.Fatalf("triviactl doctor: %v\n%s", err, said)
	}
	found := map[string]string{}
	for _, row := range rows {
		found[row.Check] += row.State + ": " + row.Reason + "\n"
	}

	return cmd.ProcessState.ExitCode(), found
}

func TestTheDoctorFindsOutWhichKeysAServiceKnows(t *testing.T) {
	t.Parallel()

	db := newPostgres(t)
	e := on(db.url)
	p := start(t, e)
	sendTogether(t, p, 1, 2)

	code, found := p.doctor(t, e)
	if code != exitDone || !strings.Contains(found["signatures"], "of wins: what is forged is refused, key "+keyOf(t, actionKey).Fingerprint()+" is known") ||
		!strings.Contains(found["signatures"], "key "+keyOf(t, eventKey).Fingerprint()+" is known") || !strings.HasPrefix(found["listener"], "ok: ") {
		t.Errorf("of a healthy service: exit code %d, %v", code, found)
	}
	db.want(t, `SELECT key FROM deliveries`, nthWin(1).key) // nothing was kept

	code, found = p.doctor(t, e.with(env{config.ActionSecret: nextKey}))
	if code != exitFailed || !strings.Contains(found["signatures"], "failed: of wins: the hook does not know key "+keyOf(t, nextKey).Fingerprint()) {
		t.Errorf("with another key than the service: exit code %d, %v", code, found)
	}

	code, found = p.doctor(t, e, "--probe")
	if code != exitDone || !strings.HasPrefix(found["probe"], "ok: a signed event was kept") {
		t.Errorf("with --probe: exit code %d, %s", code, found["probe"])
	}
	db.want(t, `SELECT object_type || ' ' || metric FROM events`, "doctor probe")
	db.want(t, `SELECT count(*)::text FROM pushes WHERE cause = 'event'`, "0")

	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	if code, found = p.doctor(t, e); code != exitFailed || !strings.HasPrefix(found["listener"], "failed: ") ||
		!strings.Contains(found["key uses"], "ok: a key of the win route last matched") {
		t.Errorf("of a service that is gone: exit code %d, %v", code, found)
	}
	if len(p.logged(t, "request refused")) == 0 {
		t.Error("what was probed is not in the log")
	}
}
