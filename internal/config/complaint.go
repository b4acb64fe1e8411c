package config

import (
	"slices"
	"strings"
)

// A Complaint names one setting, what was found there and what was expected.
// It never shows the value of a secret.
type Complaint struct {
	Name, Problem string
}

// String returns the complaint as one line.
func (c Complaint) String() string { return c.Name + ": " + c.Problem }

// Complaints are all that is wrong with the settings, in the order of
// [Table]. They are an error; an empty list is none, so hand it on as an error
// by way of [Complaints.Err] only.
type Complaints []Complaint //nolint:errname // a list to add to, first of all

// Add puts a complaint in its place, behind earlier ones of the same setting.
func (cs *Complaints) Add(name, problem string) {
	*cs = append(*cs, Complaint{name, problem})
	slices.SortStableFunc(*cs, func(a, b Complaint) int { return rank(a.Name) - rank(b.Name) })
}

// About reports whether there is a complaint about a setting.
func (cs Complaints) About(name string) bool {
	return slices.ContainsFunc(cs, func(c Complaint) bool { return c.Name == name })
}

// Error returns all complaints, one a line.
func (cs Complaints) Error() string {
	lines := make([]string, 0, len(cs))
	for _, c := range cs {
		lines = append(lines, c.String())
	}

	return strings.Join(lines, "\n")
}

// Err returns cs as an error, and nil if there is nothing to complain about.
func (cs Complaints) Err() error {
	if len(cs) == 0 {
		return nil
	}

	return cs
}
