// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// redactConfig is a collector that takes OTLP, redacts with all rules, and writes what is left to a file.
const redactConfig = `
extensions:
  health_check: {endpoint: "${env:LOGSEAL_HEALTH_ENDPOINT}"}
receivers:
  otlp: {protocols: {grpc: {endpoint: "${env:LOGSEAL_LISTEN}"}}}
processors:
  redact:
    rules: [%s]
exporters:
  file: {path: "${env:LOGSEAL_ARCHIVE}"}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], processors: [redact], exporters: [file]}
`

// places are where a record of OTLP holds text.
var places = map[string]func(rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord, s string){
	"body": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) { lr.Body().SetStr(s) },
	"bytes": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Body().SetEmptyBytes().FromRaw([]byte(s))
	},
	"value in body": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Body().SetEmptyMap().PutStr("message", s)
	},
	"key in body": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Body().SetEmptyMap().PutBool(s, true)
	},
	"attribute": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Attributes().PutStr("message", s)
	},
	"nested": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Attributes().PutEmptyMap("a").PutEmptyMap("b").PutStr("c", s)
	},
	"list": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Attributes().PutEmptySlice("args").AppendEmpty().SetStr(s)
	},
	"key": func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord, s string) {
		lr.Attributes().PutStr(s, "x")
	},
	"resource": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord, s string) {
		rl.Resource().Attributes().PutStr("note", s)
	},
	"key in scope": func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord, s string) {
		sl.Scope().Attributes().PutStr(s, "x")
	},
	"value in scope": func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord, s string) {
		sl.Scope().Attributes().PutStr("note", s)
	},
}

// TestCollectorRedactsEveryRule sends every example of every rule over OTLP to the built collector, in every place of a record, and reads
// what it has written. Whoever adds a rule need not add anything here.
func TestCollectorRedactsEveryRule(t *testing.T) {
	var off []string
	for _, r := range rules.All() {
		if r.Off {
			off = append(off, "{id: "+r.ID+", action: mask}")
		}
	}
	ports, err := testbed.FreePorts(3)
	require.NoError(t, err)
	dir := t.TempDir()
	archive := testbed.Archive{Path: filepath.Join(dir, "out.jsonl")}
	start(t, testbed.Collector{
		Name: "redact", Binary: collector, Dir: dir, HealthPort: ports[0], MetricsPort: ports[1],
		Config: fmt.Appendf(nil, redactConfig, strings.Join(off, ", ")),
		Env:    map[string]string{"LOGSEAL_LISTEN": testbed.Loopback(ports[2]), "LOGSEAL_ARCHIVE": archive.Path},
	})

	logs := plog.NewLogs()
	type want struct {
		what, gone, stays string
		masked            bool // a number that becomes text
	}
	var all []want
	record := func(w want, fill func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)) {
		rl := logs.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("case", fmt.Sprintf("case-%d", len(all))) // a stream of its own
		sl := rl.ScopeLogs().AppendEmpty()
		fill(rl, sl, sl.LogRecords().AppendEmpty())
		all = append(all, w)
	}
	for _, r := range rules.All() {
		for _, x := range r.Gone {
			secret := x.Secret
			if r.ID == "control" {
				secret = x.Text // what replaces it is an escape of it
			}
			for place, put := range places {
				record(want{what: r.ID + ", " + place, gone: secret}, func(rl plog.ResourceLogs, sl plog.ScopeLogs, lr plog.LogRecord) { put(rl, sl, lr, x.Text) })
			}
		}
	}
	require.Greater(t, len(all), 1000)
	for key, number := range map[string]int64{"card": 4716108999716531, "amount": 5555555555554444, "password": 12345678, "cvv": 737, "ssn": 536228726, "cpf": 52998224725, "phone": 447700900123} {
		record(want{what: "integer " + key, masked: true}, func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.Attributes().PutInt(key, number) })
		record(want{what: "double " + key, masked: true}, func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Body().SetEmptyMap().PutEmptyMap("data").PutDouble(key, float64(number))
		})
	}
	for _, s := range []string{"GET /api/v1/orders/4711 200 17ms", "password changed for user bob", "token expired at 2026-11-28T10:00:00Z"} {
		record(want{what: "harmless", stays: s}, func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.Body().SetStr(s) })
	}

	conn, err := grpc.NewClient(testbed.Loopback(ports[2]), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	sendInParts(deadline(t, 90*time.Second), t, plogotlp.NewGRPCClient(conn), logs)

	seen := map[string]string{}
	err = testbed.Until(deadline(t, 90*time.Second), func() (bool, error) {
		_, err := archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
			name, _ := rl.Resource().Attributes().Get("case")
			seen[name.Str()] = everythingIn(rl, lr)
		})
		return len(seen) >= len(all), err
	})
	require.NoError(t, err, "%d of %d records", len(seen), len(all))
	for i, w := range all {
		out, ok := seen[fmt.Sprintf("case-%d", i)]
		require.True(t, ok, "%s: it is not there", w.what)
		switch {
		case w.masked:
			assert.Contains(t, out, "[REDACTED:", w.what)
		case w.stays != "":
			assert.Contains(t, out, w.stays, w.what)
		default:
			assert.NotContains(t, out, w.gone, w.what)
		}
	}
}

// sendInParts sends the resources in requests that the receiver takes.
func sendInParts(ctx context.Context, t *testing.T, client plogotlp.GRPCClient, logs plog.Logs) {
	t.Helper()
	const resources = 200
	for from := 0; from < logs.ResourceLogs().Len(); from += resources {
		part := plog.NewLogs()
		for i := from; i < min(from+resources, logs.ResourceLogs().Len()); i++ {
			logs.ResourceLogs().At(i).CopyTo(part.ResourceLogs().AppendEmpty())
		}
		_, err := client.Export(ctx, plogotlp.NewExportRequestFromLogs(part))
		require.NoError(t, err)
	}
}

// everythingIn is all text of a record and of what it comes from.
func everythingIn(rl plog.ResourceLogs, lr plog.LogRecord) string {
	body := fmt.Sprint(lr.Body().AsRaw())
	if lr.Body().Type() == pcommon.ValueTypeBytes {
		body = string(lr.Body().Bytes().AsRaw())
	}
	return fmt.Sprint(body, "\n", lr.Attributes().AsRaw(), "\n", rl.ScopeLogs().At(0).Scope().Attributes().AsRaw(), "\n", rl.Resource().Attributes().AsRaw())
}
