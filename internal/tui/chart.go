package tui

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/NimbleMarkets/ntcharts/sparkline"
	"github.com/charmbracelet/lipgloss"
)

// A Chart is a row of columns over time.
type Chart struct {
	Values      []float64 // one for each step of time, gaps as 0
	First, Last string    // what stands below the two ends
	Width       int       // of all of it, in cells; 0 means 80
	Height      int       // of the columns, in lines; 0 means 8
	Color       bool
}

// Draw returns the chart as lines of text. Where there are more values than
// columns, each column is the highest of its share, so that no peak is lost.
func (c Chart) Draw() string {
	if len(c.Values) == 0 {
		return ""
	}
	width, height := c.Width, c.Height
	if width <= 0 {
		width = 80
	}
	if height <= 0 {
		height = 8
	}

	most := 0.0
	for _, v := range c.Values {
		most = max(most, v)
	}
	label := axisLabel(most)
	columns := max(1, width-len(label)-2) // the axis, and a space
	values := columnsOf(c.Values, columns)

	drawn := sparkline.New(len(values), height, sparkline.WithMaxValue(max(most, 1)), sparkline.WithStyle(c.style()))
	drawn.AutoMaxValue = false
	drawn.PushAll(values)
	drawn.DrawColumnsOnly()

	var text strings.Builder
	for i, row := range strings.Split(drawn.View(), "\n") {
		left := ""
		switch i {
		case 0:
			left = label
		case height - 1:
			left = "0"
		}
		_, _ = fmt.Fprintf(&text, "%*s │%s\n", len(label), left, strings.TrimRight(row, " "))
	}
	_, _ = fmt.Fprintf(&text, "%*s └%s\n", len(label), "", strings.Repeat("─", len(values)))
	gap := max(1, len(values)-lipgloss.Width(c.First)-lipgloss.Width(c.Last))
	ends := c.First + strings.Repeat(" ", gap) + c.Last
	_, _ = fmt.Fprintf(&text, "%*s  %s\n", len(label), "", Cut(ends, max(columns, 1)))

	return text.String()
}

// axisLabel writes a large number shortly, so that there is room for the columns.
func axisLabel(n float64) string {
	switch {
	case n >= 10e6:
		return fmt.Sprintf("%.0f M", n/1e6)
	case n >= 100e3:
		return fmt.Sprintf("%.0f k", n/1e3)
	}

	return strconv.FormatFloat(n, 'f', -1, 64)
}

func (c Chart) style() lipgloss.Style {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(noColours)
	if c.Color {
		r.SetColorProfile(sixteenColours)
	}

	return r.NewStyle().Foreground(lipgloss.Color("2"))
}

// columnsOf spreads values over n columns: several values share one, or one
// fills several.
func columnsOf(values []float64, n int) []float64 {
	if each := n / len(values); each >= 1 {
		each = min(each, 4) // a handful of values need no wall
		columns := make([]float64, 0, each*len(values))
		for _, v := range values {
			for range each {
				columns = append(columns, v)
			}
		}

		return columns
	}

	columns := make([]float64, n)
	for i, v := range values {
		at := i * n / len(values)
		columns[at] = max(columns[at], v)
	}

	return columns
}
