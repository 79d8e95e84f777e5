#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: rsyslog, told to send RFC 5424 with octet counting (its own template RSYSLOG_SyslogProtocol23Format, TCP_Framing="octet-counted"),
# and the OpenTelemetry syslog receiver, told to expect RFC 5424 with octet counting, understand each other. Both follow RFC 6587.
#
# True: not one message is parsed. rsyslog's template ends in a line feed, and its framing counts that octet as part of the message, which
# RFC 6587 allows. The receiver takes line ends off what it has framed and hands frame and count to its parser together: the count says one octet more than
# there is. Each record is stored with the whole frame as its body, count in front, without host, severity, time and message; the receiver
# logs an error with the line for each. With a template of one's own, the same text without "\n" at its end, all is parsed.
#
# Since: rsyslog's template as long as it has it; the receiver seen with v0.160.0, rsyslog with Debian's 8.2302.0.
#
# Source: tools/rsyslogd.c of rsyslog (template_SyslogProtocol23Format) and tools/omfwd.c, which counts what the template gives;
# pkg/stanza of opentelemetry-collector-contrib, operator/input/syslog/input.go and operator/parser/syslog/parser.go, which get count and message in one piece.
set -euo pipefail

version=v0.160.0
core=v1.66.0 # the collector's modules of the same release
rsyslog=8.2302.0-1+deb12u2
dir=$(mktemp -d)
trap 'kill "$sender" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
sender=
cd "$dir"

echo "fetching rsyslog $rsyslog" >&2
(apt-get download -qq "rsyslog=$rsyslog" libestr0 libfastjson4 && for package in *.deb; do dpkg -x "$package" .; done) >&2
cat > go.mod <<END
module example.com/finding

go 1.26

require (
	github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver $version
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
	"os"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	f := syslogreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	check(confmap.NewFromStringMap(map[string]any{
		"tcp":                   map[string]any{"listen_address": os.Args[1]},
		"protocol":              "rfc5424",
		"enable_octet_counting": true,
	}).Unmarshal(cfg))
	sink := new(consumertest.LogsSink)
	r, err := f.CreateLogs(context.Background(), receivertest.NewNopSettings(f.Type()), cfg, sink)
	check(err)
	check(r.Start(context.Background(), componenttest.NewNopHost()))
	for end := time.Now().Add(30 * time.Second); sink.LogRecordCount() < 3 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	check(r.Shutdown(context.Background()))
	for _, l := range sink.AllLogs() {
		for _, rl := range l.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if message, ok := lr.Attributes().Get("message"); ok {
						fmt.Printf("%s, message: %s\n", lr.SeverityText(), message.Str())
					} else {
						fmt.Printf("not parsed, severity %d, %d attributes\n", lr.SeverityNumber(), lr.Attributes().Len())
					}
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
echo "building with the syslog receiver $version" >&2
GOFLAGS=-mod=mod go build -o receiver . >&2
printf 'the first\nthe second\nthe third\n' > app.log

run() { # TEMPLATE: prints what the receiver makes of three messages
  local port=$(( 20000 + RANDOM % 10000 ))
  rm -rf state; mkdir state
  cat > rsyslog.conf <<END
global(workDirectory="$dir/state")
module(load="imfile" mode="polling" PollingInterval="1")
template(name="NoLineFeed" type="string" string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %APP-NAME% %PROCID% %MSGID% %STRUCTURED-DATA% %msg%")
input(type="imfile" File="$dir/app.log" Tag="app:")
action(type="omfwd" target="127.0.0.1" port="$port" protocol="tcp" TCP_Framing="octet-counted" template="$1" action.resumeRetryCount="-1" action.resumeInterval="1")
END
  LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu usr/sbin/rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/state/pid" -M "$dir/usr/lib/x86_64-linux-gnu/rsyslog" 2> rsyslog.err &
  sender=$!
  ./receiver "127.0.0.1:$port" 2> receiver.err || cat receiver.err rsyslog.err >&2
  kill "$sender"; wait "$sender" 2>/dev/null || true
}

usr/sbin/rsyslogd -v 2>/dev/null | head -1 || true
echo "template RSYSLOG_SyslogProtocol23Format:"; run RSYSLOG_SyslogProtocol23Format | tee own
echo "the same without a line feed at its end:"; run NoLineFeed | tee without

unparsed='not parsed, severity 0, 0 attributes'
[ "$(cat own)" = "$unparsed"$'\n'"$unparsed"$'\n'"$unparsed" ] &&
  [ "$(cat without)" = $'notice, message: the first\nnotice, message: the second\nnotice, message: the third' ] ||
  { echo "it behaves otherwise now"; exit 1; }
echo "as described: nothing that rsyslog counts with its line feed is parsed"
