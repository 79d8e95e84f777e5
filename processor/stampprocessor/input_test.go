// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
)

// An id that comes in, of whatever shape and however often, is replaced by ours.
func TestIncomingIDs(t *testing.T) {
	for name, put := range map[string]func(plog.LogRecord){
		"a string":       func(lr plog.LogRecord) { lr.Attributes().PutStr(seal.IDKey, "aaaaaaaa-7") },
		"leading zeros":  func(lr plog.LogRecord) { lr.Attributes().PutStr(seal.IDKey, "aaaaaaaa-007") },
		"a map":          func(lr plog.LogRecord) { lr.Attributes().PutEmptyMap(seal.IDKey).PutStr("a", "b") },
		"beside another": func(lr plog.LogRecord) { lr.Attributes().PutStr("LOGSEAL.ID", "aaaaaaaa-7") },
		"twice": func(lr plog.LogRecord) {
			lr.Attributes().PutStr(seal.IDKey, "aaaaaaaa-7")
			twice := plog.NewLogRecord()
			lr.CopyTo(twice)
			// pdata keeps what protobuf and JSON bring, so a map can hold a key twice.
			raw := []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[` +
				`{"key":"logseal.id","value":{"stringValue":"aaaaaaaa-7"}},{"key":"logseal.id","value":{"stringValue":"bbbbbbbb-8"}}]}]}]}]}`)
			ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
			if err != nil {
				panic(err)
			}
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).CopyTo(lr)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			p := b.start(t, b.config())
			ld := makeLogs(2)
			put(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
			require.NoError(t, p.ConsumeLogs(t.Context(), ld))
			require.NoError(t, p.Shutdown(t.Context()))
			assert.EqualValues(t, 2, b.verify(t).Verified)
		})
	}
}

// What looks like a seal and comes from outside is stamped as everything else, and so is never a seal: a copy of a genuine
// one, and one with the scope and body of a seal.
func TestIncomingSeals(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	require.NotEmpty(t, b.next.seals)
	ld := makeLogs(3)
	sl := ld.ResourceLogs().At(0).ScopeLogs().At(0)
	sl.Scope().SetName(seal.ScopeName)
	b.next.seals[0].CopyTo(sl.LogRecords().At(0))
	sl.LogRecords().At(1).SetEventName(seal.EventName)
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	require.NoError(t, p.Shutdown(t.Context()))
	report := b.verify(t)
	assert.EqualValues(t, 3, report.Verified)
	assert.EqualValues(t, 3, report.Streams[0].Seals)
}

// What others have as well is read-only, and a copy of it is stamped. So nobody needs to make one for a stamp.
func TestSharedLogsAreLeftAsTheyAre(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	assert.False(t, p.Capabilities().MutatesData)
	shared := makeLogs(2)
	shared.MarkReadOnly()
	require.NoError(t, p.ConsumeLogs(t.Context(), shared)) // which would panic
	for _, lr := range shared.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		assert.Zero(t, lr.Attributes().Len())
	}
	require.NoError(t, p.Shutdown(t.Context()))
	assert.EqualValues(t, 2, b.verify(t).Verified)
}

// An empty request has nothing to stamp, and an empty record is stamped as any other.
func TestEmptyInput(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), plog.NewLogs()))
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	require.NoError(t, p.Shutdown(t.Context()))
	assert.EqualValues(t, 1, b.verify(t).Verified)
}
