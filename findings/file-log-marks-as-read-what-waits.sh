#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: the OpenTelemetry file_log receiver with a `storage` delivers at least once. Its position in a file is stored when what lies before it
# has been handed to the pipeline; a process that is killed reads a little again, and loses nothing.
#
# True: lines that were read wait in a buffer of the receiver's, up to 100 of them or 100 ms, and the position behind them is stored at the end of
# the poll that has read them, which is most often earlier. A SIGKILL (an OOM kill, a node that is reset) within these 100 ms loses
# them: they were given to nobody, and the next start goes on behind them. Neither a queue on disk behind the receiver nor retry_on_failure helps, because
# nothing has reached them. Only a kill shows it: a stop in order empties the buffer. On a host that writes little, where each line waits for
# the full 100 ms, it is each line of that time.
#
# Here the process kills itself as soon as the position is in the storage, which is one of the moments that a kill may hit.
#
# Since: seen with v0.160.0; the buffer is older than the storage of positions.
#
# Source: pkg/stanza of opentelemetry-collector-contrib, operator/helper/emitter.go (batching emitter: size and interval) and fileconsumer/file.go
# (positions are saved at the end of a poll).
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
	go.opentelemetry.io/collector/extension/xextension $version
	go.opentelemetry.io/collector/pdata $core
	go.opentelemetry.io/collector/receiver/receivertest $version
)
END
cat > main.go <<'END'
// finding MODE reads app.log for two seconds, as a collector does; with MODE kill it gets a SIGKILL once the position behind the lines is stored.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

var storageID = component.MustNewID("file_storage")

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// watched is the storage, which it only looks at.
type watched struct{ storage.Extension }

func (w watched) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	c, err := w.Extension.GetClient(ctx, kind, id, name)
	return client{c}, err
}

type client struct{ storage.Client }

func (c client) Batch(ctx context.Context, ops ...*storage.Operation) error {
	err := c.Client.Batch(ctx, ops...)
	for _, op := range ops {
		// The first bytes of a file are stored beside its position.
		if os.Args[1] == "kill" && op.Type == storage.Set && bytes.Contains(op.Value, []byte("the third")) {
			check(syscall.Kill(os.Getpid(), syscall.SIGKILL))
			select {}
		}
	}
	return err
}

func main() {
	ctx := context.Background()
	ef := filestorage.NewFactory()
	ecfg := ef.CreateDefaultConfig().(*filestorage.Config)
	ecfg.Directory, ecfg.CreateDirectory = "state", true
	check(ecfg.Validate())
	e, err := ef.Create(ctx, extensiontest.NewNopSettings(ef.Type()), ecfg)
	check(err)
	check(e.Start(ctx, nil))

	f := filelogreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	check(confmap.NewFromStringMap(map[string]any{
		"include": []any{"app.log"}, "start_at": "beginning", "storage": storageID.String(),
	}).Unmarshal(cfg))
	records := 0
	next, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error {
		records += ld.LogRecordCount()
		return nil
	})
	check(err)
	set := receivertest.NewNopSettings(f.Type())
	set.ID = component.NewID(f.Type())
	r, err := f.CreateLogs(ctx, set, cfg, next)
	check(err)
	check(r.Start(ctx, host{storageID: watched{e.(storage.Extension)}}))
	time.Sleep(2 * time.Second)
	check(r.Shutdown(ctx))
	check(e.Shutdown(ctx))
	fmt.Printf("%s: the pipeline got %d records\n", os.Args[1], records)
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
{
  printf 'the first\nthe second\nthe third\n' > app.log
  (./finding kill) 2>/dev/null || echo "killed, exit status $?"
  ./finding "the next start"
  printf 'the fourth\n' >> app.log
  ./finding "with one line more"
} | tee seen
printf '%s\n' 'killed, exit status 137' 'the next start: the pipeline got 0 records' 'with one line more: the pipeline got 1 records' > expected
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: three lines are marked as read and were given to nobody"
