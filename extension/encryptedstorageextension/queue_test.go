// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
)

type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

// exporterWithQueue is exporterhelper's own queue on the storage, with a push of the test's.
func exporterWithQueue(t *testing.T, ext storage.Extension, push func(context.Context, plog.Logs) error) exporter.Logs {
	t.Helper()
	storageID := component.MustNewID("encrypted_storage")
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID = &storageID
	queue.NumConsumers = 4
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Millisecond
	retry.MaxInterval = 5 * time.Millisecond
	retry.MaxElapsedTime = 0
	set := exportertest.NewNopSettings(siem.Type())
	set.ID = siem
	e, err := exporterhelper.NewLogs(t.Context(), set, &struct{}{}, push,
		exporterhelper.WithQueue(configoptional.Some(queue)), exporterhelper.WithRetry(retry))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), extensions{storageID: ext}))
	return e
}

func numbered(n int) plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(fmt.Sprintf("record %d %s", n, strings.Repeat("x", 500)))
	return ld
}

// The stock queue on this storage, whose process ends in the midst of it: every request arrives, in the order of the queue.
func TestStockQueueAfterAKill(t *testing.T) {
	dir := t.TempDir()
	const requests = 300
	ext, _ := start(t, config(dir))
	e := exporterWithQueue(t, ext, func(context.Context, plog.Logs) error { return errRefused })
	for i := range requests {
		require.NoError(t, e.ConsumeLogs(t.Context(), numbered(i)))
	}
	var copied string
	require.Eventually(t, func() bool { // until the consumers have some under way
		copied = copyDir(t, dir) // what a kill leaves
		return ext.(*encryptedStorage).store.Stats().Entries >= requests
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, e.Shutdown(t.Context()))
	stop(t, ext)

	for _, from := range []string{copied, dir} { // killed, and stopped
		ext, _ = start(t, config(from))
		var mu sync.Mutex
		arrived := map[string]int{}
		e = exporterWithQueue(t, ext, func(_ context.Context, ld plog.Logs) error {
			mu.Lock()
			defer mu.Unlock()
			for _, rl := range ld.ResourceLogs().All() {
				arrived[rl.ScopeLogs().At(0).LogRecords().At(0).Body().Str()]++
			}
			return nil
		})
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(arrived) == requests
		}, 60*time.Second, 5*time.Millisecond)
		require.NoError(t, e.Shutdown(t.Context()))
		mu.Lock()
		for body, n := range arrived {
			require.Equal(t, 1, n, body)
		}
		mu.Unlock()
		c := client(t, ext, component.KindExporter, siem, pipeline.SignalLogs.String())
		require.Zero(t, ext.(*encryptedStorage).store.Stats().Entries-1, "only the numbers are left")
		stop(t, ext, c)
	}
}

func copyDir(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	require.NoError(t, os.Chmod(filepath.Join(to, defaultKeyFile), 0o600))
	return to
}
