package ctl

// The help texts. A command's Description holds its examples.
const (
	appHelp = `{{.Name}}: {{.Usage}}

Usage: {{.Name}} COMMAND [flags] [words]; {{.Name}} COMMAND --help tells more
{{range .VisibleCategories}}
{{.Name}}:{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}

Settings are those of trivia-hook; a running one that is --embedded is found.
Exit codes: 0 done, 1 failed, 2 wrong words, 3 no such thing, 4 not confirmed.
`

	groupHelp = `{{.HelpName}}: {{.Usage}}

Usage: {{.HelpName}} COMMAND [flags] [words]
{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}

{{.HelpName}} COMMAND --help shows flags and examples.
`

	actingGroupHelp = `{{.HelpName}}: {{.Usage}}

Usage: {{.HelpName}} [flags]
       {{.HelpName}} COMMAND [flags] [words]
{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}
{{range .VisibleFlags}}
  {{.}}{{end}}
{{with .Description}}
{{.}}
{{end}}`

	commandHelp = `{{.HelpName}}: {{.Usage}}

Usage: {{.HelpName}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}} [flags]
{{range .VisibleFlags}}
  {{.}}{{end}}
{{with .Description}}
{{.}}
{{end}}`
)
