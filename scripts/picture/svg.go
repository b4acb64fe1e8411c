package main

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// How large a picture is, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18.0
	baseline   = 13.5
	fontSize   = 14
	margin     = 16.0
)

// The colours of the pictures: the usual ones, and the sixteen of the terminal.
const (
	paper = "#16181d"
	ink   = "#c9ced6"
)

var sixteen = [16]string{
	"#3b4048", "#ef6b73", "#7fc98f", "#e5b567", "#6cb0f2", "#c58af0", "#5fc5c5", "#c9ced6",
	"#6b717d", "#ff8a8f", "#9be0a9", "#f3ca86", "#8ec5ff", "#dbaaff", "#82dede", "#ffffff",
}

// draw returns a screen as SVG. Blocks and lines are drawn as such, so that a
// chart looks the same in every font, and each word stands where it belongs.
func draw(rows [][]cell, columns int) string {
	width, height := 2*margin+cellWidth*float64(columns), 2*margin+cellHeight*float64(len(rows))
	var svg strings.Builder
	_, _ = fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", width, height, width, height)
	_, _ = fmt.Fprintf(&svg, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	_, _ = fmt.Fprintf(&svg, `<g font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d" shape-rendering="crispEdges">`+"\n", fontSize)
	for y, row := range rows {
		d := &drawer{svg: &svg, y: margin + cellHeight*float64(y)}
		for x := 0; x < len(row); {
			x += d.run(row, x)
		}
	}
	svg.WriteString("</g>\n</svg>\n")

	return svg.String()
}

// A drawer draws one line of the screen.
type drawer struct {
	svg *strings.Builder
	y   float64
}

// run draws what begins at x and looks alike, and returns how many cells that
// is.
func (d *drawer) run(row []cell, x int) int {
	n := 1
	for x+n < len(row) && row[x+n].style == row[x].style {
		n++
	}
	fore, back := row[x].style.colours()
	if back != paper {
		d.rect(float64(x), 0, float64(n), 1, back)
	}

	words := x
	flush := func(end int) {
		d.words(row[words:end], words, fore, row[x].style.bold)
	}
	for at := x; at < x+n; at++ {
		r, _ := utf8.DecodeRuneInString(row[at].text)
		if !d.shape(r, float64(at), fore) {
			continue
		}
		flush(at)
		words = at + 1
	}
	flush(x + n)

	return n
}

// colours are those that a cell is drawn with.
func (s style) colours() (fore, back string) {
	fore, back = ink, paper
	if s.fore >= 0 {
		fore = sixteen[s.fore]
	}
	if s.back >= 0 {
		back = sixteen[s.back]
	}
	if s.reverse {
		fore, back = back, fore
	}
	if s.faint && fore == ink {
		fore = sixteen[8]
	}

	return fore, back
}

// words draws text, in parts between wide gaps.
func (d *drawer) words(cells []cell, x int, fore string, bold bool) {
	for at := 0; at < len(cells); {
		if cells[at].text == " " {
			at++
			continue
		}
		end := at
		var text strings.Builder
		for end < len(cells) && (cells[end].text != " " || end+1 < len(cells) && cells[end+1].text != " ") {
			text.WriteString(cells[end].text)
			end++
		}
		weight := ""
		if bold {
			weight = ` font-weight="bold"`
		}
		_, _ = fmt.Fprintf(d.svg, `<text x="%.1f" y="%.1f" fill="%s"%s textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve">%s</text>`+"\n",
			margin+cellWidth*float64(x+at), d.y+baseline, fore, weight, cellWidth*float64(end-at), html.EscapeString(text.String()))
		at = end
	}
}

// shape draws a block or a line. It reports false for everything else.
func (d *drawer) shape(r rune, x float64, fore string) bool {
	const thin = 0.12
	switch {
	case '▁' <= r && r <= '█':
		part := float64(r-'▁'+1) / 8
		d.rect(x, 1-part, 1, part, fore)
	case '▉' <= r && r <= '▏':
		d.rect(x, 0.1, float64('▏'-r+1)/8, 0.8, fore)
	case r == '─':
		d.rect(x, 0.5, 1, thin/2, fore)
	case r == '│':
		d.rect(x+0.5, 0, thin, 1, fore)
	case r == '└':
		d.rect(x+0.5, 0, thin, 0.5, fore)
		d.rect(x+0.5, 0.5, 0.5, thin/2, fore)
	default:
		return false
	}

	return true
}

// rect draws a rectangle, in cells from the beginning of the line.
func (d *drawer) rect(x, y, width, height float64, fill string) {
	_, _ = fmt.Fprintf(d.svg, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n",
		margin+cellWidth*x, d.y+cellHeight*y, cellWidth*width, cellHeight*height, fill)
}
