package customerio

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What the vendor allows, in bytes and in number.
const (
	maxPerson        = 150
	maxAttributeName = 150
	maxValue         = 1000
	maxAttributes    = 300
)

// CheckPerson returns nil if a call can name the person.
func CheckPerson(person string) error {
	switch {
	case strings.TrimSpace(person) == "":
		return errors.New("the identifier is empty")
	case person == "." || person == "..":
		return fmt.Errorf("%q is a step in a path", person)
	case len(person) > maxPerson:
		return fmt.Errorf("the identifier has %d bytes, at most %d fit", len(person), maxPerson)
	}

	return nil
}

// CheckAttributes returns nil if Customer.io takes these attributes: numbers,
// booleans and text.
func CheckAttributes(attributes map[string]any) error {
	switch n := len(attributes); {
	case n == 0:
		return errors.New("there are no attributes")
	case n > maxAttributes:
		return fmt.Errorf("there are %d attributes, at most %d fit", n, maxAttributes)
	}
	for name, value := range attributes {
		if err := CheckAttribute(name, value); err != nil {
			return err
		}
	}

	return nil
}

// CheckAttribute returns nil if Customer.io takes this attribute.
func CheckAttribute(name string, value any) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("an attribute has no name")
	case strings.HasPrefix(name, "_"):
		return fmt.Errorf("attribute %q begins with _, as what tells the Track API how to work", name)
	case len(name) > maxAttributeName:
		return fmt.Errorf("the name of attribute %q… has %d bytes, at most %d fit", head(name), len(name), maxAttributeName)
	case !isText(name):
		return fmt.Errorf("the name of attribute %q is no text", name)
	}

	switch v := value.(type) {
	case bool, int, int64, float64, json.Number:
		return nil
	case string:
		if len(v) > maxValue {
			return fmt.Errorf("the value of attribute %q has %d bytes, at most %d fit", name, len(v), maxValue)
		}
		if !isText(v) {
			return fmt.Errorf("the value of attribute %q is no text", name)
		}

		return nil
	}

	return fmt.Errorf("the value of attribute %q is neither a number nor true, false or text", name)
}

// isText reports whether s is text that the database and JSON can both hold.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// head is the beginning of a long name.
func head(name string) string {
	short := []rune(name)

	return string(short[:min(len(short), 20)])
}
