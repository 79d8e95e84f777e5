// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// What it takes to read a file: an operation is a line of 100 bytes.
func BenchmarkReceiver(b *testing.B) {
	for _, bb := range []struct {
		name    string
		factory receiver.Factory
	}{{"ours", NewFactory()}, {"stock", stock.NewFactory()}} {
		b.Run(bb.name, func(b *testing.B) {
			text := lines("2026-11-28T10:11:12Z host app: request %08d of somebody who reads a page with a name of its own, and so on", 0, b.N)
			path := filepath.Join(b.TempDir(), "app.log")
			require.NoError(b, os.WriteFile(path, []byte(text), 0o600))
			b.SetBytes(int64(len(text) / b.N))
			b.ReportAllocs()

			var seen atomic.Int64
			done := make(chan struct{})
			next, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error {
				if seen.Add(int64(ld.LogRecordCount())) == int64(b.N) {
					close(done)
				}
				return nil
			})
			require.NoError(b, err)
			cfg := bb.factory.CreateDefaultConfig().(*stock.FileLogConfig)
			cfg.InputConfig.Include = []string{path}
			cfg.InputConfig.StartAt = "beginning"
			cfg.InputConfig.PollInterval = time.Millisecond
			cfg.StorageID = &storageID
			r, err := bb.factory.CreateLogs(b.Context(), receivertest.NewNopSettings(bb.factory.Type()), cfg, next)
			require.NoError(b, err)
			b.ResetTimer()
			require.NoError(b, r.Start(b.Context(), host{storageID: &disk{values: map[string][]byte{}}}))
			<-done
			b.StopTimer()
			require.NoError(b, r.Shutdown(b.Context()))
		})
	}
}
