// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// fullDisk is a storage that writes nothing for connectors while it is full.
type fullDisk struct {
	storage.Extension
	full atomic.Bool
}

func (d *fullDisk) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := d.Extension.GetClient(ctx, kind, id, name)
	if err != nil || kind != component.KindConnector {
		return client, err
	}
	return &fullDiskClient{client, d}, nil
}

type fullDiskClient struct {
	storage.Client
	disk *fullDisk
}

func (c *fullDiskClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if c.disk.full.Load() {
		return assert.AnError
	}
	return c.Client.Batch(ctx, ops...)
}

// TestStorageThatFails: while the storage takes no state, findings are found and sent all the same, and the status says so. When it takes
// some again, what it did not take before is stored too: a kill after that loses nothing of it.
func TestStorageThatFails(t *testing.T) {
	a := newAgent(t)
	a.config.LateAfter = time.Second
	disk := &fullDisk{Extension: a.host.extensions[storageID].(storage.Extension)}
	a.host.extensions[storageID] = disk
	stopStamp, stopConnector := a.begin(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)

	disk.full.Store(true)
	var dropped []plog.Logs
	a.on(func(ld plog.Logs) []plog.Logs {
		if _, record := first(ld); record {
			dropped = append(dropped, ld)
			return nil
		}
		return []plog.Logs{ld}
	})
	a.log(t, 20)
	a.awaitFinding(t, "MISSING", "opened")
	eventually(t, func() bool { return a.host.last() == componentstatus.StatusRecoverableError }, "the status says that nothing is stored")
	require.ErrorContains(t, a.host.lastErr(), "storage file_storage takes no state")
	stopStamp()

	disk.full.Store(false)
	eventually(t, func() bool { return a.host.last() == componentstatus.StatusOK }, "the state is stored again")
	disk.full.Store(true) // as a kill does it, the stop stores nothing
	stopConnector()
	disk.full.Store(false)

	a.start(t)
	a.on(nil)
	for _, ld := range dropped {
		require.NoError(t, a.pass(t.Context(), ld))
	}
	a.awaitFinding(t, "MISSING", "resolved")
	uids := map[string]bool{}
	a.next.mu.Lock()
	defer a.next.mu.Unlock()
	for _, lr := range a.next.taken {
		if code, _ := lr.Attributes().Get(ocsf.AttributeCode); code.Str() == "MISSING" {
			uids[lr.Body().Map().AsRaw()["finding_info"].(map[string]any)["uid"].(string)] = true
		} else {
			assert.Equal(t, "UNCHECKED", code.Str(), "what a kill may always have lost")
		}
	}
	assert.Len(t, uids, 1, "it is one finding over its life")
}

// TestWhatWasNotTakenIsStoredLater: the watcher hands out each change once, so a part that the storage has refused goes with the next
// save, unless it has changed since.
func TestWhatWasNotTakenIsStoredLater(t *testing.T) {
	r := newRig(t)
	disk := &fullDisk{Extension: r.host.extensions[storageID].(storage.Extension)}
	r.host.extensions[storageID] = disk
	s, err := openStore(t.Context(), &verify{config: r.config, set: r.set}, r.host)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.close(context.Background())) }()
	part := func(key, value string) watch.Part { return watch.Part{Key: key, Value: []byte(value)} }
	require.NoError(t, s.save(t.Context(), []watch.Part{part("a", "1"), part("b", "1"), part("c", "1")}))

	disk.full.Store(true)
	require.ErrorIs(t, s.save(t.Context(), []watch.Part{part("a", "2"), part("b", "2"), {Key: "c"}}), assert.AnError)
	require.ErrorIs(t, s.save(t.Context(), nil), assert.AnError, "it is tried again though nothing has changed")
	disk.full.Store(false)
	require.NoError(t, s.save(t.Context(), []watch.Part{part("b", "3")}))
	for key, want := range map[string]string{"a": "2", "b": "3", "c": ""} {
		value, err := s.read(t.Context())(key)
		require.NoError(t, err)
		assert.Equal(t, want, string(value), key)
	}
}
