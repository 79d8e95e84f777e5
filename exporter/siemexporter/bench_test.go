// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
)

// discard is a server that takes everything and keeps nothing.
type discard struct {
	plogotlp.UnimplementedGRPCServer
}

func (*discard) Export(context.Context, plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	return plogotlp.NewExportResponse(), nil
}

func serveDiscard(b *testing.B, leaf *testpki.Cert) string {
	b.Helper()
	addr, _ := serveGRPCAt(b, &discard{}, anyPort, serverTLS(leaf))
	return addr
}

func benchmarkExporter(b *testing.B, factory exporter.Factory, cfg component.Config) {
	b.Helper()
	exp, err := factory.CreateLogs(b.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(b, err)
	require.NoError(b, exp.Start(b.Context(), componenttest.NewNopHost()))
	b.Cleanup(func() { require.NoError(b, exp.Shutdown(context.Background())) })
	logs, _ := records("127.0.0.1 - - [23/Nov/2026:14:00:00 +0000] \"GET /index.html HTTP/1.1\" 200 5316 \"-\" \"Mozilla/5.0\"", 100)
	require.NoError(b, exp.ConsumeLogs(b.Context(), logs))
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if err := exp.ConsumeLogs(b.Context(), logs); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRequest compares one request of 100 records, TLS and server included, with the stock exporter's. Neither has a
// queue: it is the same code in both.
func BenchmarkRequest(b *testing.B) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	for _, compression := range []string{"none", "gzip"} {
		b.Run("siem/"+compression, func(b *testing.B) {
			cfg := testConfig(b, ProtocolGRPC, serveDiscard(b, leaf), ca, leaf)
			require.NoError(b, cfg.grpc.Compression.UnmarshalText([]byte(compression)))
			cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
			benchmarkExporter(b, NewFactory(), cfg)
		})
		b.Run("otlp_grpc/"+compression, func(b *testing.B) {
			factory := otlpexporter.NewFactory()
			cfg := factory.CreateDefaultConfig().(*otlpexporter.Config)
			cfg.ClientConfig.Endpoint = serveDiscard(b, leaf)
			cfg.ClientConfig.TLS.CAFile, _ = ca.WriteFiles(b, b.TempDir(), "ca")
			require.NoError(b, cfg.ClientConfig.Compression.UnmarshalText([]byte(compression)))
			cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
			benchmarkExporter(b, factory, cfg)
		})
	}
}

// accessLog is a request of access-log lines, as the shipped agent makes them.
func accessLog(b *testing.B, lines int) []byte {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("host.name", "web-17")
	random := rand.New(rand.NewPCG(1, 2))
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for i := range lines {
		record := records.AppendEmpty()
		record.SetObservedTimestamp(pcommon.Timestamp(1764324672_000000000 + 10_000_000*(i/100)))
		record.Body().SetStr(fmt.Sprintf(`10.%d.%d.%d - - [28/Nov/2026:10:11:%02d +0000] "GET /api/v1/users/%d/orders HTTP/1.1" 200 %d "https://shop.example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"`,
			random.IntN(256), random.IntN(256), random.IntN(256), i/100%60, random.IntN(100_000), random.IntN(90_000)))
		record.Attributes().PutStr("log.file.path", "/var/log/nginx/access.log")
		record.Attributes().PutStr(seal.IDKey, fmt.Sprintf("quqke2rj-%d", 1000+i))
	}
	return encoded(b, logs).wire
}

// benchmarkWriter measures what a request of n records takes before it is sent; write returns its length.
func benchmarkWriter(b *testing.B, n int, write func() (int, error)) {
	length := 0
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		var err error
		if length, err = write(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N*n), "cpu-ns/record")
	b.ReportMetric(float64(length)/float64(n), "bytes/record")
}

// BenchmarkEvents writes requests for Splunk, compressed at a level of gzip; 0 is none.
func BenchmarkEvents(b *testing.B) {
	const lines = 500
	wire := accessLog(b, lines)
	for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, 2, 3, 6, gzip.HuffmanOnly} {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			w, err := newEventWriter(defaultHEC(), FormatOriginal, level)
			require.NoError(b, err)
			benchmarkWriter(b, lines, func() (int, error) {
				body, _, _, err := w.body(wire, defaultMaxContentLength)
				return len(body), err
			})
		})
	}
}

// BenchmarkFrames writes requests for a receiver of syslog.
func BenchmarkFrames(b *testing.B) {
	const lines = 100
	wire := accessLog(b, lines)
	w := &messageWriter{config: defaultSyslog(), format: FormatOriginal}
	benchmarkWriter(b, lines, func() (int, error) {
		frames, _, _, err := w.frames(wire, 64<<10)
		return len(frames), err
	})
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
