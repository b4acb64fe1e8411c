package tui

// Paint colours a word, if color says so.
func Paint(word string, tone Tone, color bool) string {
	return newTheme(color).tones[tone].Render(word)
}
