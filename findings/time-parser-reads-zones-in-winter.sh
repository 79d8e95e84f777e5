#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: the OpenTelemetry receivers' `timestamp: {layout: '%Y-%m-%d %H:%M:%S %Z'}` reads what PostgreSQL and many others print by default, a time
# with its zone's abbreviation. Whoever has tried it with the service's log, on a host of the same zone, knows that the instants are right.
#
# True: it depends on the season. An abbreviation is taken for the name of a file in the time zone database. CET and EST have one there, for other reasons;
# CEST, EDT, PST, PDT and BST have none. So what is set up and tested in winter raises an error with every line from the last
# Sunday of March on ("failed to load location CEST"), and the records go on without the time of their event. That the host is in that
# zone does not help: a layout that ends in Z counts as Zulu time, and the Z of %Z at its end is no exception. With anything behind
# the zone, the host's zone is looked at, and both seasons are right. In a container (TZ is UTC) they are not.
# `time_zone_locations: {CET: Europe/Berlin, CEST: Europe/Berlin}` or `location: Europe/Berlin` settle it, or a log that prints offsets.
#
# Since: seen with v0.160.0.
#
# Source: opentelemetry-collector-contrib, pkg/stanza/operator/helper/time.go (setLocation) and internal/coreinternal/timeutils/parser.go (parseGotime, which
# loads a location by the abbreviation).
set -euo pipefail

stable=v1.66.0
version=v0.160.0 # the other modules of the same release
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<END
module example.com/finding

go 1.26

require (
	github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza $version
	go.opentelemetry.io/collector/component/componenttest $version
	go.opentelemetry.io/collector/confmap $stable
)
END
cat > main.go <<'END'
package main

import (
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/timeparser"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
)

// read prints what the operator makes of a text.
func read(text, layout string, more map[string]any) {
	config := map[string]any{"parse_from": "body", "layout": layout}
	for k, v := range more {
		config[k] = v
	}
	cfg := timeparser.NewConfig()
	must(cfg.Unmarshal(confmap.NewFromStringMap(config)))
	op, err := cfg.Build(componenttest.NewNopTelemetrySettings())
	must(err)
	e := entry.New()
	e.Body = text
	err = op.(*timeparser.Parser).TimeParser.Parse(e)
	result := e.Timestamp.UTC().Format(time.TimeOnly) + " UTC"
	if err != nil {
		result = err.Error()
	}
	fmt.Printf("  %-26s %s\n", text, result)
}

func main() {
	fmt.Printf("a host with TZ=%s\n", os.Getenv("TZ"))
	for _, text := range []string{"2026-01-28 09:12:44 CET", "2026-07-28 09:12:44 CEST", "2026-01-28 09:12:44 EST", "2026-07-28 09:12:44 EDT"} {
		read(text, "%Y-%m-%d %H:%M:%S %Z", nil)
	}
	fmt.Println("  with a bracket behind the zone:")
	for _, text := range []string{"[2026-01-28 09:12:44 CET]", "[2026-07-28 09:12:44 CEST]"} {
		read(text, "[%Y-%m-%d %H:%M:%S %Z]", nil)
	}
	fmt.Println("  with a location, and with time_zone_locations:")
	read("2026-07-28 09:12:44 CEST", "%Y-%m-%d %H:%M:%S %Z", map[string]any{"location": "Europe/Berlin"})
	read("2026-07-28 09:12:44 CEST", "%Y-%m-%d %H:%M:%S %Z", map[string]any{"time_zone_locations": map[string]any{"CEST": "Europe/Berlin"}})
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
GOFLAGS=-mod=mod go build -o read . 2>err || { cat err >&2; exit 2; }
{ TZ=Europe/Berlin ./read; TZ=UTC ./read; } | tee seen
cat > expected <<'END'
a host with TZ=Europe/Berlin
  2026-01-28 09:12:44 CET    08:12:44 UTC
  2026-07-28 09:12:44 CEST   failed to load location CEST: unknown time zone CEST
  2026-01-28 09:12:44 EST    14:12:44 UTC
  2026-07-28 09:12:44 EDT    failed to load location EDT: unknown time zone EDT
  with a bracket behind the zone:
  [2026-01-28 09:12:44 CET]  08:12:44 UTC
  [2026-07-28 09:12:44 CEST] 07:12:44 UTC
  with a location, and with time_zone_locations:
  2026-07-28 09:12:44 CEST   07:12:44 UTC
  2026-07-28 09:12:44 CEST   07:12:44 UTC
a host with TZ=UTC
  2026-01-28 09:12:44 CET    08:12:44 UTC
  2026-07-28 09:12:44 CEST   failed to load location CEST: unknown time zone CEST
  2026-01-28 09:12:44 EST    14:12:44 UTC
  2026-07-28 09:12:44 EDT    failed to load location EDT: unknown time zone EDT
  with a bracket behind the zone:
  [2026-01-28 09:12:44 CET]  08:12:44 UTC
  [2026-07-28 09:12:44 CEST] failed to load location CEST: unknown time zone CEST
  with a location, and with time_zone_locations:
  2026-07-28 09:12:44 CEST   07:12:44 UTC
  2026-07-28 09:12:44 CEST   07:12:44 UTC
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: winter is read, summer is an error"
