#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: OTLP has attributes of a resource and attributes of a record, and a store that makes one flat set of fields of them does something
# definite where both have one name: it prefixes one of them, lets the record's win, or keeps both.
#
# True: VictoriaLogs 1.52.1 stores two fields of one name. Searches see the resource's only: a search for the record's value finds nothing, and
# statistics count it nowhere. Yet the answer to a search for everything has the member twice, {"user":"…","user":"…"}, which is JSON whose meaning RFC 8259 leaves open; most
# parsers keep the last, which is the record's. So what a person reads in the result is what the search denies, and a rule on `user` is silent for all hosts
# whose resource happens to have such an attribute.
#
# Since: seen with v1.52.1.
#
# Source: app/vlinsert/opentelemetry of VictoriaLogs, which appends a record's attributes to its resource's under their own names.
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
// send URL sends one record over OTLP.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

func main() {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("user", "of the resource")
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	lr.Body().SetStr("sold")
	lr.Attributes().PutStr("user", "of the record")
	request, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	check(err)
	answer, err := http.Post(os.Args[1], "application/x-protobuf", bytes.NewReader(request))
	check(err)
	if answer.StatusCode != http.StatusOK {
		check(fmt.Errorf("the store answers %s", answer.Status))
	}
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
./send "$url/insert/opentelemetry/v1/logs"
curl -sSf "$url/internal/force_flush"
query() { curl -sSf "$url/select/logsql/query" --data-urlencode "query=$1"; }
for _ in $(seq 100); do [ -n "$(query '*')" ] && break; sleep 0.1; done

{
  echo "the answer to *:               $(query '*' | grep -o '"user":"[^"]*"' | tr '\n' ' ')"
  echo "found by user=of the resource: $(query 'user:="of the resource"' | wc -l)"
  echo "found by user=of the record:   $(query 'user:="of the record"' | wc -l)"
  echo "counted by user:               $(query '* | stats by (user) count() n')"
} | sed 's/ *$//' | tee seen
cat > expected <<'END'
the answer to *:               "user":"of the resource" "user":"of the record"
found by user=of the resource: 1
found by user=of the record:   0
counted by user:               {"user":"of the resource","n":"1"}
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: what the answer shows last, no search finds"
