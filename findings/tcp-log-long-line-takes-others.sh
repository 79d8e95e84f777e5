#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: `max_log_size` of the OpenTelemetry receivers that read lines from TCP (tcp_log, and syslog over TCP) does to a longer line what the option of
# the same name does in file_log: it comes in parts, or cut; the lines around it are not concerned.
#
# True: the connection is closed. Gone are the long line, whole, and every line behind it that the receiver's system had taken by then and the sender
# will not send again, since its write succeeded. A sender with a backlog loses up to a buffer of good lines for one long one, after each new
# connection, and if it begins again with the long line it never gets past it. The receiver logs "token too long" without a size and,
# unless its log level is debug, without the sender's address.
#
# Since: seen with v0.160.0; bufio.Scanner has always ended so.
#
# Source: pkg/stanza of opentelemetry-collector-contrib, operator/input/tcp/input.go (a bufio.Scanner whose buffer has max_log_size bytes).
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
	github.com/open-telemetry/opentelemetry-collector-contrib/receiver/tcplogreceiver $version
	go.opentelemetry.io/collector/component/componenttest $version
	go.opentelemetry.io/collector/confmap $core
	go.opentelemetry.io/collector/consumer/consumertest $version
	go.opentelemetry.io/collector/pdata $core
	go.opentelemetry.io/collector/receiver/receivertest $version
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/tcplogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// send sends lines over one connection and returns how many records they became.
func send(long int) (records int, closed bool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	addr := l.Addr().String()
	check(l.Close())
	f := tcplogreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	check(confmap.NewFromStringMap(map[string]any{"listen_address": addr, "max_log_size": "64KiB"}).Unmarshal(cfg))
	sink := new(consumertest.LogsSink)
	r, err := f.CreateLogs(context.Background(), receivertest.NewNopSettings(f.Type()), cfg, sink)
	check(err)
	check(r.Start(context.Background(), componenttest.NewNopHost()))
	conn, err := net.Dial("tcp", addr)
	check(err)
	good := strings.Repeat("a good line\n", 1000)
	_, err = conn.Write([]byte(good + strings.Repeat("x", long) + "\n" + good))
	check(err)
	check(conn.SetReadDeadline(time.Now().Add(3 * time.Second))) // a receiver of lines answers nothing
	_, err = conn.Read(make([]byte, 1))
	closed = err == io.EOF || err != nil && !os.IsTimeout(err)
	conn.Close()
	check(r.Shutdown(context.Background()))
	return sink.LogRecordCount(), closed
}

func main() {
	for _, kib := range []int{32, 80} {
		records, closed := send(kib << 10)
		fmt.Printf("2000 good lines and one of %d KiB: %d records, the receiver has closed the connection: %v\n", kib, records, closed)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
echo "building with tcp_log $version" >&2
GOFLAGS=-mod=mod go build -o finding . >&2
./finding | tee seen
cat > expected <<'END'
2000 good lines and one of 32 KiB: 2001 records, the receiver has closed the connection: false
2000 good lines and one of 80 KiB: 1000 records, the receiver has closed the connection: true
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: the long line takes those behind it along"
