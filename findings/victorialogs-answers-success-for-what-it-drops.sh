#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: a log store that answers an OTLP request with 200 has taken its records, or says in `partial_success` how many it has not; and its counter of
# ingested records counts what can be found afterwards.
#
# True: VictoriaLogs 1.52.1 answers 200 with an empty response, which is OTLP's full success, for records that it throws away: older than its
# retention (7 days unless configured), more than two days ahead, or longer than 2 MiB. Its counter of ingested records counts them
# all. Those outside its time are in a counter of dropped ones besides; the long one is in none. So a host that was cut off for longer
# than the retention, or whose clock is wrong, drains its queue into nothing, and every counter of the sender is right. What tells is the store's own log, at
# warn, one line in five seconds, which quotes the record, so that what was kept out of the store for its age is in a file on its host.
#
# Since: seen with v1.52.1.
#
# Source: lib/logstorage of VictoriaLogs, Storage.MustAddRows and LogRows.MustAdd, which return nothing that the OTLP handler could tell.
set -euo pipefail

version=v1.52.1
pdata=v1.66.0
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
server=
cd "$dir"
echo "building VictoriaLogs $version" >&2
GOFLAGS=-mod=mod GOBIN="$dir" go install "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@$version" >&2
cat > go.mod <<END
module example.com/finding

go 1.26

require go.opentelemetry.io/collector/pdata $pdata
END
cat > main.go <<'END'
// send URL HOURS BYTES sends one record of so many bytes over OTLP, of a time that many hours ago, and prints what the store answers.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

func main() {
	hours, err := strconv.Atoi(os.Args[2])
	check(err)
	size, err := strconv.Atoi(os.Args[3])
	check(err)
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Duration(hours) * time.Hour)))
	lr.Body().SetStr(strings.Repeat("a line ", size/7))
	request, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	check(err)
	answer, err := http.Post(os.Args[1], "application/x-protobuf", bytes.NewReader(request))
	check(err)
	body, err := io.ReadAll(answer.Body)
	check(err)
	response := plogotlp.NewExportResponse()
	check(response.UnmarshalProto(body))
	fmt.Printf("status %d, rejected %d, message %q", answer.StatusCode, response.PartialSuccess().RejectedLogRecords(), response.PartialSuccess().ErrorMessage())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
GOFLAGS=-mod=mod go build -o send . >&2

port=$(( 20000 + RANDOM % 10000 ))
url=http://127.0.0.1:$port
./victoria-logs -storageDataPath="$dir/data" -httpListenAddr="127.0.0.1:$port" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do curl -sf "$url/health" >/dev/null && break; sleep 0.1; done
one() { printf '%-15s %s\n' "$1" "$(./send "$url/insert/opentelemetry/v1/logs" "$2" "$3")"; }
counter() { curl -sSf "$url/metrics" | grep -F "$1" | awk '{n += $2} END {print n}'; }
found() { curl -sSf "$url/select/logsql/query" --data-urlencode 'query=_time:[2000-01-01T00:00:00Z, 2100-01-01T00:00:00Z]' | wc -l; }

{
  one now 0 70
  one 'ten days old' 240 70
  one 'in three days' -72 70
  one 'of 3 MB' 0 3000000
} > seen
curl -sSf "$url/internal/force_flush"
for _ in $(seq 100); do [ "$(found)" -gt 0 ] && break; sleep 0.1; done
echo "counted as ingested $(counter vl_rows_ingested_total), as dropped $(counter vl_rows_dropped_total), as too long $(counter vl_too_long_lines_skipped_total); found $(found)" >> seen
cat seen
cat > expected <<'END'
now             status 200, rejected 0, message ""
ten days old    status 200, rejected 0, message ""
in three days   status 200, rejected 0, message ""
of 3 MB         status 200, rejected 0, message ""
counted as ingested 4, as dropped 2, as too long 0; found 1
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: full success for what is not kept"
