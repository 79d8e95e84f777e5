#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: a collector that is stopped in order (SIGTERM) sends what its exporters' queues hold, as long as the servers take it. A queue on disk (sending_queue.storage)
# is the safer of the two: it does what one in memory does, and survives a crash besides.
#
# True: only a queue in memory is emptied at a stop. One on disk is closed at once: what is being sent is finished, and all that waits behind it stays on the disk until the next
# start, though the server is well and would take it in a moment. For a host that is shut down, moved or taken away that is never, and what it logged last, such as the
# line that says that it is being stopped, is not where the others' logs are. Whoever gives a collector a disk in order to lose nothing has it deliver less when it ends.
#
# Since: the queue on disk exists in exporterhelper; seen with v0.160.0.
#
# Source: exporterhelper/internal/queue, where Read of persistent_queue.go returns as soon as Shutdown was called, and that of memory_queue.go once nothing is
# left; the comment in queuebatch's Shutdown says of both that this "will drain the queue".
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
	github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage $version
	go.opentelemetry.io/collector/component $stable
	go.opentelemetry.io/collector/confmap $stable
	go.opentelemetry.io/collector/exporter $stable
	go.opentelemetry.io/collector/exporter/exportertest $version
	go.opentelemetry.io/collector/exporter/otlphttpexporter $version
	go.opentelemetry.io/collector/extension $stable
	go.opentelemetry.io/collector/extension/extensiontest $version
	go.opentelemetry.io/collector/pdata $stable
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
)

const requests = 40

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// run gives an exporter that many requests, stops it in order once the first has been sent, and returns how many the server has got then, and how many
// when another exporter has been started with the same queue. The server is well all the time, and answers in 20 ms.
func run(h host, queue map[string]any) (atTheStop, later int64) {
	var got atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(20 * time.Millisecond)
		got.Add(1)
	}))
	defer server.Close()
	factory, ctx := otlphttpexporter.NewFactory(), context.Background()
	settings := exportertest.NewNopSettings(factory.Type())
	start := func() exporter.Logs {
		cfg := factory.CreateDefaultConfig()
		check(confmap.NewFromStringMap(map[string]any{"endpoint": server.URL, "sending_queue": queue}).Unmarshal(cfg))
		e, err := factory.CreateLogs(ctx, settings, cfg)
		check(err)
		check(e.Start(ctx, h))
		return e
	}
	await := func(n int64) {
		for end := time.Now().Add(10 * time.Second); got.Load() < n && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
	}
	e := start()
	for range requests {
		logs := plog.NewLogs()
		logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("a line")
		check(e.ConsumeLogs(ctx, logs))
	}
	await(1)
	check(e.Shutdown(ctx))
	atTheStop = got.Load()
	e = start()
	await(requests)
	check(e.Shutdown(ctx))
	return atTheStop, got.Load()
}

func main() {
	factory, ctx := filestorage.NewFactory(), context.Background()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = "."
	storage, err := factory.Create(ctx, extensiontest.NewNopSettings(factory.Type()), cfg)
	check(err)
	h := host{component.MustNewID("file_storage"): storage}
	check(storage.Start(ctx, h))
	memory, _ := run(h, map[string]any{"num_consumers": 1})
	disk, later := run(h, map[string]any{"num_consumers": 1, "storage": "file_storage"})
	check(storage.Shutdown(ctx))
	fmt.Printf("of %d requests that were in the queue of otlp_http when it was stopped in order, its server being well, were sent:\n", requests)
	fmt.Printf("from a queue in memory: %d\nfrom a queue on disk: %d, and %d after the next start\n", memory, disk, later)
	if memory != requests || disk >= requests/2 || later != requests {
		fmt.Println("it behaves otherwise now")
		os.Exit(1)
	}
	fmt.Println("as described: a queue on disk keeps for the next start what was not being sent")
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
GOFLAGS=-mod=mod go run . 2>err || { status=$?; cat err >&2; exit $status; }
