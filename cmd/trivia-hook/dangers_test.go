package main

import (
	"strings"
	"testing"

	"trivia/internal/config"
)

func TestStartWarnsOfWhatIsDangerous(t *testing.T) {
	t.Parallel()

	safe := env{config.Environment: "production", config.WebhookSecret: "a-long-" + eventKey, config.ActionSecret: "a-long-" + actionKey}
	tests := []struct {
		name    string
		more    env
		setting string // "": there is no warning
		why     string // something of it
	}{
		{"nothing is", nil, "", ""},
		{"everybody is a proxy", env{config.TrustedProxies: "0.0.0.0/0"}, config.TrustedProxies, "any address"},
		{"everybody is a proxy, in IPv6", env{config.TrustedProxies: "::/0"}, config.TrustedProxies, "any address"},
		{"half of the internet is", env{config.TrustedProxies: "128.0.0.0/1"}, config.TrustedProxies, "any address"},
		{"a private network is a proxy", env{config.TrustedProxies: "10.0.0.0/8"}, "", ""},
		{"anybody may call", env{config.Sources: "any"}, config.Sources, "only signatures"},
		{"anybody may call, in another word", env{config.Sources: "0.0.0.0/0"}, config.Sources, "only signatures"},
		{"the private listener is public", env{config.AdminListen: ":0"}, config.AdminListen, "other machines"},
		{"the private listener has another name", env{config.AdminListen: "0.0.0.0:0"}, config.AdminListen, "other machines"},
		{"loopback in IPv6", env{config.AdminListen: "[::1]:0"}, "", ""},
		{"a short key", env{config.WebhookSecret: "a-long-" + eventKey + "," + hidden}, config.WebhookSecret, "key 2 has fewer than 16 characters"},
		{"a placeholder", env{config.ActionSecret: "your-" + hidden + "-signing-key"}, config.ActionSecret, "key 1 looks like a placeholder"},
		{"what make run uses", env{config.WebhookSecret: "dev-signing-key"}, config.WebhookSecret, "placeholder"},
		{"a key with one quote", env{config.WebhookSecret: `"a-long-` + eventKey}, config.WebhookSecret, "a quote"},
		{"a short key of a developer", env{config.Environment: "development", config.WebhookSecret: hidden}, "", ""},
		{"a quote of a developer", env{config.Environment: "development", config.WebhookSecret: hidden + "'"}, config.WebhookSecret, "a quote"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			e := on("postgres://trivia").with(safe).with(tt.more)
			set, err := readSettings(func(name string) string { return e[name] }, false)
			if err != nil {
				t.Fatal(err)
			}
			got := dangersOf(set.Hook)
			if tt.setting == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].setting != tt.setting || !strings.Contains(got[0].why, tt.why) || strings.Contains(got[0].why, hidden) {
				t.Errorf("dangers = %v, want one of %s with %q", got, tt.setting, tt.why)
			}
		})
	}
}

func TestQuotesOfAnEnvFileAreRemovedAndSaid(t *testing.T) {
	t.Parallel()

	p := start(t, on(newPostgres(t).url).with(env{
		config.WebhookSecret: `"` + eventKey + `"`, config.Sources: "'any'", config.ActionSecret: `"` + actionKey + `","another-` + hidden + `"`,
	}))
	if a := newSender(t, 1).win(p.public, nthWin(1)); a.status != 200 {
		t.Errorf("a win is answered %+v, want 200: the quotes are no part of the keys", a)
	}
	var named []string
	for _, r := range p.logged(t, "quotes around a setting are no part of it, and were removed: docker --env-file, for one, keeps them") {
		named = append(named, r.text("setting"))
	}
	if got, want := strings.Join(named, " "), config.WebhookSecret+" "+config.ActionSecret+" "+config.Sources; got != want {
		t.Errorf("quotes are said to be removed from %q, want %q", got, want)
	}
	if got := p.logged(t, "a setting is dangerous as it is"); len(got) != 1 || got[0].text("setting") != config.Sources {
		t.Errorf("dangers: %v, want one line about the sources", got)
	}
}
