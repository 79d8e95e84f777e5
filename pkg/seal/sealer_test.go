// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

type memStore map[string][]byte

func (m memStore) Batch(_ context.Context, ops ...*Op) error {
	for _, op := range ops {
		switch op.Kind {
		case OpGet:
			op.Value = m[op.Key]
		case OpSet:
			m[op.Key] = append([]byte{}, op.Value...)
		case OpDelete:
			delete(m, op.Key)
		}
	}
	return nil
}

func makeLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	for i := range n {
		sl.LogRecords().AppendEmpty().Body().SetStr(fmt.Sprint("line ", i))
	}
	return ld
}

func TestSmoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	trust, err := CreateKeyFile(path, "web-17")
	require.NoError(t, err)
	t.Log(trust)
	store := memStore{}
	now := Reading{Time: time.Unix(1e9, 0)}
	var got []string
	emit := func(_ context.Context, ld plog.Logs) error {
		rs := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for i := range rs.Len() {
			got = append(got, rs.At(i).Body().Str())
		}
		return nil
	}
	for range 3 {
		keys, err := OpenKeyFile(path)
		require.NoError(t, err)
		s, err := Open(t.Context(), Config{Keys: keys, Store: store, Clock: func() Reading { return now }})
		require.NoError(t, err)
		require.NoError(t, s.Seal(t.Context(), emit))
		b, err := s.Stamp(t.Context(), makeLogs(40))
		require.NoError(t, err)
		b.Settle(true)
		b, err = s.Stamp(t.Context(), makeLogs(40))
		require.NoError(t, err)
		b.Settle(false)
		now.Uptime += s.Due()
		require.NoError(t, s.Seal(t.Context(), emit))
		b, err = s.Stamp(t.Context(), makeLogs(2000))
		require.NoError(t, err)
		b.Settle(true)
		require.NoError(t, s.Close(t.Context(), emit))
	}
	for _, note := range got {
		n, err := ParseNote(note)
		require.NoError(t, err)
		t.Logf("%.700s", n.Text)
	}
	for k, v := range store {
		t.Log(k, len(v))
	}
}
