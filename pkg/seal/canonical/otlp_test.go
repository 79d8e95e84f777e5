// SPDX-License-Identifier: Apache-2.0

package canonical_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
	"github.com/logseal/logseal/pkg/seal/original"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestOTLP: a strict reader makes the same record of what is written of one.
func TestOTLP(t *testing.T) {
	for name, ld := range samples.Distinct() {
		rl := ld.ResourceLogs().At(0)
		sl := rl.ScopeLogs().At(0)
		lr := sl.LogRecords().At(0)
		lr.Attributes().PutStr(seal.IDKey, "aaaaaaaa-1")
		var w original.Writer
		w.SetSource(rl, sl)
		read := func(line []byte) (r verifier.Observed) {
			records := new(archive.Decoder).Decode(line)
			require.Len(t, records, 1, name)
			require.Empty(t, records[0].Fault, "%s: %s", name, line)
			require.Equal(t, "aaaaaaaa-1", records[0].ID.String())
			return records[0]
		}
		first := read(w.Append(nil, lr))
		line := first.AppendOTLP(nil, "aaaaaaaa-1")
		again := read(line)
		require.True(t, bytes.Equal(first.Canonical, again.Canonical), "%s: %s", name, line)
		require.Equal(t, first.Digest(new(seal.Policy)), again.Digest(new(seal.Policy)))
	}
}
