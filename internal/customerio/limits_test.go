package customerio_test

import (
	"fmt"
	"strings"
	"testing"

	"trivia/internal/customerio"
)

func TestAttributesKeepToTheVendorsLimits(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		value any
		want  string // of the error; empty if it is fine
	}{
		{"plan", "gold", ""},
		{"age", 7.5, ""},
		{"vip", true, ""},
		{"empty", "", ""},
		{strings.Repeat("ü", 75), strings.Repeat("ü", 500), ""},
		{"", "x", "an attribute has no name"},
		{" ", "x", "an attribute has no name"},
		{"_update", true, `attribute "_update" begins with _, as what tells the Track API how to work`},
		{strings.Repeat("x", 151), "x", `the name of attribute "xxxxxxxxxxxxxxxxxxxx"… has 151 bytes, at most 150 fit`},
		{"long", strings.Repeat("ü", 501), `the value of attribute "long" has 1002 bytes, at most 1000 fit`},
		{"nul", "a\x00b", `the value of attribute "nul" is no text`},
		{"a\xff", "x", `the name of attribute "a\xff" is no text`},
		{"list", []any{1}, `the value of attribute "list" is neither a number nor true, false or text`},
		{"none", nil, `the value of attribute "none" is neither a number nor true, false or text`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := said(customerio.CheckAttributes(map[string]any{tt.name: tt.value})); got != tt.want {
				t.Errorf("CheckAttributes = %q, want %q", got, tt.want)
			}
		})
	}

	many := map[string]any{}
	if got := said(customerio.CheckAttributes(many)); got != "there are no attributes" {
		t.Errorf("of none: %q", got)
	}
	for i := range 301 {
		many[fmt.Sprint(i)] = i
	}
	if got := said(customerio.CheckAttributes(many)); got != "there are 301 attributes, at most 300 fit" {
		t.Errorf("of 301: %q", got)
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}

	return err.Error()
}
