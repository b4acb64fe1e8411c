package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAScreenIsReadWithItsColours(t *testing.T) {
	t.Parallel()

	got := read("\x1b[1ma\x1b[0m\x1b[39m\x1b[49m 漢\x1b[31;7mb\n\x1b[27mc\x1b[39;90md\x1b[38;5;2me\n")
	red := style{fore: 1, back: -1}
	want := [][]cell{
		{{"a", style{fore: -1, back: -1, bold: true}}, {" ", plain()}, {"漢", plain()}, {"", plain()}, {"b", style{fore: 1, back: -1, reverse: true}}},
		{{"c", red}, {"d", style{fore: 8, back: -1}}, {"e", style{fore: 2, back: -1}}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(cell{}, style{})); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestAPictureIsWellFormed(t *testing.T) {
	t.Parallel()

	svg := draw(read("a <b> & \"c\"   far\x1b[7m chosen \x1b[0m\n10 │ ▁▄█\n 0 └──\n"), 40)
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	for _, want := range []string{
		`>a &lt;b&gt; &amp; &#34;c&#34;</text>`, `<text x="133.6" y="29.5" fill="` + ink + `" textLength="25.2"`,
		`<rect x="158.8" y="16.0" width="67.2" height="18.0" fill="` + ink + `"/>`, `fill="` + paper + `" textLength="50.4"`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("%s is not in\n%s", want, svg)
		}
	}
	if strings.ContainsAny(svg, "│▁▄█└─") {
		t.Errorf("a shape is drawn as text:\n%s", svg)
	}
}
