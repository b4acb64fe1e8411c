# Plain make, for GNU make 3.81 (macOS) and later.

GO         ?= go
GOTEST     ?= $(GO) test
TOOL        = $(GO) tool -modfile=tools/go.mod
TESTFLAGS  ?=
BENCHFLAGS ?=
RELIABILITYFLAGS ?=

# A count, about five seconds' worth. A duration is at times reported as a
# failure when it ends (go.dev/issue/75804, open in Go 1.26).
FUZZTIME   ?= 100000x

# What is measured without a database.
PURE = ./internal/trivia ./internal/signature ./internal/source ./internal/drain ./internal/diag ./internal/customerio

.DEFAULT_GOAL := help
.PHONY: help run demo picture build test reliability check race fuzz bench fmt lint tidy vuln need-postgres need-tools

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: need-postgres build ## start trivia-hook with a private Postgres, a development key and demo users
	@CUSTOMERIO_WEBHOOK_SECRET="$${CUSTOMERIO_WEBHOOK_SECRET:-dev-signing-key}" \
		TRIVIA_SOURCES=loopback TRIVIA_ENV=development \
		bin/trivia-hook --embedded --demo

demo: need-postgres build ## show the terminal UI on a lively stream; nothing of it stays (DEMOFLAGS)
	@$(GO) build -o bin/ ./scripts/demo && exec bin/demo $(DEMOFLAGS)

picture: need-postgres build ## take the pictures of docs/ anew, from the demo (needs tmux)
	$(GO) build -o bin/ ./scripts/demo ./scripts/picture
	bin/picture

build: ## build bin/trivia-hook and bin/triviactl
	$(GO) build -trimpath -o bin/ ./cmd/...

test: need-postgres need-tools ## run every test (TESTFLAGS=-race adds the race detector)
	$(GOTEST) -shuffle=on -timeout=30m $(TESTFLAGS) ./...

check: tidy lint fuzz build race ## run all that CI runs

# CI, too, calls the command that people call.
race:
	$(MAKE) test TESTFLAGS=-race

# Names come from `go test -list`, so a target cannot be forgotten.
fuzz: ## fuzz each target briefly (FUZZTIME=1000000x for longer)
	@set -e; \
	packages=$$(grep -rl '^func Fuzz' --include='*_test.go' cmd internal sql | sed 's|/[^/]*$$||' | sort -u); \
	test -n "$$packages" || { echo "no fuzz targets found" >&2; exit 1; }; \
	for package in $$packages; do \
		listed=$$($(GO) test -list '^Fuzz' "./$$package"); \
		for target in $$(echo "$$listed" | grep '^Fuzz'); do \
			echo "fuzz $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$package"; \
		done; \
	done

bench: need-postgres build ## measure the pure parts, then both programs under load (BENCHFLAGS)
	$(GO) test -run '^$$' -bench . -benchmem $(PURE)
	$(GO) run ./scripts/bench $(BENCHFLAGS)

reliability: need-postgres build ## do to the service what the field does, and write docs/reliability.md (RELIABILITYFLAGS)
	$(GO) build -o bin/ ./scripts/reliability
	bin/reliability -out docs/reliability.md $(RELIABILITYFLAGS)

fmt: ## format all Go files
	$(TOOL) golangci-lint fmt

lint: ## check style and likely mistakes; scripts too, where shellcheck is installed
	$(TOOL) golangci-lint config verify
	$(TOOL) golangci-lint run ./...
	@if command -v shellcheck >/dev/null; then \
		set -x; shellcheck .ci/run $$(grep -ls -d skip '^#!.*sh' scripts/*); \
	else \
		echo "shellcheck is not installed: scripts are not checked"; \
	fi

tidy: ## show what go mod tidy would change
	$(GO) mod tidy -diff

vuln: ## look the dependencies up in the vulnerability database (needs a network)
	$(TOOL) govulncheck ./...

need-postgres:
	@scripts/need-postgres

need-tools:
	@scripts/need-tools
