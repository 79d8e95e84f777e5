#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: a log store gives back the text of a field as it was sent, and VictoriaLogs, whose fields are all strings,
# does so above all. Who asked for a record just after it was stored and got it byte for byte has tested that.
#
# True: where all values of a field in a block look like decimals, VictoriaLogs 1.52.1 keeps them as float64 and prints
# them again when asked: "1.10" comes back as "1.1", "10.100" as "10.1". It happens late: a block with at most eight
# different values keeps them as they came, so the first answers are right; when a background merge brings more of them
# into one block, the records that were right until then change. Versions ("1.10", "1.20"), prices and
# amounts are of this kind; a checksum or a signature over such a record holds before the merge and not after it.
# A value in the field that is no decimal ("1.10.0", "v1.10") keeps its block as text.
#
# Since: seen with v1.52.1. Strings of digits with leading zeros had the like and were mended (VictoriaMetrics issue 8361).
#
# Source: lib/logstorage/values_encoder.go, tryFloat64Encoding, tried when there are too many values for a dictionary.
set -euo pipefail

version=v1.52.1
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
server=
echo "building VictoriaLogs $version" >&2
(cd "$dir" && GOFLAGS=-mod=mod GOBIN="$dir" go install "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@$version") >&2

port=$(( 20000 + RANDOM % 10000 ))
url=http://127.0.0.1:$port
"$dir/victoria-logs" -storageDataPath="$dir/data" -httpListenAddr="127.0.0.1:$port" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do curl -sf "$url/health" >/dev/null && break; sleep 0.1; done

put() { # FROM TO: a record for each of the numbers
  for i in $(seq "$1" "$2"); do
    printf '{"_time":"%s","_msg":"sold","app":"till","price":"%d.%d0"}\n' "$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)" "$i" "$i"
  done | curl -sSf -H 'Content-Type: application/stream+json' --data-binary @- "$url/insert/jsonline?_stream_fields=app"
  curl -sSf "$url/internal/force_flush"
}
prices() {
  curl -sSf "$url/select/logsql/query" --data-urlencode 'query={app="till"} | fields price' | grep -o '[0-9.]*[0-9]' | sort -n | tr '\n' ' ' | sed 's/ $//'
}
until_count() { for _ in $(seq 300); do [ "$(prices | wc -w)" = "$1" ] && return; sleep 0.1; done; echo "only $(prices | wc -w) of $1 records are stored"; exit 1; }

put 1 6;  until_count 6
put 7 12; until_count 12
before=$(prices)
curl -sSf "$url/internal/force_merge"
for _ in $(seq 100); do after=$(prices); [ "$after" != "$before" ] && break; sleep 0.1; done

echo "VictoriaLogs $version"
echo "before a merge: $before"
echo "after it:       $after"
[ "$before" = "1.10 2.20 3.30 4.40 5.50 6.60 7.70 8.80 9.90 10.100 11.110 12.120" ] &&
  [ "$after" = "1.1 2.2 3.3 4.4 5.5 6.6 7.7 8.8 9.9 10.1 11.11 12.12" ] ||
  { echo "it behaves otherwise now"; exit 1; }
echo "as described: the merge has rewritten the records"
