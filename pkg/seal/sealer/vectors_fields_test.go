// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"math"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// fields are archives of a record in which every field is set, in both encodings.
func (s *vectorSet) fields() {
	v := newVectorStream(s.t, "fields").begin()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl("https://opentelemetry.io/schemas/1.38.0")
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	rl.Resource().SetDroppedAttributesCount(1)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.SetSchemaUrl("https://opentelemetry.io/schemas/1.39.0")
	sl.Scope().SetName("receiver")
	sl.Scope().SetVersion("0.160.0")
	sl.Scope().Attributes().PutBool("sampled", true)
	sl.Scope().SetDroppedAttributesCount(2)
	lr := sl.LogRecords().AppendEmpty()
	lr.SetTimestamp(1_800_000_000_000_000_000)
	lr.SetObservedTimestamp(pcommon.Timestamp(math.MaxUint64))
	lr.SetSeverityNumber(-1)
	lr.SetSeverityText("näher")
	lr.SetEventName("login")
	lr.SetTraceID(pcommon.TraceID(fixed16(1)))
	lr.SetSpanID([8]byte{1, 2, 3, 4, 5, 6, 7, 8})
	lr.SetFlags(257)
	lr.SetDroppedAttributesCount(3)
	m := lr.Body().SetEmptyMap()
	m.PutInt("int", -5)
	m.PutDouble("nan", math.NaN())
	m.PutDouble("zero", math.Copysign(0, -1))
	list := m.PutEmptySlice("list")
	list.AppendEmpty().SetBool(false)
	list.AppendEmpty()
	list.AppendEmpty().SetEmptyBytes().FromRaw([]byte{0, 255})
	b, err := v.Stamp(s.t.Context(), ld)
	require.NoError(s.t, err)
	b.Settle(true)
	v.serial++
	v.add(ld)
	v.end()
	s.add("fields.jsonl", "a record with every field", v, ok, 1, 1, verdicts{})
	for i, line := range v.lines {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(s.t, err)
		v.lines[i] = string(s.frame(ld))
	}
	s.addFrames("fields.binpb", "the same in protobuf, with a NaN that is not the canonical one", v, ok, 1, 1, verdicts{})
}
