// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// one returns logs of one record, and that record.
func one(change func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	lr := sl.LogRecords().AppendEmpty()
	lr.SetTimestamp(1_800_000_000_123_456_789)
	lr.Body().SetStr("body")
	lr.Attributes().PutStr("k", "v")
	if change != nil {
		change(rl, sl, lr)
	}
	return ld
}

// digestOf returns the digest of the only record, without normalising.
func digestOf(ld plog.Logs, policy Policy) (Hash, error) {
	var h Hasher
	rl := ld.ResourceLogs().At(0)
	source, err := h.Source(rl, rl.ScopeLogs().At(0), &policy)
	if err != nil {
		return Hash{}, err
	}
	return h.Record(&source, rl.ScopeLogs().At(0).LogRecords().At(0), &policy)
}

// distinct are records that must all have different digests.
func distinct() map[string]plog.Logs {
	type change = func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)
	body := func(set func(pcommon.Value)) change {
		return func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			pcommon.NewValueEmpty().CopyTo(lr.Body())
			set(lr.Body())
		}
	}
	record := func(set func(plog.LogRecord)) change {
		return func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { set(lr) }
	}
	logs := map[string]plog.Logs{}
	for name, c := range map[string]change{
		"plain":              nil,
		"body, empty":        body(func(pcommon.Value) {}),
		"body, empty string": body(func(v pcommon.Value) { v.SetStr("") }),
		"body, empty bytes":  body(func(v pcommon.Value) { v.SetEmptyBytes() }),
		"body, empty array":  body(func(v pcommon.Value) { v.SetEmptySlice() }),
		"body, empty map":    body(func(v pcommon.Value) { v.SetEmptyMap() }),
		"body, bytes":        body(func(v pcommon.Value) { v.SetEmptyBytes().FromRaw([]byte("body")) }),
		"body, array":        body(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetStr("body") }),
		"body, map":          body(func(v pcommon.Value) { v.SetEmptyMap().PutStr("body", "") }),
		"body, true":         body(func(v pcommon.Value) { v.SetBool(true) }),
		"body, false":        body(func(v pcommon.Value) { v.SetBool(false) }),
		"body, text true":    body(func(v pcommon.Value) { v.SetStr("true") }),
		"body, 1":            body(func(v pcommon.Value) { v.SetInt(1) }),
		"body, 1.0":          body(func(v pcommon.Value) { v.SetDouble(1) }),
		"body, text 1":       body(func(v pcommon.Value) { v.SetStr("1") }),
		"body, 0":            body(func(v pcommon.Value) { v.SetInt(0) }),
		"body, 0.0":          body(func(v pcommon.Value) { v.SetDouble(0) }),
		"body, -0.0":         body(func(v pcommon.Value) { v.SetDouble(math.Copysign(0, -1)) }),
		"body, Inf":          body(func(v pcommon.Value) { v.SetDouble(math.Inf(1)) }),
		"body, -Inf":         body(func(v pcommon.Value) { v.SetDouble(math.Inf(-1)) }),
		"body, NaN":          body(func(v pcommon.Value) { v.SetDouble(math.NaN()) }),
		"body, 2^53":         body(func(v pcommon.Value) { v.SetInt(1 << 53) }),
		"body, 2^53+1":       body(func(v pcommon.Value) { v.SetInt(1<<53 + 1) }),
		"body, smallest int": body(func(v pcommon.Value) { v.SetInt(math.MinInt64) }),
		"body, two parts": body(func(v pcommon.Value) {
			s := v.SetEmptySlice()
			s.AppendEmpty().SetStr("a")
			s.AppendEmpty().SetStr("b")
		}),
		"body, other order": body(func(v pcommon.Value) {
			s := v.SetEmptySlice()
			s.AppendEmpty().SetStr("b")
			s.AppendEmpty().SetStr("a")
		}),
		"body, one part":       body(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetStr("ab") }),
		"body, nested":         body(func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetEmptySlice().AppendEmpty().SetStr("a") }),
		"body, U+FFFD":         body(func(v pcommon.Value) { v.SetStr("\uFFFD") }),
		"time":                 record(func(lr plog.LogRecord) { lr.SetTimestamp(lr.Timestamp() + 1) }),
		"time, absent":         record(func(lr plog.LogRecord) { lr.SetTimestamp(0) }),
		"observed time":        record(func(lr plog.LogRecord) { lr.SetObservedTimestamp(1) }),
		"severity":             record(func(lr plog.LogRecord) { lr.SetSeverityNumber(9) }),
		"severity, negative":   record(func(lr plog.LogRecord) { lr.SetSeverityNumber(-9) }),
		"severity text":        record(func(lr plog.LogRecord) { lr.SetSeverityText("INFO") }),
		"event name":           record(func(lr plog.LogRecord) { lr.SetEventName("INFO") }),
		"trace id":             record(func(lr plog.LogRecord) { lr.SetTraceID([16]byte{15: 1}) }),
		"span id":              record(func(lr plog.LogRecord) { lr.SetSpanID([8]byte{7: 1}) }),
		"flags":                record(func(lr plog.LogRecord) { lr.SetFlags(1) }),
		"dropped":              record(func(lr plog.LogRecord) { lr.SetDroppedAttributesCount(1) }),
		"attribute, none":      record(func(lr plog.LogRecord) { lr.Attributes().Clear() }),
		"attribute, two":       record(func(lr plog.LogRecord) { lr.Attributes().PutStr("k2", "v") }),
		"attribute, other key": record(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutStr("kv", "") }),
		"attribute, a.b":       record(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutInt("a.b", 1) }),
		"attribute, a{b}":      record(func(lr plog.LogRecord) { lr.Attributes().Clear(); lr.Attributes().PutEmptyMap("a").PutInt("b", 1) }),
		"attribute, nested id": record(func(lr plog.LogRecord) { lr.Attributes().PutEmptyMap("m").PutStr(IDKey, "x") }),
		"attribute, near id":   record(func(lr plog.LogRecord) { lr.Attributes().PutStr(IDKey+" ", "x") }),
		"resource attribute": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().Attributes().PutStr("k", "v")
		},
		"resource id": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().Attributes().PutStr(IDKey, "v")
		},
		"resource dropped": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().SetDroppedAttributesCount(1)
		},
		"resource schema": func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) { rl.SetSchemaUrl("u") },
		"scope schema":    func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.SetSchemaUrl("u") },
		"scope name":      func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.Scope().SetName("u") },
		"scope version":   func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.Scope().SetVersion("u") },
		"scope attribute": func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) {
			sl.Scope().Attributes().PutStr("k", "v")
		},
		"scope dropped": func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) {
			sl.Scope().SetDroppedAttributesCount(1)
		},
	} {
		logs[name] = one(c)
	}
	return logs
}

func TestDigestsDiffer(t *testing.T) {
	seen := map[Hash]string{}
	for name, ld := range distinct() {
		digest, err := digestOf(ld, Policy{})
		require.NoError(t, err)
		require.Empty(t, seen[digest], "the same digest as %q", name)
		seen[digest] = name
	}
}

// TestDigestsSurviveEncodings: OTLP protobuf and JSON carry all that is digested.
func TestDigestsSurviveEncodings(t *testing.T) {
	for name, ld := range distinct() {
		t.Run(name, func(t *testing.T) { requireSameDigest(t, ld) })
	}
}

func requireSameDigest(t *testing.T, ld plog.Logs) {
	want, err := digestOf(ld, Policy{})
	require.NoError(t, err)
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	fromProto, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	got, err := digestOf(fromProto, Policy{})
	require.NoError(t, err)
	require.Equal(t, want, got, "protobuf")
	data, err = (&plog.JSONMarshaler{}).MarshalLogs(fromProto)
	require.NoError(t, err)
	fromJSON, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	got, err = digestOf(fromJSON, Policy{})
	require.NoError(t, err)
	require.Equal(t, want, got, "JSON: %s", data)
}

func TestDigestsAgree(t *testing.T) {
	plain, err := digestOf(one(nil), Policy{})
	require.NoError(t, err)
	policy, err := NewPolicy([]string{"added", "k8s.*"}, []string{"cloud", "k8s.*"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		policy Policy
		change func(plog.LogRecord)
	}{
		"an id":               {Policy{}, func(lr plog.LogRecord) { lr.Attributes().PutStr(IDKey, "k3x2a2qd-1") }},
		"an id that is a map": {Policy{}, func(lr plog.LogRecord) { lr.Attributes().PutEmptyMap(IDKey) }},
		"an excluded name":    {policy, func(lr plog.LogRecord) { lr.Attributes().PutStr("added", "later") }},
		"an excluded prefix":  {policy, func(lr plog.LogRecord) { lr.Attributes().PutStr("k8s.pod", "a") }},
		"zero trace id":       {Policy{}, func(lr plog.LogRecord) { lr.SetTraceID(pcommon.TraceID{}) }},
		"order of attributes": {policy, func(lr plog.LogRecord) {
			lr.Attributes().Clear()
			lr.Attributes().PutStr("k8s.z", "")
			lr.Attributes().PutStr("k", "v")
		}},
		"nothing was excluded":  {policy, func(plog.LogRecord) {}},
		"two excluded prefixes": {policy, func(lr plog.LogRecord) { lr.Attributes().PutStr("k8s.", "a"); lr.Attributes().PutStr("k8s.b.c", "a") }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := digestOf(one(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { c.change(lr) }), c.policy)
			require.NoError(t, err)
			require.Equal(t, plain, got)
		})
	}
	for _, key := range []string{"k8s", "k8sx", "added.x", "Added"} {
		got, err := digestOf(one(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.Attributes().PutStr(key, "a") }), policy)
		require.NoError(t, err)
		require.NotEqual(t, plain, got, "%s is not excluded", key)
	}
	nan := func(bits uint64) Hash {
		got, err := digestOf(one(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Body().SetDouble(math.Float64frombits(bits))
		}), Policy{})
		require.NoError(t, err)
		return got
	}
	require.Equal(t, nan(canonicalNaN), nan(0xfff0000000000001), "every NaN is one")
}

// TestCanonical writes out one encoding by hand.
func TestCanonical(t *testing.T) {
	ld := one(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
		lr.SetSeverityNumber(-1)
		lr.SetTraceID([16]byte{0: 0xaa})
		lr.Body().SetEmptySlice().AppendEmpty().SetInt(-2)
		lr.Attributes().PutBool("b", true)
		lr.Attributes().PutStr(IDKey, "k3x2a2qd-1")
	})
	var h Hasher
	source := Hash(fill(1))
	got, err := h.Canonical(&source, ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), &Policy{})
	require.NoError(t, err)
	want := "00" + strings.Repeat("01", 32) +
		"18fae2769b0fcd15" + "0000000000000000" + // times
		"ffffffff" + "00000000" + "00000000" + // severity, its text, event name
		"aa" + strings.Repeat("00", 15) + strings.Repeat("00", 8) +
		"00000000" + "00000000" + // flags, dropped
		"06" + "00000001" + "03" + "fffffffffffffffe" + // [-2]
		"00000002" + "00000001" + "62" + "02" + "01" + // b: true
		"00000001" + "6b" + "01" + "00000001" + "76" // k: "v"
	require.Equal(t, want, hex.EncodeToString(got))
}

func nest(v pcommon.Value, depth int) {
	for range depth {
		v = v.SetEmptySlice().AppendEmpty()
	}
	v.SetStr("deep")
}

// TestNormalize: what has no digest gets one, and keeps it.
func TestNormalize(t *testing.T) {
	for name, c := range map[string]struct {
		change func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)
		want   error
		check  func(*testing.T, plog.ResourceLogs, plog.LogRecord)
	}{
		"duplicate key": {
			func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
				duplicate(lr.Attributes(), "k", "last")
			}, ErrDuplicateKey,
			func(t *testing.T, _ plog.ResourceLogs, lr plog.LogRecord) {
				require.Equal(t, map[string]any{"k": "last"}, lr.Attributes().AsRaw())
				require.Equal(t, 1, lr.Attributes().Len())
			},
		},
		"duplicate id": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Attributes().PutStr(IDKey, "first")
			duplicate(lr.Attributes(), IDKey, "last")
		}, ErrDuplicateKey, nil},
		"nested duplicate key": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			m := lr.Body().SetEmptyMap()
			m.PutStr("x", "first")
			duplicate(m, "x", "last")
		}, ErrDuplicateKey, nil},
		"keys made equal": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Attributes().PutStr("\xff", "a")
			lr.Attributes().PutStr("\xfe", "b")
		}, ErrInvalidUTF8, func(t *testing.T, _ plog.ResourceLogs, lr plog.LogRecord) {
			require.Equal(t, map[string]any{"k": "v", "\uFFFD": "b"}, lr.Attributes().AsRaw())
		}},
		"invalid body": {
			func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.Body().SetStr("a\xff\xf0\x9fb") }, ErrInvalidUTF8,
			func(t *testing.T, _ plog.ResourceLogs, lr plog.LogRecord) {
				require.Equal(t, "a\uFFFD\uFFFD\uFFFDb", lr.Body().Str())
			},
		},
		"invalid event name":    {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.SetEventName("\xff") }, ErrInvalidUTF8, nil},
		"invalid severity text": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.SetSeverityText("\xff") }, ErrInvalidUTF8, nil},
		"invalid scope":         {func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.Scope().SetName("\xff") }, ErrInvalidUTF8, nil},
		"invalid version":       {func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.Scope().SetVersion("\xff") }, ErrInvalidUTF8, nil},
		"invalid scope schema":  {func(_ plog.ResourceLogs, sl plog.ScopeLogs, _ plog.LogRecord) { sl.SetSchemaUrl("\xff") }, ErrInvalidUTF8, nil},
		"invalid schema":        {func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) { rl.SetSchemaUrl("\xff") }, ErrInvalidUTF8, nil},
		"invalid resource key": {func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			rl.Resource().Attributes().PutStr("\xff", "")
		}, ErrInvalidUTF8, nil},
		"64 deep": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { nest(lr.Body(), 63) }, nil, nil},
		"65 deep": {
			func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { nest(lr.Body(), 64) }, ErrTooDeep,
			func(t *testing.T, _ plog.ResourceLogs, lr plog.LogRecord) {
				require.Contains(t, lr.Body().AsString(), tooDeep)
			},
		},
		"attribute 65 deep": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			nest(lr.Attributes().PutEmpty("d"), 64)
		}, ErrTooDeep, nil},
		"resource 10,000 deep": {func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			nest(rl.Resource().Attributes().PutEmpty("d"), 10_000)
		}, ErrTooDeep, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ld := one(c.change)
			_, err := digestOf(ld, Policy{})
			require.ErrorIs(t, err, c.want)
			leaf := make([]Hash, 1)
			var h Hasher
			require.NoError(t, h.leaves(ld, &Policy{}, leaf))
			digest, err := digestOf(ld, Policy{})
			require.NoError(t, err, "still without a digest")
			require.Equal(t, leaf[0], digest)
			requireSameDigest(t, ld)
			if c.check != nil {
				rl := ld.ResourceLogs().At(0)
				c.check(t, rl, rl.ScopeLogs().At(0).LogRecords().At(0))
			}
		})
	}
}

// duplicate adds a key that may be there already, as a decoder does.
func duplicate(m pcommon.Map, key, value string) {
	m.PutStr("placeholder of "+key, value)
	data, _ := (&plog.ProtoMarshaler{}).MarshalLogs(func() plog.Logs {
		ld := plog.NewLogs()
		lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		m.CopyTo(lr.Attributes())
		return ld
	}())
	// The two keys differ in length, so the bytes are built again by hand: a
	// KeyValue of the wanted key is appended to the record.
	ld, _ := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	attributes := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.Remove("placeholder of " + key)
	record, _ := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	// ResourceLogs{2: ScopeLogs{2: LogRecord{6: KeyValue{1: key, 2: AnyValue{1: value}}}}}
	kv := field(1, []byte(key))
	kv = append(kv, field(2, field(1, []byte(value)))...)
	inner := unwrap(unwrap(unwrap(record, 1), 2), 2)
	inner = append(inner, field(6, kv)...)
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(field(1, field(2, field(2, inner))))
	if err != nil {
		panic(err)
	}
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().CopyTo(m)
}

// field returns a length-delimited protobuf field.
func field(number int, data []byte) []byte {
	b := []byte{byte(number<<3 | 2)}
	for n := len(data); ; n >>= 7 {
		if n < 0x80 {
			return append(append(b, byte(n)), data...)
		}
		b = append(b, byte(n)|0x80)
	}
}

// unwrap returns the content of the first length-delimited field of that number.
func unwrap(b []byte, number int) []byte {
	for len(b) > 0 {
		tag, size, shift := b[0], 0, 0
		i := 1
		for ; b[i] >= 0x80; i++ {
			size |= int(b[i]&0x7f) << shift
			shift += 7
		}
		size |= int(b[i]) << shift
		i++
		if tag == byte(number<<3|2) {
			return b[i : i+size]
		}
		b = b[i+size:]
	}
	return nil
}

func TestStringTableReferencesAreCleared(t *testing.T) {
	// AnyValue.string_value_strindex (8) and KeyValue.key_strindex (3) with an empty key.
	for name, data := range map[string][]byte{
		"value":              field(5, []byte{8 << 3, 7}),
		"value of attribute": field(6, append(field(1, []byte("a")), field(2, []byte{8 << 3, 7})...)),
		"empty key":          field(6, append(field(2, field(1, []byte("a"))), 3<<3, 7)),
		"key":                field(6, append(append(field(1, []byte("k")), field(2, field(1, []byte("a")))...), 3<<3, 7)),
		"nested key":         field(5, field(6, field(1, append(append(field(1, []byte("k")), field(2, field(1, []byte("a")))...), 3<<3, 7)))),
		"nested value":       field(5, field(5, field(1, []byte{8 << 3, 7}))),
	} {
		t.Run(name, func(t *testing.T) {
			requireNoReferences(t, field(1, field(2, field(2, data))))
		})
	}
	key := append(append(field(1, []byte("k")), field(2, field(1, []byte("a")))...), 3<<3, 7)
	record := field(2, field(2, nil))
	requireNoReferences(t, field(1, append(field(1, field(1, key)), record...)))                  // of a resource
	requireNoReferences(t, field(1, field(2, append(field(1, field(3, key)), field(2, nil)...)))) // of a scope
}

func requireNoReferences(t *testing.T, data []byte) {
	t.Helper()
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	before, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	require.Contains(t, strings.ToLower(string(before)), "strindex")
	var h Hasher
	require.NoError(t, h.leaves(ld, &Policy{}, make([]Hash, 1)))
	after, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(after)), "strindex")
}

// TestHiddenFields: without any, the size that is worked out is the one that pdata has.
func TestHiddenFields(t *testing.T) {
	logs := distinct()
	logs["access log"] = accessLogs(1)
	for name, ld := range logs {
		digest, err := digestOf(ld, Policy{})
		require.NoError(t, err)
		require.NotZero(t, digest)
		var h Hasher
		lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		_, err = h.Canonical(&Hash{}, lr, &Policy{})
		require.NoError(t, err)
		require.False(t, h.hidesFields(lr), name)
	}
}

func TestDigestAllocatesNothing(t *testing.T) {
	ld := accessLogs(10)
	var h Hasher
	leaves := make([]Hash, 10)
	require.NoError(t, h.leaves(ld, &Policy{}, leaves))
	batch := testing.AllocsPerRun(100, func() { _ = h.leaves(ld, &Policy{}, leaves) })
	more := accessLogs(1000)
	leaves = make([]Hash, 1000)
	require.Equal(t, batch, testing.AllocsPerRun(100, func() { _ = h.leaves(more, &Policy{}, leaves) }), "a record allocates")
}

// FuzzDigestRoundTrip: whatever protobuf decodes, once stamped, keeps its digest
// through protobuf and JSON.
func FuzzDigestRoundTrip(f *testing.F) {
	for _, ld := range distinct() {
		data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil || ld.LogRecordCount() == 0 {
			return
		}
		leaves := make([]Hash, ld.LogRecordCount())
		var h Hasher
		require.NoError(t, h.leaves(ld, &Policy{}, leaves))
		again := make([]Hash, len(leaves))
		require.NoError(t, h.leaves(ld, &Policy{}, again))
		require.Equal(t, leaves, again, "normalising twice")
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		require.True(t, utf8.Valid(line))
		fromJSON, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		require.NoError(t, err)
		require.Equal(t, len(leaves), fromJSON.LogRecordCount())
		require.NoError(t, h.leaves(fromJSON, &Policy{}, again))
		require.Equal(t, leaves, again, "JSON: %s", line)
	})
}
