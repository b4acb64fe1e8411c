package pushback

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trivia/internal/store"
	"trivia/internal/trivia"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// at is some seconds past noon.
func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func saying(id int64, at time.Time, attributes string) push {
	p := push{DuePush: store.DuePush{ID: id, Kind: trivia.PushAttributes, At: at}}
	if err := json.Unmarshal([]byte(attributes), &p.attributes); err != nil {
		panic(err)
	}

	return p
}

func ofWin(id int64, wonAt time.Time) push {
	return push{DuePush: store.DuePush{ID: id, Kind: trivia.PushEvent, At: wonAt, WonAt: wonAt}}
}

func TestMerge(t *testing.T) {
	t.Parallel()

	won := store.PersonWins{Count: 3, Trivia: "rivers", Item: "car", WonAt: at(5)}
	const asWon = `{"last_trivia_id":"rivers","last_trivia_item":"car","last_trivia_won_at":1777896005,"trivia_wins":3}`
	tests := []struct {
		name   string
		pushes []push
		told   map[string]int64
		want   string
		from   []int64
		at     time.Time
	}{
		{"nothing", nil, nil, `{}`, nil, time.Time{}},
		{"nothing in it", []push{saying(1, at(1), `{}`)}, nil, `{}`, nil, time.Time{}},
		{"one", []push{saying(1, at(1), `{"a":1,"b":"x","c":true,"d":null}`)}, nil, `{"a":1,"b":"x","c":true,"d":null}`, []int64{1}, at(1)},
		{"the later one counts", []push{saying(1, at(2), `{"a":1}`), saying(2, at(1), `{"a":2}`)}, nil, `{"a":1}`, []int64{1}, at(2)},
		{"of the same moment the last one counts", []push{saying(1, at(1), `{"a":1}`), saying(2, at(1), `{"a":2}`)}, nil, `{"a":2}`, []int64{2}, at(1)},
		{"each attribute has its own time", []push{saying(1, at(2), `{"a":1}`), saying(2, at(1), `{"a":2,"b":2}`)}, nil, `{"a":1,"b":2}`, []int64{1, 2}, at(2)},
		{"numbers stay as they are", []push{saying(1, at(1), `{"a":12345678901234567890,"b":1.10}`)}, nil, `{"a":12345678901234567890,"b":1.10}`, []int64{1}, at(1)},
		{"what was told is not told again", []push{saying(1, at(1), `{"a":1,"b":1}`)}, map[string]int64{"a": at(2).UnixMicro()}, `{"b":1}`, []int64{1}, at(1)},
		{"a microsecond is enough", []push{saying(1, at(1), `{"a":1}`)}, map[string]int64{"a": at(1).UnixMicro() + 1}, `{}`, nil, time.Time{}},
		{"what was told then may be told again", []push{saying(1, at(1), `{"a":1}`)}, map[string]int64{"a": at(1).UnixMicro()}, `{"a":1}`, []int64{1}, at(1)},
		{"a win", []push{ofWin(1, at(1))}, nil, asWon, []int64{1}, at(5)},
		{"wins all tell how they stand", []push{ofWin(1, at(1)), ofWin(2, at(5))}, nil, asWon, []int64{1, 2}, at(5)},
		{"older wins are known", []push{ofWin(1, at(1))}, map[string]int64{
			"last_trivia_id": at(6).UnixMicro(), "last_trivia_item": at(6).UnixMicro(),
			"last_trivia_won_at": at(6).UnixMicro(), "trivia_wins": at(6).UnixMicro(),
		}, `{}`, nil, time.Time{}},
		{"an operator knows better than a win", []push{ofWin(1, at(1)), saying(2, at(6), `{"trivia_wins":9}`)}, map[string]int64{
			"last_trivia_id": at(6).UnixMicro(), "last_trivia_item": at(6).UnixMicro(), "last_trivia_won_at": at(6).UnixMicro(),
		}, `{"trivia_wins":9}`, []int64{2}, at(6)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			m := merge(tt.pushes, won, tt.told)
			got, err := json.Marshal(m.attributes)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("attributes = %s, want %s", got, tt.want)
			}
			if from := slices.Sorted(maps.Keys(m.from)); !slices.Equal(from, tt.from) {
				t.Errorf("from = %v, want %v", from, tt.from)
			}
			if !m.at.Equal(tt.at) {
				t.Errorf("at = %v, want %v", m.at, tt.at)
			}
			if len(m.since) != len(m.attributes) {
				t.Errorf("since = %v, want one for each attribute", m.since)
			}
		})
	}
}

// Whatever order pushes come in, and however turns cut them, what Customer.io
// ends with is what came to be true last.
func TestTheNewestWordStands(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		var (
			pushes []push
			newest = map[string]time.Time{}
			want   = map[string]string{}
		)
		for id := range int64(rapid.IntRange(1, 30).Draw(t, "pushes")) {
			p := push{
				DuePush:    store.DuePush{ID: id + 1, Kind: trivia.PushAttributes, At: at(rapid.IntRange(0, 20).Draw(t, "at"))},
				attributes: map[string]json.RawMessage{},
			}
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "names") {
				value := fmt.Sprint(p.ID)
				p.attributes[name] = json.RawMessage(value)
				if !p.At.Before(newest[name]) {
					newest[name], want[name] = p.At, value
				}
			}
			pushes = append(pushes, p)
		}

		var (
			known  = map[string]string{} // to Customer.io
			told   = map[string]int64{}
			toldAt time.Time
		)
		for rest := pushes; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "turn")
			m := merge(rest[:n], store.PersonWins{}, told)
			rest = rest[n:]
			for name, value := range m.attributes {
				known[name] = string(value.(json.RawMessage))
			}
			if rapid.Bool().Draw(t, "written down") || len(rest) == 0 {
				maps.Copy(told, m.since)
				toldAt = latest(toldAt, m.at)
			} else {
				rest = pushes[len(pushes)-len(rest)-n:] // a crash: all of it again
			}
		}
		if diff := cmp.Diff(want, known); diff != "" {
			t.Errorf("Customer.io knows (-want +got):\n%s", diff)
		}
		for name, at := range newest {
			if toldAt.Before(at) {
				t.Errorf("the latest timestamp is %v, before that of %s, %v", toldAt, name, at)
			}
		}
	})
}

func TestSegmentsEndWithASuppression(t *testing.T) {
	t.Parallel()

	const a, s, e = trivia.PushAttributes, trivia.PushSuppress, trivia.PushEvent
	tests := []struct {
		kinds []trivia.PushKind
		want  []int // lengths
	}{
		{nil, nil},
		{[]trivia.PushKind{a}, []int{1}},
		{[]trivia.PushKind{a, a, e}, []int{3}},
		{[]trivia.PushKind{s}, []int{1}},
		{[]trivia.PushKind{a, s}, []int{2}},
		{[]trivia.PushKind{s, s, a, e}, []int{1, 1, 2}},
		{[]trivia.PushKind{a, s, a, s, a}, []int{2, 2, 1}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.kinds), func(t *testing.T) {
			t.Parallel()

			var pushes []push
			for _, kind := range tt.kinds {
				pushes = append(pushes, push{DuePush: store.DuePush{Kind: kind}})
			}
			var got []int
			for _, segment := range segments(pushes) {
				got = append(got, len(segment))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("segments(%v) have %v pushes, want %v", tt.kinds, got, tt.want)
			}
		})
	}
}
