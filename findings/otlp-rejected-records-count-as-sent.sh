#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: OTLP lets a server take a request and reject some of its records, with their number (`partial_success.rejected_log_records`). An OpenTelemetry
# Collector that is told so counts them as failed: whoever watches `otelcol_exporter_send_failed_log_records` sees the loss, and the records that
# went in and those that were sent differ by it.
#
# True: the exporters otlp_grpc and otlp_http log a warning and count every record of the request as sent. The counters of a collector whose server
# rejects all it gets are those of one whose server stores all. It goes on from hop to hop: a gateway that meets this answers its
# agents with a full success, since its own exporter had no error. Only the log of the last hop tells, and with one line for each request, which
# sampling of the collector's log (on unless it is configured otherwise) thins out under load. Dashboards and alerts built upon the
# counters stay green.
#
# Since: the exporters have read the field; seen with v0.160.0.
#
# Source: go.opentelemetry.io/collector/exporter/otlpexporter (pushLogs) and otlphttpexporter (logsPartialSuccessHandler), which return no error; OTLP 1.x,
# "Partial Success", by which the client must not send again and says nothing of counting.
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
	go.opentelemetry.io/collector/component $stable
	go.opentelemetry.io/collector/component/componenttest $version
	go.opentelemetry.io/collector/confmap $stable
	go.opentelemetry.io/collector/exporter $stable
	go.opentelemetry.io/collector/exporter/exportertest $version
	go.opentelemetry.io/collector/exporter/otlpexporter $version
	go.opentelemetry.io/collector/exporter/otlphttpexporter $version
	go.opentelemetry.io/collector/pdata $stable
	go.uber.org/zap v1.27.0
	google.golang.org/grpc v1.75.0
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
)

const records = 10

// rejectAll is what a server answers that stores none of the records.
func rejectAll() plogotlp.ExportResponse {
	response := plogotlp.NewExportResponse()
	response.PartialSuccess().SetRejectedLogRecords(records)
	response.PartialSuccess().SetErrorMessage("none of them is stored")
	return response
}

type server struct{ plogotlp.UnimplementedGRPCServer }

func (*server) Export(context.Context, plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	return rejectAll(), nil
}

// send sends ten records through an exporter and prints what its caller, its counters and its log tell of them.
func send(name string, factory exporter.Factory, config map[string]any) {
	ctx := context.Background()
	telemetry := componenttest.NewTelemetry()
	settings := exportertest.NewNopSettings(factory.Type())
	settings.TelemetrySettings = telemetry.NewTelemetrySettings()
	core, logged := observer.New(zap.WarnLevel)
	settings.Logger = zap.New(core)
	cfg := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(config).Unmarshal(cfg))
	exp, err := factory.CreateLogs(ctx, settings, cfg)
	must(err)
	must(exp.Start(ctx, componenttest.NewNopHost()))
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range records {
		list.AppendEmpty().Body().SetStr("a line")
	}
	err = exp.ConsumeLogs(ctx, ld)
	must(exp.Shutdown(ctx))
	count := func(metric string) (n float64) {
		m, err := telemetry.GetMetric(metric)
		if err != nil {
			return 0 // never counted
		}
		return sum(m)
	}
	fmt.Printf("%-9s of %d rejected: error %v, sent %v, failed %v, warnings %d\n", name, records, err,
		count("otelcol_exporter_sent_log_records"), count("otelcol_exporter_send_failed_log_records"), logged.Len())
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	s := grpc.NewServer()
	plogotlp.RegisterGRPCServer(s, &server{})
	go func() { _ = s.Serve(listener) }()
	defer s.Stop()
	send("otlp_grpc", otlpexporter.NewFactory(), map[string]any{
		"endpoint": listener.Addr().String(), "tls": map[string]any{"insecure": true}, "sending_queue": map[string]any{"enabled": false}})

	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body, err := rejectAll().MarshalProto()
		must(err)
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, err = w.Write(body)
		must(err)
	}))
	defer web.Close()
	send("otlp_http", otlphttpexporter.NewFactory(), map[string]any{
		"endpoint": web.URL, "sending_queue": map[string]any{"enabled": false}})
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
cat > sum.go <<'END'
package main

import "go.opentelemetry.io/otel/sdk/metric/metricdata"

func sum(m metricdata.Metrics) (n float64) {
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		n += float64(p.Value)
	}
	return n
}
END
GOFLAGS=-mod=mod go run . 2>err | tee seen || { cat err >&2; exit 2; }
cat > expected <<'END'
otlp_grpc of 10 rejected: error <nil>, sent 10, failed 0, warnings 1
otlp_http of 10 rejected: error <nil>, sent 10, failed 0, warnings 1
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: rejected records count as sent"
