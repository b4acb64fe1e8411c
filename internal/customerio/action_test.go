package customerio_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"trivia/internal/customerio"
	"trivia/internal/trivia"
)

func TestDecodeActionTakes(t *testing.T) {
	t.Parallel()

	plain := trivia.Win{User: "u1", Trivia: "t1", Item: "gem"}
	long := strings.Repeat("é", 64)

	tests := []struct {
		name, body string
		want       trivia.Win
	}{
		{"the three members", `{"user_id":"u1","trivia_id":"t1","item":"gem"}`, plain},
		{"in any order", `{"item":"gem","trivia_id":"t1","user_id":"u1"}`, plain},
		{"with white space wherever JSON has it", " \t\r\n{ \"user_id\"\t:\r\"u1\" ,\n\"trivia_id\" : \"t1\" , \"item\":\"gem\" }\r\n", plain},
		{"with more than we use", `{"a":null,"b":[{"}":"]"},"\\\"{"],"user_id":"u1","c":-1.5e9,"trivia_id":"t1","d":{"user_id":"x"},"item":"gem","e":true}`, plain},
		{"a name written with escapes", `{"us\u0065r_id":"u1","trivia\u005fid":"t1","\u0069tem":"gem"}`, plain},
		{"the last of several equal names", `{"user_id":"u0","user_id":"u1","trivia_id":"t1","item":null,"item":"gem"}`, plain},
		{"other cases of a name are other names", `{"user_id":"u1","User_ID":"u0","trivia_id":"t1","ITEM":"x","item":"gem","Item":""}`, plain},

		{"ids as numbers", `{"user_id":2002,"trivia_id":7,"item":"gem"}`, trivia.Win{User: "2002", Trivia: "7", Item: "gem"}},
		{
			"a number that a float cannot hold", `{"user_id":9007199254740993,"trivia_id":12345678901234567890123,"item":"gem"}`,
			trivia.Win{User: "9007199254740993", Trivia: "12345678901234567890123", Item: "gem"},
		},
		{"negative numbers", `{"user_id":-5,"trivia_id":0,"item":"gem"}`, trivia.Win{User: "-5", Trivia: "0", Item: "gem"}},
		{"a number as text keeps its zeros", `{"user_id":"007","trivia_id":"1e9","item":"5"}`, trivia.Win{User: "007", Trivia: "1e9", Item: "5"}},

		{"any script", `{"user_id":"Zoë","trivia_id":"漢字","item":"🎉 free spin"}`, trivia.Win{User: "Zoë", Trivia: "漢字", Item: "🎉 free spin"}},
		{
			"escapes", `{"user_id":"Zo\u00eb","trivia_id":"a\/b\\u\"","item":"\ud83c\udf89\t\uD83C\uDF89"}`,
			trivia.Win{User: "Zoë", Trivia: `a/b\u"`, Item: "🎉\t🎉"},
		},
		{
			"the replacement character itself", `{"user_id":"a\ufffdb","trivia_id":"` + "\uFFFD" + `","item":"\\ud800"}`,
			trivia.Win{User: "a\uFFFDb", Trivia: "\uFFFD", Item: `\ud800`},
		},
		{"white space around a word is dropped", `{"user_id":" u1\n","trivia_id":"\u00a0t1\u2028","item":"\tgem \u3000"}`, plain},
		{"white space inside stays", `{"user_id":"u 1","trivia_id":"t1","item":"a  gem"}`, trivia.Win{User: "u 1", Trivia: "t1", Item: "a  gem"}},
		{"case stays", `{"user_id":"U1","trivia_id":"T1","item":"Gem"}`, trivia.Win{User: "U1", Trivia: "T1", Item: "Gem"}},
		{"letters in parts are put together", `{"user_id":"Zoe\u0308","trivia_id":"A\u030a","item":"cafe\u0301"}`, trivia.Win{User: "Zoë", Trivia: "Å", Item: "café"}},
		{
			"lengths are counted in characters", `{"user_id":"` + long + `","trivia_id":"` + long + `","item":"` + strings.Repeat("漢", 255) + `"}`,
			trivia.Win{User: trivia.UserID(long), Trivia: trivia.ID(long), Item: trivia.Item(strings.Repeat("漢", 255))},
		},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := customerio.DecodeAction([]byte(tt.body))
			if err != nil || got != tt.want {
				t.Errorf("DecodeAction(%s) = %+v, %v, want %+v", tt.body, got, err, tt.want)
			}
		})
	}
}

// Every reason is read by the person who looks at the parked delivery.
func TestDecodeActionRefuses(t *testing.T) {
	t.Parallel()

	// with returns a good body in which one member has another value.
	with := func(name, value string) string {
		body := `{`
		for _, member := range [][2]string{{"user_id", `"u1"`}, {"trivia_id", `"t1"`}, {"item", `"gem"`}} {
			if member[0] == name {
				member[1] = value
			}
			body += `"` + member[0] + `":` + member[1] + `,`
		}

		return body + `"x":0}`
	}
	nested := strings.Repeat(`[`, 20_000)

	tests := []struct {
		name, body string
		want       trivia.Unusable
	}{
		{"nothing", "", "body is empty"},
		{"white space", " \r\n\t", "body is empty"},
		{"null", "null", "body is null, want an object"},
		{"a boolean", "true", "body is a boolean, want an object"},
		{"a number", " 17 ", "body is a number, want an object"},
		{"text", `"{}"`, "body is text, want an object"},
		{"an array", `[{"user_id":"u1","trivia_id":"t1","item":"gem"}]`, "body is an array, want an object"},
		{"an empty object", "{}", "user_id is missing"},

		{"cut off", `{"user_id":"u1","tri`, "body is cut off after byte 20"},
		{"cut off behind the last value", `{"user_id":"u1"`, "body is cut off after byte 15"},
		{"an array cut off", `[`, "body is cut off after byte 1"},
		{"deeply nested, closed", nested + strings.Repeat(`]`, 20_000), "body is nested too deeply, at byte 10001"},
		{"deeply nested, open", with("item", nested), "body is nested too deeply, at byte 10040"},
		{"nested as deep as it goes", with("item", strings.Repeat(`[`, 9_999)+strings.Repeat(`]`, 9_999)), "item is an array, want text"},
		{"trailing text", with("", "") + " and more", "body is not JSON: invalid character 'a' after top-level value, at byte 54"},
		{"two objects", `{}{}`, "body is not JSON: invalid character '{' after top-level value, at byte 3"},
		{"no JSON at all", `user_id=u1&trivia_id=t1`, "body is not JSON: invalid character 'u' looking for beginning of value, at byte 1"},
		{
			"an unescaped quote from Liquid", `{"user_id":"u1","trivia_id":"t1","item":"12" plate"}`,
			"body is not JSON: invalid character 'p' after object key:value pair, at byte 46",
		},
		{
			"Liquid that rendered to nothing", `{"user_id":,"trivia_id":"t1","item":"gem"}`,
			"body is not JSON: invalid character ',' looking for beginning of value, at byte 12",
		},
		{"a comma too many", `{"user_id":"u1",}`, "body is not JSON: invalid character '}' looking for beginning of object key string, at byte 17"},
		{"a line break in a text", "{\"user_id\":\"u\n1\"}", `body is not JSON: invalid character '\n' in string literal, at byte 14`},
		{"typographic quotes", `{“user_id”:“u1”}`, "body is not JSON: invalid character '“' looking for beginning of object key string, at byte 2"},
		{"a byte order mark", "\uFEFF" + with("", ""), "body starts with a byte order mark, want {"},
		{"a byte order mark behind a space", " \uFEFF{}", "body starts with a byte order mark, want {"},
		{"a byte order mark behind the object", "{}\uFEFF", `body is not JSON: invalid character '\ufeff' after top-level value, at byte 3`},
		{"UTF-16", "\xFE\xFF\x00{\x00}", "body is not valid UTF-8, at byte 1"},
		{"binary", "\x1f\x8b\x08\x00\x00", "body is not valid UTF-8, at byte 2"},
		{"binary that is valid UTF-8", "\x00\x01\x02", `body is not JSON: invalid character '\x00' looking for beginning of value, at byte 1`},
		{"a NUL behind the object", "{}\x00", `body is not JSON: invalid character '\x00' after top-level value, at byte 3`},
		{"invalid UTF-8 in a text", with("item", "\"caf\xe9\""), "body is not valid UTF-8, at byte 45"},
		{"invalid UTF-8 in a member that we ignore", "{\"x\":\"\xc3\"}", "body is not valid UTF-8, at byte 7"},
		{"a surrogate written as UTF-8", with("user_id", "\"\xed\xa0\x80\""), "body is not valid UTF-8, at byte 13"},

		{"no user", `{"trivia_id":"t1","item":"gem"}`, "user_id is missing"},
		{"no trivia", `{"user_id":"u1","item":"gem"}`, "trivia_id is missing"},
		{"no item", `{"user_id":"u1","trivia_id":"t1"}`, "item is missing"},
		{"names in another case", `{"User_Id":"u1","trivia_id":"t1","item":"gem"}`, "user_id is missing"},
		{"names with spaces", `{"user_id ":"u1","trivia_id":"t1","item":"gem"}`, "user_id is missing"},
		{"members one level down", `{"data":{"user_id":"u1","trivia_id":"t1","item":"gem"}}`, "user_id is missing"},
		{"the last of equal names is the bad one", `{"user_id":"u1","trivia_id":"t1","item":"gem","user_id":""}`, "user_id is empty"},

		{"user null", with("user_id", "null"), "user_id is null, want text"},
		{"user an object", with("user_id", `{"id":"u1"}`), "user_id is an object, want text"},
		{"user an array", with("user_id", `["u1"]`), "user_id is an array, want text"},
		{"user a boolean", with("user_id", "true"), "user_id is a boolean, want text"},
		{"user empty", with("user_id", `""`), "user_id is empty"},
		{"user blank", with("user_id", `" \t\u00a0"`), "user_id is blank"},
		{"user too long", with("user_id", `"`+strings.Repeat("é", 65)+`"`), "user_id has 65 characters, at most 64 fit"},
		{"user with a NUL", with("user_id", `"u\u0000"`), "user_id contains a NUL character"},
		{"user with half a pair", with("user_id", `"u\ud800"`), "user_id contains half a surrogate pair, which is no character"},
		{"user with the other half", with("user_id", `"\uDC00u"`), "user_id contains half a surrogate pair, which is no character"},
		{"user with a pair turned round", with("user_id", `"\udf89\ud83c"`), "user_id contains half a surrogate pair, which is no character"},
		{"user with two first halves", with("user_id", `"\ud83c\ud83c\udf89"`), "user_id contains half a surrogate pair, which is no character"},
		{"user with half a pair and another escape", with("user_id", `"\ud83c\n"`), "user_id contains half a surrogate pair, which is no character"},
		{"user with half a pair beside U+FFFD", with("user_id", "\"\uFFFD\\ud800\""), "user_id contains half a surrogate pair, which is no character"},
		{"user a rounded number", with("user_id", "9.007e15"), "user_id is a number with an exponent, which may have lost digits"},
		{"user a rounded number, other spelling", with("user_id", "1E3"), "user_id is a number with an exponent, which may have lost digits"},
		{"user a number with a fraction", with("user_id", "1234.0"), "user_id is a number with a fraction, want a whole one or text"},
		{"user minus nothing", with("user_id", "-0"), "user_id is -0, which is no identifier"},
		{"user with a zero-width space", with("user_id", `"demo-1\u200b"`), "user_id contains the invisible character U+200B"},
		{"user turned round", with("user_id", `"\u202e1-omed"`), "user_id contains the invisible character U+202E"},
		{"user with a variation selector", with("user_id", `"demo-1\ufe0f"`), "user_id contains the invisible character U+FE0F"},
		{"user with a tag", with("user_id", `"demo-1\udb40\udc31"`), "user_id contains the invisible character U+E0031"},
		{"user a filler", with("user_id", `"\u3164"`), "user_id contains the invisible character U+3164"},
		{"trivia with a fraction", with("trivia_id", "1.50"), "trivia_id is a number with a fraction, want a whole one or text"},
		{"trivia with a soft hyphen", with("trivia_id", `"capi\u00adtals"`), "trivia_id contains the invisible character U+00AD"},
		{"item with a byte order mark", with("item", `"\ufeffgem"`), "item contains the invisible character U+FEFF"},
		{"user a number of too many digits", with("user_id", strings.Repeat("9", 65)), "user_id has 65 characters, at most 64 fit"},
		{"user a number that is none", with("user_id", "007"), "body is not JSON: invalid character '0' after object key:value pair, at byte 13"},

		{"trivia null", with("trivia_id", "null"), "trivia_id is null, want text"},
		{"trivia a rounded number", with("trivia_id", "1e3"), "trivia_id is a number with an exponent, which may have lost digits"},
		{"trivia empty", with("trivia_id", `""`), "trivia_id is empty"},
		{"trivia too long", with("trivia_id", `"`+strings.Repeat("t", 65)+`"`), "trivia_id has 65 characters, at most 64 fit"},
		{"trivia with a NUL", with("trivia_id", `"\u0000"`), "trivia_id contains a NUL character"},

		{"item null", with("item", "null"), "item is null, want text"},
		{"item a number", with("item", "5"), "item is a number, want text"},
		{"item an object", with("item", `{"name":"gem"}`), "item is an object, want text"},
		{"item empty", with("item", `""`), "item is empty"},
		{"item too long", with("item", `"`+strings.Repeat("🎉", 256)+`"`), "item has 256 characters, at most 255 fit"},
		{"item with a NUL", with("item", `"g\u0000em"`), "item contains a NUL character"},
		{"item with half a pair", with("item", `"\ud83c"`), "item contains half a surrogate pair, which is no character"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			win, err := customerio.DecodeAction([]byte(tt.body))
			if got, ok := errors.AsType[trivia.Unusable](err); !ok || got != tt.want {
				t.Errorf("DecodeAction(%.200q) = %v, want %q", tt.body, err, tt.want)
			}
			if win != (trivia.Win{}) {
				t.Errorf("DecodeAction(%.200q) = %+v beside its error, want no win", tt.body, win)
			}
			if reason := err.Error(); !storable(reason) || len(reason) > 200 {
				t.Errorf("reason %q cannot be kept or read", reason)
			}
		})
	}
}

// storable reports whether Postgres can keep word as text.
func storable(word string) bool {
	return utf8.ValidString(word) && !strings.ContainsRune(word, 0)
}
