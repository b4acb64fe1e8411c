package ctl

// The help texts. A command's Description holds its examples.
const (
	appHelp = `{{.Name}}: {{.Usage}}

Usage: {{.Name}} COMMAND [flags] [words]
{{range .VisibleCategories}}
{{.Name}}:{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}

Settings come from the environment, as those of trivia-hook. Without
DATABASE_URL a running trivia-hook --embedded is found by itself.
Exit codes: 0 done, 1 failed, 2 wrong words, 3 no such thing, 4 not confirmed.
{{.Name}} COMMAND --help shows flags and examples.
`

	groupHelp = `{{.HelpName}}: {{.Usage}}

Usage: {{.HelpName}} COMMAND [flags] [words]
{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}

{{.HelpName}} COMMAND --help shows flags and examples.
`

	commandHelp = `{{.HelpName}}: {{.Usage}}

Usage: {{.HelpName}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}} [flags]
{{range .VisibleFlags}}
  {{.}}{{end}}
{{with .Description}}
{{.}}
{{end}}`
)
