// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// manyRecords are enough for several batches, over two sources: some have no digest before they are normalised, and one does not fit into a batch.
func manyRecords() plog.Logs {
	ld := plog.NewLogs()
	for source := range 2 {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("host.name", fmt.Sprint("web-", source))
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for i := range 5*MaxBatch + 3 {
			lr := records.AppendEmpty()
			lr.Body().SetStr(strings.Repeat("x", 7*i))
			switch i % 11 {
			case 3:
				lr.Body().SetStr("a\xff")
			case 7:
				lr.Attributes().PutStr("k", "first")
				samples.Duplicate(lr.Attributes(), "k", "last")
			}
			if i == MaxBatch+5 {
				lr.Body().SetStr(strings.Repeat("long", maxBatchBytes))
			}
		}
	}
	return ld
}

// TestLeaves: the digests of a batch are those of each record alone, whatever is between them.
func TestLeaves(t *testing.T) {
	ld := manyRecords()
	var h, alone Hasher
	for range 2 { // the second time with nothing to normalise, and buffers that were used
		leaves := make([]seal.Hash, ld.LogRecordCount())
		require.NoError(t, h.Leaves(ld, &seal.Policy{}, leaves))
		i := 0
		for _, rl := range ld.ResourceLogs().All() {
			source, err := alone.Source(rl, rl.ScopeLogs().At(0), &seal.Policy{})
			require.NoError(t, err)
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				want, err := alone.Record(&source, lr, &seal.Policy{})
				require.NoError(t, err)
				require.Equal(t, want, leaves[i], "record %d", i)
				i++
			}
		}
	}
}

// TestBatch: a record without a digest leaves a batch as it was, and a full one says so.
func TestBatch(t *testing.T) {
	rl := manyRecords().ResourceLogs().At(0)
	var h, alone Hasher
	source, err := alone.Source(rl, rl.ScopeLogs().At(0), &seal.Policy{})
	require.NoError(t, err)
	var want []seal.Hash
	digests := 0
	for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
		digest, alonesErr := alone.Record(&source, lr, &seal.Policy{})
		full, err := h.Add(&source, lr, &seal.Policy{})
		require.Equal(t, alonesErr, err)
		if err != nil {
			require.False(t, full)
			continue
		}
		want = append(want, digest)
		require.Equal(t, len(want) == MaxBatch || h.batch.Size() >= maxBatchBytes, full)
		if full {
			var got [MaxBatch]seal.Hash
			n := h.Digests(got[:])
			require.Equal(t, want, got[:n])
			want, digests = nil, digests+n
		}
	}
	require.Greater(t, digests, 3*MaxBatch)
}
