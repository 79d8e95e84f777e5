// SPDX-License-Identifier: Apache-2.0

//go:build unix

package stampprocessor

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
)

// accessLogs are n records as file_log makes them of a web server's log: 157 bytes and an attribute.
func accessLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(n)
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetObservedTimestamp(1_764_000_000_000_000_000)
		lr.Body().SetStr(fmt.Sprintf(`10.20.%d.%d - user%d [23/Nov/2026:04:12:59 +0000] "GET /api/v1/orders/%d HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit" rt=0.123`, i%256, i/7%256, i, i*31))
		lr.Attributes().PutStr("log.file.name", "access.log")
	}
	return ld
}

// BenchmarkStamp measures stamping and sealing with real file storage, by the number of records in a batch.
func BenchmarkStamp(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			bench := newBench(b)
			cfg := createDefaultConfig().(*Config)
			cfg.KeyFile, cfg.Storage = bench.keyFile(), &storageID
			p := newStamp(cfg, bench.set, consumertest.NewNop())
			require.NoError(b, p.Start(b.Context(), bench.host))
			ld := accessLogs(size)
			b.ReportAllocs()
			b.ResetTimer()
			before := processorTime(b)
			for range b.N {
				require.NoError(b, p.ConsumeLogs(b.Context(), ld))
			}
			b.StopTimer()
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N*size), "cpu-ns/record")
			require.NoError(b, p.Shutdown(b.Context()))
		})
	}
}

// processorTime is what the process has used so far, sealing and garbage collection included.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
