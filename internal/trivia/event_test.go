package trivia_test

import (
	"strings"
	"testing"

	"trivia/internal/trivia"
)

func TestAnAnswerIsReadFromAnActionName(t *testing.T) {
	t.Parallel()

	click := func(response string) trivia.Event {
		return trivia.Event{ObjectType: "in_app", Metric: "clicked", Person: "u1", Response: response}
	}
	tests := []struct {
		name  string
		event trivia.Event
		want  trivia.Answer
		ok    bool
	}{
		{"an answer", click("trivia/capitals/paris"), trivia.Answer{Trivia: "capitals", Text: "paris"}, true},
		{"of any shape", click("trivia/caps 2/Rue de l'Été / 5?"), trivia.Answer{Trivia: "caps 2", Text: "Rue de l'Été / 5?"}, true},
		{
			"as long as it fits", click("trivia/" + strings.Repeat("é", 64) + "/" + strings.Repeat("漢", 255)),
			trivia.Answer{Trivia: trivia.ID(strings.Repeat("é", 64)), Text: strings.Repeat("漢", 255)},
			true,
		},

		{"another button", click("close"), trivia.Answer{}, false},
		{"none", click(""), trivia.Answer{}, false},
		{"no answer", click("trivia/capitals"), trivia.Answer{}, false},
		{"an empty answer", click("trivia/capitals/"), trivia.Answer{}, false},
		{"no trivia", click("trivia//paris"), trivia.Answer{}, false},
		{"another case", click("Trivia/capitals/paris"), trivia.Answer{}, false},
		{"a trivia that cannot be", click("trivia/" + strings.Repeat("t", 65) + "/paris"), trivia.Answer{}, false},
		{"too long an answer", click("trivia/capitals/" + strings.Repeat("a", 256)), trivia.Answer{}, false},
		{"nobody's", trivia.Event{ObjectType: "in_app", Metric: "clicked", Response: "trivia/capitals/paris"}, trivia.Answer{}, false},
		{"not clicked", trivia.Event{ObjectType: "in_app", Metric: "opened", Person: "u1", Response: "trivia/capitals/paris"}, trivia.Answer{}, false},
		{"in an email", trivia.Event{ObjectType: "email", Metric: "clicked", Person: "u1", Response: "trivia/capitals/paris"}, trivia.Answer{}, false},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if got, ok := tt.event.Answer(); got != tt.want || ok != tt.ok {
				t.Errorf("%+v.Answer() = %+v, %t, want %+v, %t", tt.event, got, ok, tt.want, tt.ok)
			}
		})
	}
}
