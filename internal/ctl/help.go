package ctl

// The help texts. A command's Description holds its examples.
const (
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
