// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Attributes that repeat from one record to the next are not examined again: records come out as each by itself would, and are
// counted as such.
func TestRepeatedAttributesAreRedactedAlike(t *testing.T) {
	keys := []string{"log.file.path", "user", "password", "note", "note\x1b[2J", "jane@other.example", ""}
	values := []func(pcommon.Value){
		func(v pcommon.Value) { v.SetStr("/var/log/app/access.log") },
		func(v pcommon.Value) { v.SetStr("mail jane@corp.example") },  // on the allow-list
		func(v pcommon.Value) { v.SetStr("mail jane@other.example") }, // not
		func(v pcommon.Value) { v.SetStr("hunter2-is-no-word") },
		func(v pcommon.Value) { v.SetStr("[REDACTED:email] seen") },
		func(v pcommon.Value) { v.SetStr("an \x1b[31mescape") },
		func(v pcommon.Value) { v.SetStr("") },
		func(v pcommon.Value) { v.SetInt(4111111111111111) },
		func(v pcommon.Value) { v.SetEmptyMap().PutStr("password", "hunter2-is-no-word") },
	}
	for _, mode := range []string{ModeEnforce, ModeAudit} {
		e := newEngine(t, func(c *Config) {
			c.Mode = mode
			c.Allow = []Allow{{Rule: "email", Match: "*@corp.example"}}
		})
		for seed := range uint64(300) {
			rng := rand.New(rand.NewPCG(seed, 1))
			together := plog.NewLogs()
			records := together.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			fill := func(m pcommon.Map) {
				m.Clear()
				for range 1 + rng.IntN(4) {
					values[rng.IntN(len(values))](m.PutEmpty(keys[rng.IntN(len(keys))]))
				}
			}
			fill(records.AppendEmpty().Attributes())
			for range 6 {
				next := records.AppendEmpty()
				if records.At(records.Len() - 2).CopyTo(next); rng.IntN(3) == 0 {
					fill(next.Attributes())
				} else if rng.IntN(3) == 0 {
					next.Attributes().RemoveIf(func(string, pcommon.Value) bool { return rng.IntN(2) == 0 })
				}
			}
			want, wantCounts := plog.NewLogRecordSlice(), newTally()
			for _, lr := range records.All() {
				alone := plog.NewLogs()
				lr.CopyTo(alone.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
				e.Logs(alone, wantCounts)
				alone.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().MoveAndAppendTo(want)
			}
			counts := newTally()
			e.Logs(together, counts)
			require.Equal(t, want.Len(), records.Len())
			for i, lr := range records.All() {
				require.Equal(t, want.At(i).Attributes().AsRaw(), lr.Attributes().AsRaw(), "%s, seed %d, record %d", mode, seed, i)
			}
			require.Equal(t, wantCounts, counts, "%s, seed %d", mode, seed)
		}
	}
}
