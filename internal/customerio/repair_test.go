package customerio_test

import (
	"testing"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

func TestARepairChangesNoMoreThanItIsAskedTo(t *testing.T) {
	t.Parallel()

	var (
		mug = trivia.Win{Item: "mug"}
		all = trivia.Win{User: "u1", Trivia: "t1", Item: `a "big" <mug>`}
	)
	tests := []struct {
		name, body string
		with       trivia.Win
		want       string
		win        trivia.Win
		reason     string
	}{
		{
			"an item that is missing", `{"user_id":"u1","trivia_id":"t1"}`, mug,
			`{"user_id":"u1","trivia_id":"t1","item":"mug"}`,
			trivia.Win{User: "u1", Trivia: "t1", Item: "mug"},
			"",
		},
		{
			"an item that is blank, among other things", "{\n  \"item\": \" \",\n  \"user_id\": 7, \"trivia_id\": \"t1\", \"note\": \"}\"\n}\n", mug,
			"{\n  \"item\": \" \",\n  \"user_id\": 7, \"trivia_id\": \"t1\", \"note\": \"}\",\"item\":\"mug\"}\n",
			trivia.Win{User: "7", Trivia: "t1", Item: "mug"},
			"",
		},
		{"an empty object", `{ }`, all, `{"user_id":"u1","trivia_id":"t1","item":"a \"big\" \u003cmug\u003e"}`, all, ""},
		{"no JSON", `user_id=u1`, all, `{"user_id":"u1","trivia_id":"t1","item":"a \"big\" \u003cmug\u003e"}`, all, ""},
		{"no text", "{\"a\":\"\xff\"}", all, `{"user_id":"u1","trivia_id":"t1","item":"a \"big\" \u003cmug\u003e"}`, all, ""},
		{"no JSON, and too little said", `user_id=u1`, mug, `{"item":"mug"}`, trivia.Win{}, "user_id is missing"},
		{"another word is wrong", `{"user_id":null,"trivia_id":"t1"}`, mug, `{"user_id":null,"trivia_id":"t1","item":"mug"}`, trivia.Win{}, "user_id is null, want text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			body, win, err := customerio.RepairAction([]byte(tt.body), tt.with)
			reason := ""
			if err != nil {
				reason = err.Error()
			}
			if string(body) != tt.want || win != tt.win || reason != tt.reason {
				t.Errorf("RepairAction(%s) = %s, %+v, %v, want %s, %+v, %q", tt.body, body, win, err, tt.want, tt.win, tt.reason)
			}
		})
	}
}
