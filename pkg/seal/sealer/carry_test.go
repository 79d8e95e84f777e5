// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// TestCarry: beside each record stands its original, id included and whatever came in as one left out; it has the digest of the record, and the
// digest does not depend on it.
func TestCarry(t *testing.T) {
	policy, err := seal.NewPolicy([]string{seal.OriginalKey}, nil)
	require.NoError(t, err)
	ts := newTestStream(t)
	ts.cfg.Policy, ts.cfg.Carry = policy, true
	ts.start()
	for name, ld := range samples.Distinct() {
		// The digest of what is sent, before anything is carried.
		plain := plog.NewLogs()
		ld.CopyTo(plain)
		want := make([]seal.Hash, 1)
		require.NoError(t, new(canonical.Hasher).Leaves(plain, &policy, want))

		sent := plog.NewLogs()
		ld.CopyTo(sent)
		record := sent.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		record.Attributes().PutStr(seal.OriginalKey, "somebody's")
		samples.Duplicate(record.Attributes(), seal.OriginalKey, "another's")
		b, err := ts.Stamp(t.Context(), sent)
		require.NoError(t, err)
		b.Settle(true)

		require.Equal(t, want[0], digest(t, sent, &policy), name)
		carried, ok := record.Attributes().Get(seal.OriginalKey)
		require.True(t, ok, name)
		line, err := base64.StdEncoding.DecodeString(carried.Str())
		require.NoError(t, err)
		back, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
		require.NoError(t, err)
		require.Equal(t, want[0], digest(t, back, &seal.Policy{}), name)
		id, ok := back.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get(seal.IDKey)
		require.True(t, ok, name)
		own, _ := record.Attributes().Get(seal.IDKey)
		require.Equal(t, own.Str(), id.Str())
	}
	ts.stop()
}

func digest(t *testing.T, ld plog.Logs, policy *seal.Policy) seal.Hash {
	leaves := make([]seal.Hash, 1)
	require.NoError(t, new(canonical.Hasher).Leaves(ld, policy, leaves))
	return leaves[0]
}

// TestCarriesNothingTooLong: a record that a store would drop for the length of its original goes without.
func TestCarriesNothingTooLong(t *testing.T) {
	policy, err := seal.NewPolicy([]string{seal.OriginalKey}, nil)
	require.NoError(t, err)
	ts := newTestStream(t)
	ts.cfg.Policy, ts.cfg.Carry = policy, true
	ts.start()
	for size, carried := range map[int]bool{800_000: true, 900_000: false} {
		ld := samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Body().SetStr(strings.Repeat("x", size))
		})
		b, err := ts.Stamp(t.Context(), ld)
		require.NoError(t, err)
		b.Settle(true)
		v, there := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get(seal.OriginalKey)
		require.Equal(t, carried, there)
		if there {
			require.Less(t, size+len(v.Str()), maxCarried)
		}
	}
	ts.stop()
}

// TestWithoutCarry: what comes in as an original is taken off, lest a reader of a store's export takes it for one; and who carries must
// leave originals out of the digests.
func TestWithoutCarry(t *testing.T) {
	ts := newTestStream(t).start()
	ld := samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
		lr.Attributes().PutStr(seal.OriginalKey, "somebody's")
	})
	b, err := ts.Stamp(t.Context(), ld)
	require.NoError(t, err)
	b.Settle(true)
	_, there := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get(seal.OriginalKey)
	require.False(t, there)
	ts.stop()

	cfg := Config{Carry: true}
	require.ErrorContains(t, cfg.setDefaults(), "leave them out")
}
