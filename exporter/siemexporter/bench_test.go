// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/internal/testpki"
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
