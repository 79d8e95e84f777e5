# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec

# An empty environment (env -i, some CI runners) has no PATH to go and no HOME for its caches.
export PATH := $(PATH):/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME ?= $(shell getent passwd "$$(id -u)" | cut -d: -f6)

# The one place of the version.
VERSION := $(shell sed -n 's/^  version: //p' builder-config.yaml)

# No cgo and no paths of the build machine in what ships; no VCS stamp, so that a tarball and a clone build the same.
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOLS   := .tools
SOURCES := $(shell find components cmd connector distributions exporter extension internal pkg processor receiver \
             -name '*.go' -not -name '*_test.go' 2>/dev/null) $(wildcard distributions/*/config.yaml) go.mod go.sum builder-config.yaml
# Packages whose tests run under the race detector: ours, all but the whole-process tests.
RACE_PACKAGES = $(shell go list ./... | grep -v -e /components -e /tests)
# Those of them that go through everything there is, in one goroutine: under the race detector they take a sample, and without it all.
FULL_PACKAGES := ./pkg/seglog ./pkg/seal/verifier ./pkg/seal/watch

.DEFAULT_GOAL := help

##@ Use
.PHONY: run
run: build ## Build what is missing and watch the demonstration: agent -> gateway -> SIEM on this machine's logs
	@$(TRY_STORE)
	@bin/logseal demo $(DEMO_ARGS)

.PHONY: build
build: bin/otelcol-logseal bin/logseal ## Build bin/otelcol-logseal and bin/logseal

bin/otelcol-logseal: $(SOURCES)
	@echo "Building bin/otelcol-logseal $(VERSION). The first time this downloads some 400 modules and compiles some 3,000"
	@echo "packages: 6 to 8 minutes on two cores. Later builds take seconds."
	@CGO_ENABLED=0 go build -v -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $@ ./components 2>&1 | scripts/build-progress

bin/logseal: $(SOURCES)
	@echo "Building bin/logseal $(VERSION)"
	@$(GOBUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/logseal

##@ Check
.PHONY: test
test: build ## Run every test, the whole-process ones included
	@command -v gcc >/dev/null || { echo "make test needs gcc: the race detector is built with cgo (Debian: apt-get install gcc libc6-dev)"; exit 1; }
	CGO_ENABLED=1 go test -buildvcs=false -race -timeout 20m $(RACE_PACKAGES)
	CGO_ENABLED=0 go test -buildvcs=false -timeout 10m $(FULL_PACKAGES)
	@$(TRY_STORE)
	LOGSEAL_VICTORIALOGS="$$(ls "$(VICTORIALOGS)" 2>/dev/null || :)" CGO_ENABLED=0 go test -buildvcs=false -count=1 -timeout 25m ./tests/...

.PHONY: test-fast
test-fast: ## Run the packages' tests without the race detector and without whole processes: some minutes less, for while you work
	CGO_ENABLED=0 go test -buildvcs=false -short -timeout 10m $(RACE_PACKAGES)

.PHONY: test-store
test-store: build store ## Send records into a real store (VictoriaLogs, built the first time), fetch them back and prove them
	LOGSEAL_VICTORIALOGS=$(VICTORIALOGS) CGO_ENABLED=0 go test -buildvcs=false -count=1 -v -run TestStore ./tests

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## Lint and check the formatting
	@$(TOOLS)/golangci-lint run ./...

.PHONY: schedules
schedules: ## Run random schedules of the watcher against the offline verifier: SCHEDULES=5000, or 7..8 for one; a million unless told
	LOGSEAL_SCHEDULES=$(or $(SCHEDULES),1000000) CGO_ENABLED=0 GOGC=400 go test -buildvcs=false -run 'TestSchedules$$' -timeout 0 -v ./pkg/seal/watch

.PHONY: alerts
alerts: $(TOOLS)/promtool ## Check the Prometheus rules in deploy/alerts and run their unit tests
	@$(TOOLS)/promtool check rules --lint-fatal deploy/alerts/logseal.rules.yaml
	@$(TOOLS)/promtool test rules deploy/alerts/logseal.test.yaml

.PHONY: generate
generate: $(TOOLS)/builder $(TOOLS)/mdatagen ## Regenerate components/ (ocb), the components' metadata (mdatagen), the tables of rules in the docs and the prefilter's grouping
	@$(TOOLS)/builder --config builder-config.yaml --skip-get-modules --skip-compilation 2>&1 | grep -i -e error -e warn || true
	@scripts/own-run
	@for f in $$(git ls-files --cached --others --exclude-standard '*/metadata.yaml'); do (cd "$$(dirname "$$f")" && "$(CURDIR)/$(TOOLS)/mdatagen" metadata.yaml) || exit 1; done
	@go run -buildvcs=false ./internal/ruledocs
	@go test -buildvcs=false -count=1 -run TestWriteGrouping ./pkg/redact -write-grouping >/dev/null

.PHONY: bench
bench: ## Run the Go benchmarks
	go test -buildvcs=false -run '^$$' -bench . -benchmem ./pkg/... ./receiver/... ./exporter/...

.PHONY: score
score: ## Score the redaction rules: recall and false alarms, rule by rule (corpora in ../shared, if they are there)
	go test -buildvcs=false -count=1 -run 'Corpora|Synthetic|Lines' -v ./pkg/redact

.PHONY: bench-e2e
bench-e2e: build ## Measure whole processes in alternating pairs (BENCH_ARGS="-h" for scenarios); an hour for all of them
	@go run -buildvcs=false ./tests/bench $(BENCH_ARGS)

CLI_PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
.PHONY: cross
cross: ## Compile for other platforms: logseal for all that auditors have, the collector for Linux arm64
	@for p in $(CLI_PLATFORMS); do \
	  case $$p in windows/*) exe=.exe;; *) exe=;; esac; \
	  GOOS=$${p%/*} GOARCH=$${p#*/} $(GOBUILD) -ldflags '$(LDFLAGS)' -o dist/$${p%/*}_$${p#*/}/logseal$$exe ./cmd/logseal || exit 1; \
	done
	@for os in darwin windows; do GOOS=$$os CGO_ENABLED=0 go vet ./cmd/logseal ./pkg/... || exit 1; done
	@$(MAKE) --no-print-directory dist/linux_arm64/otelcol-logseal

.PHONY: tidy
tidy: ## Tidy go.mod; name a new module's version in it first
	go mod tidy
	cd internal/tools && go mod tidy

.PHONY: clean
clean: ## Remove what was built (not Go's caches)
	rm -rf bin dist $(TOOLS)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

include scripts/release.mk

# Without the clients of a dozen clouds, which promtool finds its targets with.
$(TOOLS)/promtool: internal/tools/promtool/go.mod internal/tools/promtool/go.sum
	@echo "Building $@ (the first time: two or three minutes)"
	@cd internal/tools/promtool && GOFLAGS=-buildvcs=false GOBIN="$(CURDIR)/$(TOOLS)" go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool
	@touch $@

# A log store for the drill and the test of a real one: LOGSEAL_VICTORIALOGS names it, or it is built, some thirty modules, in about a minute.
VICTORIALOGS := $(or $(LOGSEAL_VICTORIALOGS),$(abspath $(TOOLS)/victoria-logs))
TRY_STORE = $(MAKE) --no-print-directory store || echo "VictoriaLogs cannot be built here: what drives a real log store is left out. \"make store\" tries again"
.PHONY: store
store: $(VICTORIALOGS) ## Build VictoriaLogs, a log store, for make run and make test-store
	@:
$(abspath $(TOOLS)/victoria-logs): internal/tools/victorialogs/go.mod internal/tools/victorialogs/go.sum
	@echo "Building VictoriaLogs, the log store of a drill: some 300 packages, a minute on two cores the first time"
	@cd internal/tools/victorialogs && GOFLAGS=-buildvcs=false CGO_ENABLED=0 GOBIN="$(CURDIR)/$(TOOLS)" \
	  go install -v -trimpath github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs 2>&1 | "$(CURDIR)/scripts/build-progress"
	@touch $@

# Tools have a module of their own, so that they do not enter the product's go.mod.
$(TOOLS)/builder: TOOL := go.opentelemetry.io/collector/cmd/builder
$(TOOLS)/mdatagen: TOOL := go.opentelemetry.io/collector/cmd/mdatagen
$(TOOLS)/golangci-lint: TOOL := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/gofumpt: TOOL := mvdan.cc/gofumpt
$(TOOLS)/%: internal/tools/go.mod internal/tools/go.sum
	@echo "Building $@ (the first time: a minute or two)"
	@cd internal/tools && GOFLAGS=-buildvcs=false GOBIN="$(CURDIR)/$(TOOLS)" go install $(TOOL)
	@touch $@
