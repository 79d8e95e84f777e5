// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestDecodersAgreeWithPdata is the differential test of both decoders: whatever pdata writes, they read to the canonical
// bytes that the package seal makes of the same pdata.
func TestDecodersAgreeWithPdata(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		ld := randomLogs(rng)
		requireSameCanonical(t, ld, fmt.Sprintf("logs %d", i))
	}
}

func requireSameCanonical(t *testing.T, ld plog.Logs, name string) {
	t.Helper()
	want := canonicalOf(t, ld)
	asJSON, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	asProto, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)

	var d decoder
	d.begin()
	d.decodeJSON(asJSON)
	compare(t, name+" as JSON", want, d.records)
	d.begin()
	d.decodeProto(asProto)
	compare(t, name+" as protobuf", want, d.records)
}

func compare(t *testing.T, name string, want [][]byte, got []verifier.Observed) {
	t.Helper()
	require.Len(t, got, len(want), name)
	for i := range want {
		require.Empty(t, got[i].Fault, name)
		if !bytes.Equal(want[i], got[i].Canonical) {
			require.Equal(t, want[i], got[i].Canonical, name)
		}
		digest := sha256.Sum256(got[i].Source.Encoding)
		require.Equal(t, digest[:], got[i].Canonical[1:1+len(digest)], name)
	}
}

func canonicalOf(t *testing.T, ld plog.Logs) (all [][]byte) {
	t.Helper()
	var h canonical.Hasher
	var policy seal.Policy
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			source, err := h.Source(rl, sl, &policy)
			require.NoError(t, err)
			for _, lr := range sl.LogRecords().All() {
				c, err := h.Canonical(&source, lr, &policy)
				require.NoError(t, err)
				all = append(all, bytes.Clone(c))
			}
		}
	}
	return all
}

// randomLogs returns logs such as a stamp lets out: normalised, every kind of value, some records with an id.
func randomLogs(rng *rand.Rand) plog.Logs {
	ld := plog.NewLogs()
	for range rng.IntN(3) {
		rl := ld.ResourceLogs().AppendEmpty()
		randomMap(rng, rl.Resource().Attributes(), 2)
		rl.Resource().SetDroppedAttributesCount(uint32(rng.IntN(3)))
		rl.SetSchemaUrl(randomString(rng))
		for range rng.IntN(3) {
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(randomString(rng))
			sl.Scope().SetVersion(randomString(rng))
			randomMap(rng, sl.Scope().Attributes(), 2)
			sl.Scope().SetDroppedAttributesCount(rng.Uint32N(2))
			sl.SetSchemaUrl(randomString(rng))
			for range rng.IntN(4) {
				randomRecord(rng, sl.LogRecords().AppendEmpty())
			}
		}
	}
	return ld
}

func randomRecord(rng *rand.Rand, lr plog.LogRecord) {
	lr.SetTimestamp(pcommon.Timestamp(rng.Uint64() >> rng.IntN(65)))
	lr.SetObservedTimestamp(pcommon.Timestamp(rng.Uint64() >> rng.IntN(65)))
	lr.SetSeverityNumber(plog.SeverityNumber(rng.Int32N(30) - 2))
	lr.SetSeverityText(randomString(rng))
	lr.SetEventName(randomString(rng))
	lr.SetFlags(plog.LogRecordFlags(rng.Uint32() >> rng.IntN(33)))
	lr.SetDroppedAttributesCount(rng.Uint32() >> rng.IntN(33))
	if rng.IntN(2) == 0 {
		var trace pcommon.TraceID
		var span pcommon.SpanID
		for i := range trace {
			trace[i] = byte(rng.Uint32())
			span[i/2] = byte(rng.Uint32())
		}
		lr.SetTraceID(trace)
		lr.SetSpanID(span)
	}
	randomValue(rng, lr.Body(), 3)
	randomMap(rng, lr.Attributes(), 3)
	if rng.IntN(2) == 0 {
		lr.Attributes().PutStr(seal.IDKey, seal.ID{Handle: "k3x7a2qd", Seq: rng.Uint64N(1e18) >> rng.IntN(60)}.String())
	}
}

func randomMap(rng *rand.Rand, m pcommon.Map, depth int) {
	for range rng.IntN(6) {
		v := m.PutEmpty(randomString(rng)) // replaces an equal key
		randomValue(rng, v, depth)
	}
	// PutEmpty finds equal keys, so none is left twice.
}

func randomValue(rng *rand.Rand, v pcommon.Value, depth int) {
	kinds := 9
	if depth == 0 {
		kinds = 7
	}
	switch rng.IntN(kinds) {
	case 0:
	case 1, 2:
		v.SetStr(randomString(rng))
	case 3:
		v.SetInt(int64(rng.Uint64()) >> rng.IntN(64))
	case 4:
		v.SetBool(rng.IntN(2) == 0)
	case 5:
		v.SetDouble(randomFloat(rng))
	case 6:
		b := make([]byte, rng.IntN(10))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		v.SetEmptyBytes().FromRaw(b)
	case 7:
		s := v.SetEmptySlice()
		for range rng.IntN(4) {
			randomValue(rng, s.AppendEmpty(), depth-1)
		}
	case 8:
		randomMap(rng, v.SetEmptyMap(), depth-1)
	}
}

func randomFloat(rng *rand.Rand) float64 {
	special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e21, 1e-7, 0.1}
	if i := rng.IntN(2 * len(special)); i < len(special) {
		return special[i]
	}
	return math.Float64frombits(rng.Uint64())
}

var stringParts = []string{
	"a", "key", "request", "0", "\x00", "\n", "\r\n", "\t", "\"", "\\", "/", "<&>", "é", "€", "𝄞", "\u2028", "\ufffd", "\x7f", "\x1b[31m",
	"logseal.ids", "a longer run of plain text without anything special in it", "{\"a\":1}", `\u0041`, "", "", "",
}

func randomString(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(4) {
		b.WriteString(stringParts[rng.IntN(len(stringParts))])
	}
	return b.String()
}

func BenchmarkDecodeJSON(b *testing.B) { benchmarkDecode(b, false) }

func BenchmarkDecodeProto(b *testing.B) { benchmarkDecode(b, true) }

// benchmarkDecode decodes and digests requests of 100 access-log records with an id. The time is that of one record.
func benchmarkDecode(b *testing.B, proto bool) {
	const batch = 100
	ld := accessLogs(batch)
	data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	if proto {
		data, err = (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	}
	require.NoError(b, err)
	b.SetBytes(int64(len(data) / batch))
	b.ReportAllocs()
	var d decoder
	var sum [32]byte
	for i := 0; i < b.N; i += batch {
		d.begin()
		if proto {
			d.decodeProto(data)
		} else {
			d.decodeJSON(data)
		}
		for j := range d.records {
			sum = sha256.Sum256(d.records[j].Canonical)
		}
	}
	_ = sum
}

func accessLogs(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "web")
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		lr := records.AppendEmpty()
		lr.SetTimestamp(1795412345123456789)
		lr.SetObservedTimestamp(1795412345123456789 + pcommon.Timestamp(i))
		lr.SetSeverityNumber(plog.SeverityNumberInfo)
		lr.Body().SetStr(fmt.Sprintf(`203.0.113.%d - - [23/Nov/2026:05:22:20 +0000] "GET /shop/item/%06d?ref=mail HTTP/1.1" 200 5316 "https://example.com/shop" "Mozilla/5.0 (X11; Linux x86_64)"`, i%256, i))
		lr.Attributes().PutStr("log.file.name", "access.log")
		lr.Attributes().PutStr(seal.IDKey, seal.ID{Handle: "k3x7a2qd", Seq: uint64(i) + 100000}.String())
	}
	return ld
}
