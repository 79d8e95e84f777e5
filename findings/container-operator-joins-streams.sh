#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: the `container` operator of the OpenTelemetry file_log receiver puts a long line, which the container runtime
# wrote in parts (tag P, the last one F), together again, whatever else the container prints meanwhile. stdout and stderr
# are two streams, and the runtime splits each by itself.
#
# True: parts are collected by file only, and the first F in the file ends the line, also when it belongs to the other
# stream. A container that writes a long line to stdout and a short one to stderr at the same time, an everyday thing,
# gives two records that nobody wrote: stdout's first part with stderr's whole line behind it, and stdout's rest alone.
# Which stream the joined record names is that of one of its parts; the other's text goes under a wrong name.
#
# Since: as long as the operator exists (it builds its own `recombine` with the file's path as the source identifier, and
# that with `is_last_entry` on the tag); seen with v0.160.0.
#
# Source: pkg/stanza/operator/parser/container/config.go, createRecombineConfig. A configuration by hand, with `recombine`
# and a source identifier of path and stream, does not have it.
set -euo pipefail

version=v0.160.0
core=v1.66.0 # the collector's modules of the same release
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<END
module example.com/finding

go 1.26

require (
	github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver $version
	go.opentelemetry.io/collector/consumer/consumertest $version
	go.opentelemetry.io/collector/receiver/receivertest $version
	go.opentelemetry.io/collector/component/componenttest $version
	go.opentelemetry.io/collector/pdata $core
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

const lines = `2026-11-01T10:00:00.000000001Z stdout P one long line, first part;
2026-11-01T10:00:00.000000002Z stderr F a short line
2026-11-01T10:00:00.000000003Z stdout F one long line, last part
`

func main() {
	folder, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(folder)
	pod := filepath.Join(folder, "default_app_49cc7c1f-d370-4a4e-b1b5-3e1f1d2c1c0a", "app")
	check(os.MkdirAll(pod, 0o755))
	check(os.WriteFile(filepath.Join(pod, "0.log"), []byte(lines), 0o644))

	f := filelogreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	check(confmap.NewFromStringMap(map[string]any{
		"include":           []any{filepath.Join(folder, "*/*/*.log")},
		"include_file_path": true,
		"start_at":          "beginning",
		"operators":         []any{map[string]any{"type": "container"}},
	}).Unmarshal(cfg))
	sink := new(consumertest.LogsSink)
	r, err := f.CreateLogs(context.Background(), receivertest.NewNopSettings(f.Type()), cfg, sink)
	check(err)
	check(r.Start(context.Background(), componenttest.NewNopHost()))
	for end := time.Now().Add(30 * time.Second); sink.LogRecordCount() < 2 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	check(r.Shutdown(context.Background()))
	for _, l := range sink.AllLogs() {
		for _, rl := range l.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					stream, _ := lr.Attributes().Get("log.iostream")
					fmt.Printf("%s: %s\n", stream.Str(), lr.Body().AsString())
				}
			}
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
echo "building with file_log $version" >&2
GOFLAGS=-mod=mod go build -o finding . >&2
./finding | tee seen
printf '%s\n' 'stdout: one long line, first part;a short line' 'stdout: one long line, last part' > expected
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: the line of stderr is part of one of stdout"
