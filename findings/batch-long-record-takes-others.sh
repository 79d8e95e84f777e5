#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: `sending_queue: {batch: {sizer: bytes, max_size: N}}` of an OpenTelemetry exporter cuts what it sends into requests of at most N bytes, as a
# server's limit asks. A record that is longer than N by itself cannot be cut: it goes alone, for the server to refuse, or it is dropped.
# The records around it are not concerned.
#
# True: it is dropped, and every record with it that stands behind it in what was being cut: the rest of its own request, whoever's records they
# are. Of ten records of ten hosts whose third is too long, two arrive; if it is the first, none. Cutting ends at the error, and what was not cut by then is given up, in
# memory and on disk. Whoever handed it over was told of success long before, and no counter moves, neither that of failed records nor
# that of those not enqueued. One warning, "Failed to split request.", says how many. A limit of items, the default, never meets it; one of
# bytes has to be above the longest record that any receiver lets in.
#
# Since: the sizer of bytes; seen with v0.160.0.
#
# Source: go.opentelemetry.io/collector/exporter/exporterhelper, internal/queuebatch/logs_batch.go (split returns at the first record that does not
# fit) and partition_batcher.go (the error is told to the queue, for which the request is done then).
set -euo pipefail

stable=v1.66.0
version=v0.160.0 # the other modules of the same release
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > go.mod <<END
module example.com/finding

go 1.26.0

require (
	go.opentelemetry.io/collector/component/componenttest $version
	go.opentelemetry.io/collector/confmap $stable
	go.opentelemetry.io/collector/exporter $stable
	go.opentelemetry.io/collector/exporter/exportertest $version
	go.opentelemetry.io/collector/exporter/otlphttpexporter $version
	go.opentelemetry.io/collector/pdata $stable
	go.opentelemetry.io/otel/sdk/metric v1.46.0
	go.uber.org/zap v1.28.0
)

require (
	github.com/cenkalti/backoff/v7 v7.0.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/felixge/httpsnoop v1.1.0 // indirect
	github.com/foxboron/go-tpm-keyfiles v0.0.0-20251226215517-609e4778396f // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-viper/mapstructure/v2 v2.5.0 // indirect
	github.com/gobwas/glob v0.2.3 // indirect
	github.com/golang/snappy v1.0.0 // indirect
	github.com/google/go-tpm v0.9.8 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/hashicorp/go-version v1.9.0 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/klauspost/compress v1.19.2 // indirect
	github.com/knadh/koanf/maps v0.1.3 // indirect
	github.com/knadh/koanf/providers/confmap v1.0.1 // indirect
	github.com/knadh/koanf/v2 v2.3.6 // indirect
	github.com/mitchellh/copystructure v1.2.0 // indirect
	github.com/mitchellh/reflectwalk v1.0.2 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.3-0.20250322232337-35a7c28c31ee // indirect
	github.com/pierrec/lz4/v4 v4.1.29 // indirect
	github.com/rs/cors v1.11.1 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/collector $version // indirect
	go.opentelemetry.io/collector/client $stable // indirect
	go.opentelemetry.io/collector/component $stable // indirect
	go.opentelemetry.io/collector/config/configauth $stable // indirect
	go.opentelemetry.io/collector/config/configcompression $stable // indirect
	go.opentelemetry.io/collector/config/confighttp $version // indirect
	go.opentelemetry.io/collector/config/configmiddleware $stable // indirect
	go.opentelemetry.io/collector/config/confignet $stable // indirect
	go.opentelemetry.io/collector/config/configopaque $stable // indirect
	go.opentelemetry.io/collector/config/configoptional $stable // indirect
	go.opentelemetry.io/collector/config/configretry $stable // indirect
	go.opentelemetry.io/collector/config/configtls $stable // indirect
	go.opentelemetry.io/collector/consumer $stable // indirect
	go.opentelemetry.io/collector/consumer/consumererror $version // indirect
	go.opentelemetry.io/collector/consumer/consumererror/xconsumererror $version // indirect
	go.opentelemetry.io/collector/consumer/consumertest $version // indirect
	go.opentelemetry.io/collector/consumer/xconsumer $version // indirect
	go.opentelemetry.io/collector/exporter/exporterhelper $version // indirect
	go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper $version // indirect
	go.opentelemetry.io/collector/exporter/xexporter $version // indirect
	go.opentelemetry.io/collector/extension $stable // indirect
	go.opentelemetry.io/collector/extension/extensionauth $stable // indirect
	go.opentelemetry.io/collector/extension/extensionmiddleware $version // indirect
	go.opentelemetry.io/collector/extension/xextension $version // indirect
	go.opentelemetry.io/collector/featuregate $stable // indirect
	go.opentelemetry.io/collector/internal/componentalias $version // indirect
	go.opentelemetry.io/collector/pdata/pprofile $version // indirect
	go.opentelemetry.io/collector/pdata/xpdata $version // indirect
	go.opentelemetry.io/collector/pipeline $stable // indirect
	go.opentelemetry.io/collector/pipeline/xpipeline $version // indirect
	go.opentelemetry.io/collector/receiver $stable // indirect
	go.opentelemetry.io/collector/receiver/receivertest $version // indirect
	go.opentelemetry.io/collector/receiver/xreceiver $version // indirect
	go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp v0.70.0 // indirect
	go.opentelemetry.io/otel v1.46.0 // indirect
	go.opentelemetry.io/otel/metric v1.46.0 // indirect
	go.opentelemetry.io/otel/sdk v1.46.0 // indirect
	go.opentelemetry.io/otel/trace v1.46.0 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/net v0.58.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260526163538-3dc84a4a5aaa // indirect
	google.golang.org/grpc v1.83.2 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
END
cat > main.go <<'END'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const config = `
compression: none
sending_queue:
  sizer: bytes
  queue_size: 10000000
  batch: {sizer: bytes, max_size: 10000, min_size: 0, flush_timeout: 100ms}
`

// run sends ten records, each of a resource of its own and one of them (of none: 0) of 20,000 bytes, and prints which arrive.
func run(long int) {
	ctx := context.Background()
	var mu sync.Mutex
	var arrived []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(err)
		request := plogotlp.NewExportRequest()
		must(request.UnmarshalProto(body))
		mu.Lock()
		defer mu.Unlock()
		for _, rl := range request.Logs().ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					arrived = append(arrived, strings.Fields(lr.Body().Str())[0])
				}
			}
		}
	}))
	defer server.Close()

	factory := otlphttpexporter.NewFactory()
	telemetry := componenttest.NewTelemetry()
	settings := exportertest.NewNopSettings(factory.Type())
	settings.TelemetrySettings = telemetry.NewTelemetrySettings()
	core, logged := observer.New(zap.WarnLevel)
	settings.Logger = zap.New(core)
	cfg := factory.CreateDefaultConfig()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(config + "endpoint: " + server.URL))
	must(err)
	conf, err := retrieved.AsConf()
	must(err)
	must(conf.Unmarshal(cfg))
	exp, err := factory.CreateLogs(ctx, settings, cfg)
	must(err)
	must(exp.Start(ctx, componenttest.NewNopHost()))
	ld := plog.NewLogs()
	for i := range 10 {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutInt("host", int64(i))
		body := fmt.Sprintf("%d a line", i+1)
		if i+1 == long {
			body += strings.Repeat(" and more", 20_000/9)
		}
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
	}
	err = exp.ConsumeLogs(ctx, ld)
	must(exp.Shutdown(ctx))
	count := func(metric string) (n int64) {
		m, err := telemetry.GetMetric(metric)
		if err != nil {
			return 0 // never counted
		}
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			n += p.Value
		}
		return n
	}
	fmt.Printf("long one: %d; error: %v; arrived: %s; sent %d, failed %d, not enqueued %d\n", long, err, strings.Join(arrived, " "),
		count("otelcol_exporter_sent_log_records"), count("otelcol_exporter_send_failed_log_records"), count("otelcol_exporter_enqueue_failed_log_records"))
	for _, l := range logged.All() {
		fmt.Printf("  %s: %v\n", l.Message, l.ContextMap()["error"])
	}
}

func main() {
	run(0)
	run(3)
	run(1)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
END
GOFLAGS=-mod=mod go run . 2>err | tee seen || { cat err >&2; exit 2; }
cat > expected <<'END'
long one: 0; error: <nil>; arrived: 1 2 3 4 5 6 7 8 9 10; sent 10, failed 0, not enqueued 0
long one: 3; error: <nil>; arrived: 1 2; sent 2, failed 0, not enqueued 0
  Failed to split request.: one log record size is greater than max size, dropping items: 8
long one: 1; error: <nil>; arrived: ; sent 0, failed 0, not enqueued 0
  Failed to split request.: one log record size is greater than max size, dropping items: 10
END
diff expected seen >/dev/null || { echo "it behaves otherwise now"; exit 1; }
echo "as described: one record above max_size takes those behind it along"
