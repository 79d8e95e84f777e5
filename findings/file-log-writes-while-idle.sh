#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: the OpenTelemetry file_log receiver with a `storage` writes its positions when it has read something. On a host where nothing is logged it
# looks at its files and leaves the disk alone.
#
# True: it writes all it knows of all its files after every poll, five times a second, whether anything has changed or not: for each file
# its first bytes (fingerprint_size, 1,000), its attributes and its position. With a thousand files that nobody writes to that is 5 MB
# a second, 400 GB a day, into a database that hands them to the disk. A node with some hundred containers and their rotated files comes
# near that. Nothing points at the receiver but the process's own counters (/proc/PID/io). A longer poll_interval divides it.
#
# Since: positions are stored; seen with v0.160.0.
#
# Source: pkg/stanza of opentelemetry-collector-contrib, fileconsumer/file.go (checkpoint.Save at the end of each poll) and fileconsumer/internal/checkpoint.
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
	github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage $version
	github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver $version
	go.opentelemetry.io/collector/component $core
	go.opentelemetry.io/collector/confmap $core
	go.opentelemetry.io/collector/consumer $core
	go.opentelemetry.io/collector/extension/extensiontest $version
	go.opentelemetry.io/collector/pdata $core
	go.opentelemetry.io/collector/receiver/receivertest $version
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

var storageID = component.MustNewID("file_storage")

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

func written() (n int) {
	b, err := os.ReadFile("/proc/self/io")
	check(err)
	_, rest, _ := strings.Cut(string(b), "wchar: ")
	_, err = fmt.Sscan(rest, &n)
	check(err)
	return n
}

func main() {
	ctx := context.Background()
	check(os.Mkdir("logs", 0o700))
	for i := range 1000 {
		check(os.WriteFile(fmt.Sprintf("logs/%d.log", i), []byte(strings.Repeat(fmt.Sprintf("file %d says something\n", i), 100)), 0o600))
	}
	ef := filestorage.NewFactory()
	ecfg := ef.CreateDefaultConfig().(*filestorage.Config)
	ecfg.Directory, ecfg.CreateDirectory = "state", true
	check(ecfg.Validate())
	e, err := ef.Create(ctx, extensiontest.NewNopSettings(ef.Type()), ecfg)
	check(err)
	check(e.Start(ctx, nil))
	f := filelogreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	check(confmap.NewFromStringMap(map[string]any{"include": []any{"logs/*.log"}, "start_at": "beginning", "storage": storageID.String()}).Unmarshal(cfg))
	records := make(chan int, 100000)
	next, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error { records <- ld.LogRecordCount(); return nil })
	check(err)
	r, err := f.CreateLogs(ctx, receivertest.NewNopSettings(f.Type()), cfg, next)
	check(err)
	check(r.Start(ctx, host{storageID: e}))
	for n := 0; n < 100_000; n += <-records {
	}
	time.Sleep(2 * time.Second)
	before := written()
	time.Sleep(5 * time.Second)
	fmt.Println(written() - before)
	check(r.Shutdown(ctx))
	check(e.Shutdown(ctx))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
echo "building with file_log and file_storage $version" >&2
GOFLAGS=-mod=mod go build -o finding . >&2
bytes=$(./finding)
echo "1000 files that nobody writes to, all read: $((bytes / 1000000)) MB written in 5 s"
[ "$bytes" -gt 5000000 ] || { echo "it behaves otherwise now"; exit 1; }
echo "as described: what has not changed is written again and again"
