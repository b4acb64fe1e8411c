// Package migrations carries the schema: numbered files that are only ever
// added to. A file that a release has shipped is never edited.
package migrations

import "embed"

// FS holds the files, 001_….sql first.
//
//go:embed *.sql
var FS embed.FS
