package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/key"
)

// frameKeys are the keys that work everywhere.
type frameKeys struct {
	Pages                                         []key.Binding
	Next, Previous, Parked, Help, Quit, Interrupt key.Binding
}

func newFrameKeys() frameKeys {
	k := frameKeys{
		Next:      key.NewBinding(key.WithKeys("tab"), key.WithHelp("tab", "next page")),
		Previous:  key.NewBinding(key.WithKeys("shift+tab"), key.WithHelp("shift+tab", "previous page")),
		Parked:    key.NewBinding(key.WithKeys("!"), key.WithHelp("!", "parked deliveries")),
		Help:      key.NewBinding(key.WithKeys("?", "f1"), key.WithHelp("?", "help")),
		Quit:      key.NewBinding(key.WithKeys("q"), key.WithHelp("q", "quit")),
		Interrupt: key.NewBinding(key.WithKeys("ctrl+c"), key.WithHelp("ctrl+c", "quit")),
	}
	for i, name := range pageNames() {
		n := fmt.Sprint(i + 1)
		k.Pages = append(k.Pages, key.NewBinding(key.WithKeys(n), key.WithHelp(n, string(name))))
	}

	return k
}

// working are those that work now.
func (k frameKeys) working(typing bool) []key.Binding {
	if typing {
		help := key.NewBinding(key.WithKeys("f1"), key.WithHelp("f1", "help"))

		return []key.Binding{help, k.Interrupt}
	}
	all := append([]key.Binding{k.Help}, k.Pages...)

	return append(all, k.Next, k.Previous, k.Parked, k.Quit, k.Interrupt)
}
