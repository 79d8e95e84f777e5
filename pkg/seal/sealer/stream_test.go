// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
)

// memStore is a store in memory. With fail set, writes fail, after they were done
// if done is set.
type memStore struct {
	mu   sync.Mutex
	m    map[string][]byte
	fail error
	done bool
	hold chan struct{} // if not nil, writes wait for it
	sets int
}

func newMemStore() *memStore { return &memStore{m: map[string][]byte{}} }

func (m *memStore) Batch(_ context.Context, ops ...*Op) error {
	m.mu.Lock()
	hold := m.hold
	m.mu.Unlock()
	if hold != nil && ops[0].Kind == OpSet {
		<-hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	write := false
	for _, op := range ops {
		write = write || op.Kind != OpGet
	}
	if write && m.fail != nil && !m.done {
		return m.fail
	}
	for _, op := range ops {
		switch op.Kind {
		case OpGet:
			op.Value = slices.Clone(m.m[op.Key])
		case OpSet:
			m.m[op.Key] = append([]byte{}, op.Value...)
			m.sets++
		case OpDelete:
			delete(m.m, op.Key)
		}
	}
	if write {
		return m.fail
	}
	return nil
}

func (m *memStore) setFail(err error, done bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail, m.done = err, done
}

// memFile is a key file in memory. With fail set, writes fail.
type memFile struct {
	data []byte
	fail error
}

func (m *memFile) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.data).ReadAt(p, off)
}

func (m *memFile) WriteAt(p []byte, off int64) (int, error) {
	if m.fail != nil {
		return 0, m.fail
	}
	if end := int(off) + len(p); end > len(m.data) {
		m.data = append(m.data, make([]byte, end-len(m.data))...)
	}
	return copy(m.data[off:], p), nil
}

func (m *memFile) Sync() error  { return m.fail }
func (m *memFile) Close() error { return nil }

// testStream is a stream to test: its disk, its clock, and what it emitted.
type testStream struct {
	t      *testing.T
	cfg    Config
	file   *memFile
	store  *memStore
	now    Reading
	refuse error // the consumer's answer to seals

	postQuantum bool // of a new stream
	notes       []*seal.Note
	bodies      []string // of the notes
	*Sealer
}

func newTestStream(t *testing.T) *testStream {
	ts := &testStream{t: t, file: &memFile{}, store: newMemStore()}
	ts.now = Reading{Time: time.Unix(1_800_000_000, 0), Uptime: time.Hour, BootID: [16]byte{1}}
	ts.cfg.random = rand.Reader
	return ts
}

// start opens a session, of a new stream if there is none.
func (ts *testStream) start() *testStream {
	require.NoError(ts.t, ts.open())
	require.NoError(ts.t, ts.Seal(ts.t.Context(), ts.emit))
	return ts
}

func (ts *testStream) open() error {
	if len(ts.file.data) == 0 {
		require.NoError(ts.t, initKeyFile(ts.file, NewStream{Name: "web-17", PostQuantum: ts.postQuantum}, ts.cfg.random))
	}
	keys, err := LoadKeyFile(ts.file)
	require.NoError(ts.t, err)
	cfg := ts.cfg
	cfg.Keys, cfg.Store, cfg.Clock = keys, ts.store, func() Reading { return ts.now }
	ts.Sealer, err = Open(ts.t.Context(), cfg)
	return err
}

func (ts *testStream) emit(_ context.Context, ld plog.Logs) error {
	if ts.refuse != nil {
		return ts.refuse
	}
	for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		require.True(ts.t, seal.IsSeal(lr))
		n, err := seal.ParseNote(lr.Body().Str())
		require.NoError(ts.t, err)
		ts.notes, ts.bodies = append(ts.notes, n), append(ts.bodies, lr.Body().Str())
	}
	return nil
}

// send stamps n records and settles them.
func (ts *testStream) send(n int, forwarded bool) plog.Logs {
	ld := makeLogs(n)
	b, err := ts.Stamp(ts.t.Context(), ld)
	require.NoError(ts.t, err)
	b.Settle(forwarded)
	return ld
}

// tick moves the clock to the next round, and lets it happen.
func (ts *testStream) tick() error {
	ts.now.Uptime += ts.Due()
	return ts.Seal(ts.t.Context(), ts.emit)
}

func (ts *testStream) last() *seal.Seal { return ts.notes[len(ts.notes)-1].Seal }

func (ts *testStream) stop() { require.NoError(ts.t, ts.Close(ts.t.Context(), ts.emit)) }

func makeLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	for i := range n {
		sl.LogRecords().AppendEmpty().Body().SetStr(fmt.Sprint("line ", i))
	}
	return ld
}

// leavesOf computes the leaves of logs as they are.
func leavesOf(t *testing.T, ld plog.Logs) []seal.Hash {
	leaves := make([]seal.Hash, ld.LogRecordCount())
	var h canonical.Hasher
	require.NoError(t, h.Leaves(ld, &seal.Policy{}, leaves))
	return leaves
}
