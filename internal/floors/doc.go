// Package floors holds the shape of the tree: which package stands on which
// floor, that imports lead only downwards, which package keeps which technology
// to itself, and what the top level contains. It consists of tests; nothing
// imports it.
//
// A new package gets its floor in table_test.go. If it seems to need an import
// sideways or upwards, what both need belongs on a lower floor, or cmd should
// hand it over as a parameter.
package floors
