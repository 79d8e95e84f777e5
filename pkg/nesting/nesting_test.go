// SPDX-License-Identifier: Apache-2.0

package nesting

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// nest puts a string into v so that it is the depth-th value, inside arrays and maps in turn.
func nest(v pcommon.Value, depth int) {
	for i := 1; i < depth; i++ {
		if i%2 == 0 {
			v = v.SetEmptyMap().PutEmpty("k")
		} else {
			v = v.SetEmptySlice().AppendEmpty()
		}
	}
	v.SetStr("x")
}

var places = map[string]func(plog.ResourceLogs) pcommon.Value{
	"body": func(rl plog.ResourceLogs) pcommon.Value {
		return rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body()
	},
	"attribute": func(rl plog.ResourceLogs) pcommon.Value {
		return rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutEmpty("k")
	},
	"scope": func(rl plog.ResourceLogs) pcommon.Value {
		return rl.ScopeLogs().AppendEmpty().Scope().Attributes().PutEmpty("k")
	},
	"resource": func(rl plog.ResourceLogs) pcommon.Value { return rl.Resource().Attributes().PutEmpty("k") },
}

func request(t testing.TB, place func(plog.ResourceLogs) pcommon.Value, depth int) []byte {
	t.Helper()
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("before")
	nest(place(ld.ResourceLogs().AppendEmpty()), depth)
	b, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	return b
}

func TestCheck(t *testing.T) {
	for name, place := range places {
		for _, tt := range []struct {
			depth int
			want  error
		}{{1, nil}, {9, nil}, {10, nil}, {11, ErrTooDeep}, {5000, ErrTooDeep}} {
			t.Run(fmt.Sprintf("%s %d", name, tt.depth), func(t *testing.T) {
				assert.ErrorIs(t, Check(request(t, place, tt.depth), 10), tt.want)
			})
		}
	}
	for name, b := range map[string][]byte{
		"cut":       request(t, places["body"], 5)[:20],
		"group":     {0x0b, 0x0c},
		"overlong":  {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"zero tag":  {0x00, 0x00},
		"bad inner": {0x0a, 0x02, 0x12, 0x09},
	} {
		t.Run(name, func(t *testing.T) { assert.ErrorIs(t, Check(b, 10), ErrMalformed) })
	}
	assert.NoError(t, Check(nil, 10))
}

func TestCheckJSON(t *testing.T) {
	marshal := func(v func(pcommon.Value)) []byte {
		ld := plog.NewLogs()
		v(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutEmpty("k"))
		b, err := plogotlp.NewExportRequestFromLogs(ld).MarshalJSON()
		require.NoError(t, err)
		return b
	}
	maps := func(depth int) func(pcommon.Value) {
		return func(v pcommon.Value) {
			for range depth - 1 {
				v = v.SetEmptyMap().PutEmpty("k")
			}
			v.SetStr("x")
		}
	}
	assert.NoError(t, CheckJSON(marshal(maps(10)), 10), "maps open the most brackets a level")
	assert.NoError(t, CheckJSON(marshal(func(v pcommon.Value) { nest(v, 10) }), 10))
	assert.ErrorIs(t, CheckJSON(marshal(maps(60)), 10), ErrTooDeep)
	assert.ErrorIs(t, CheckJSON([]byte(strings.Repeat(`{"unknown":`, 100)), 10), ErrTooDeep)
	assert.NoError(t, CheckJSON(marshal(func(v pcommon.Value) { v.SetStr(strings.Repeat(`[{"\\`, 500)) }), 10), "brackets in a string")
}

// What a string holds is not structure: a body that looks like a message nested deep passes.
func TestStringsAreNotRead(t *testing.T) {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(string(request(t, places["body"], 500)))
	b, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	assert.NoError(t, Check(b, 10))
}

// Whatever pdata accepts and Check passes is no deeper than the limit; whatever pdata accepts is not malformed.
func FuzzCheck(f *testing.F) {
	for _, place := range places {
		f.Add(request(f, place, 3))
		f.Add(request(f, place, 12))
	}
	f.Add([]byte{0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, b []byte) {
		err := Check(b, 10)
		req := plogotlp.NewExportRequest()
		if errors.Is(err, ErrTooDeep) || req.UnmarshalProto(b) != nil {
			return
		}
		deepest := 0
		for _, rl := range req.Logs().ResourceLogs().All() {
			deepest = max(deepest, depthOf(rl.Resource().Attributes()))
			for _, sl := range rl.ScopeLogs().All() {
				deepest = max(deepest, depthOf(sl.Scope().Attributes()))
				for _, lr := range sl.LogRecords().All() {
					deepest = max(deepest, depth(lr.Body()), depthOf(lr.Attributes()))
				}
			}
		}
		if err == nil && deepest > 10 {
			t.Fatalf("%d deep, and passed with a limit of 10", deepest)
		}
	})
}

func depth(v pcommon.Value) int {
	deepest := 0
	switch v.Type() {
	case pcommon.ValueTypeMap:
		deepest = depthOf(v.Map())
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			deepest = max(deepest, depth(e))
		}
	}
	return deepest + 1
}

func depthOf(m pcommon.Map) int {
	deepest := 0
	for _, v := range m.All() {
		deepest = max(deepest, depth(v))
	}
	return deepest
}

func BenchmarkCheck(b *testing.B) {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range 100 {
		lr := records.AppendEmpty()
		lr.Body().SetStr(`10.0.0.1 - user1 [23/Nov/2026:04:00:00 +0000] "GET /api/v1/orders/7 HTTP/1.1" 200 612 "-" "curl/8.4.0" rt=0.123`)
		lr.Attributes().PutStr("log.file.path", "/var/log/nginx/access.log")
	}
	req, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(b, err)
	b.SetBytes(int64(len(req)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(req, MaxDepth); err != nil {
			b.Fatal(err)
		}
	}
}
