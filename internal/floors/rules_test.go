package floors

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A listed package is what `go list -json` says about it.
type listed struct {
	ImportPath, Dir                             string
	GoFiles, Imports, TestImports, XTestImports []string
}

// name is the import path without the module, like internal/store.
func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// faults returns a line for everything about p that the design does not allow.
func (h house) faults(p listed) []string {
	name := p.name()
	if _, ok := h.floor(name); !ok {
		return []string{name + " is unknown: give it a floor"}
	}

	var found []string
	for _, imported := range p.Imports {
		found = append(found, h.climbs(name, imported, false)...)
		found = append(found, h.takes(name, imported)...)
	}
	for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
		found = append(found, h.climbs(name, imported, true)...)
	}

	return found
}

// climbs complains when imported is a package of ours that does not stand
// below the one called name.
func (h house) climbs(name, imported string, inTest bool) []string {
	target, ours := strings.CutPrefix(imported, module)
	if !ours || target == name {
		return nil
	}
	if supports(target) {
		if inTest {
			return nil
		}

		return []string{fmt.Sprintf("%s imports %s, which is for tests only", name, target)}
	}

	from, _ := h.floor(name)
	to, known := h.floor(target)
	switch {
	case !known || to < from: // an unknown package is complained about as such
		return nil
	case to == from:
		return []string{fmt.Sprintf("%s imports %s sideways: both stand on floor %d", name, target, from)}
	default:
		return []string{fmt.Sprintf("%s (floor %d) imports %s (floor %d) upwards", name, from, target, to)}
	}
}

// takes complains when another package keeps imported to itself.
func (h house) takes(name, imported string) []string {
	if !shipped(name) {
		return nil
	}

	for kept, keeper := range h.keepers {
		if !slices.Contains(strings.Split(keeper, " and "), name) && (imported == kept || strings.HasPrefix(imported, kept+"/")) {
			return []string{fmt.Sprintf("%s imports %s, which %s keeps to itself", name, imported, keeper)}
		}
	}

	return nil
}

// serves complains about every word of file, a file of the package called
// name, that takes requests although the package is none of those that may.
// The import alone would not tell: a client imports net/http, too.
func (h house) serves(name string, file *ast.File) []string {
	if !shipped(name) || h.servers[name] {
		return nil
	}

	local := ""
	for _, spec := range file.Imports {
		if imported, err := strconv.Unquote(spec.Path.Value); err != nil || imported != "net/http" {
			continue
		}
		local = "http"
		if spec.Name != nil {
			local = spec.Name.Name
		}
	}
	if local == "" {
		return nil
	}

	var found []string
	for node := range ast.Preorder(file) {
		word, ok := node.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		if x, ok := word.X.(*ast.Ident); ok && x.Name == local && slices.Contains(inbound(), word.Sel.Name) {
			found = append(found, fmt.Sprintf("%s uses http.%s: only the two listeners serve", name, word.Sel.Name))
		}
	}

	return found
}

// inbound returns the words of net/http that only a server needs.
func inbound() []string {
	return []string{
		"Server", "Serve", "ServeTLS", "ListenAndServe", "ListenAndServeTLS", "ServeMux", "NewServeMux",
		"Handle", "HandleFunc", "Handler", "HandlerFunc", "ResponseWriter", "MaxBytesReader", "Error",
	}
}

// strangers returns those of the top level's entries that the design does not
// name.
func (h house) strangers(entries []string) []string {
	return slices.DeleteFunc(slices.Clone(entries), func(entry string) bool {
		return strings.HasPrefix(entry, ".") || slices.ContainsFunc(h.top, func(pattern string) bool {
			named, err := path.Match(pattern, entry)

			return err == nil && named
		})
	})
}
