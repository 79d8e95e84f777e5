// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// digestOf returns the digest of the only record, without normalising.
func digestOf(ld plog.Logs, policy seal.Policy) (seal.Hash, error) {
	var h Hasher
	rl := ld.ResourceLogs().At(0)
	source, err := h.Source(rl, rl.ScopeLogs().At(0), &policy)
	if err != nil {
		return seal.Hash{}, err
	}
	return h.Record(&source, rl.ScopeLogs().At(0).LogRecords().At(0), &policy)
}

func TestDigestsDiffer(t *testing.T) {
	seen := map[seal.Hash]string{}
	for name, ld := range samples.Distinct() {
		digest, err := digestOf(ld, seal.Policy{})
		require.NoError(t, err)
		require.Empty(t, seen[digest], "the same digest as %q", name)
		seen[digest] = name
	}
}

// TestDigestsSurviveEncodings: OTLP protobuf and JSON carry all that is digested.
func TestDigestsSurviveEncodings(t *testing.T) {
	for name, ld := range samples.Distinct() {
		t.Run(name, func(t *testing.T) { requireSameDigest(t, ld) })
	}
}

func requireSameDigest(t *testing.T, ld plog.Logs) {
	want, err := digestOf(ld, seal.Policy{})
	require.NoError(t, err)
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	fromProto, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	got, err := digestOf(fromProto, seal.Policy{})
	require.NoError(t, err)
	require.Equal(t, want, got, "protobuf")
	data, err = (&plog.JSONMarshaler{}).MarshalLogs(fromProto)
	require.NoError(t, err)
	fromJSON, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	got, err = digestOf(fromJSON, seal.Policy{})
	require.NoError(t, err)
	require.Equal(t, want, got, "JSON: %s", data)
}

func TestDigestsAgree(t *testing.T) {
	plain, err := digestOf(samples.One(nil), seal.Policy{})
	require.NoError(t, err)
	policy, err := seal.NewPolicy([]string{"added", "k8s.*"}, []string{"cloud", "k8s.*"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		policy seal.Policy
		change func(plog.LogRecord)
	}{
		"an id":               {seal.Policy{}, func(lr plog.LogRecord) { lr.Attributes().PutStr(seal.IDKey, "k3x2a2qd-1") }},
		"an id that is a map": {seal.Policy{}, func(lr plog.LogRecord) { lr.Attributes().PutEmptyMap(seal.IDKey) }},
		"an excluded name":    {policy, func(lr plog.LogRecord) { lr.Attributes().PutStr("added", "later") }},
		"an excluded prefix":  {policy, func(lr plog.LogRecord) { lr.Attributes().PutStr("k8s.pod", "a") }},
		"zero trace id":       {seal.Policy{}, func(lr plog.LogRecord) { lr.SetTraceID(pcommon.TraceID{}) }},
		"order of attributes": {policy, func(lr plog.LogRecord) {
			lr.Attributes().Clear()
			lr.Attributes().PutStr("k8s.z", "")
			lr.Attributes().PutStr("k", "v")
		}},
		"nothing was excluded":  {policy, func(plog.LogRecord) {}},
		"two excluded prefixes": {policy, func(lr plog.LogRecord) { lr.Attributes().PutStr("k8s.", "a"); lr.Attributes().PutStr("k8s.b.c", "a") }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := digestOf(samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { c.change(lr) }), c.policy)
			require.NoError(t, err)
			require.Equal(t, plain, got)
		})
	}
	for _, key := range []string{"k8s", "k8sx", "added.x", "Added"} {
		got, err := digestOf(samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.Attributes().PutStr(key, "a") }), policy)
		require.NoError(t, err)
		require.NotEqual(t, plain, got, "%s is not excluded", key)
	}
	nan := func(bits uint64) seal.Hash {
		got, err := digestOf(samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Body().SetDouble(math.Float64frombits(bits))
		}), seal.Policy{})
		require.NoError(t, err)
		return got
	}
	require.Equal(t, nan(canonicalNaN), nan(0xfff0000000000001), "every NaN is one")
}

// TestCanonical writes out one encoding by hand.
func TestCanonical(t *testing.T) {
	ld := samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
		lr.SetSeverityNumber(-1)
		lr.SetTraceID([16]byte{0: 0xaa})
		lr.Body().SetEmptySlice().AppendEmpty().SetInt(-2)
		lr.Attributes().PutBool("b", true)
		lr.Attributes().PutStr(seal.IDKey, "k3x2a2qd-1")
	})
	var h Hasher
	source := seal.Hash(samples.Fill(1))
	got, err := h.Canonical(&source, ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), &seal.Policy{})
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

// TestNormalize: what has no digest gets one, and keeps it.
func TestNormalize(t *testing.T) {
	for name, c := range map[string]struct {
		change func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord)
		want   error
		check  func(*testing.T, plog.ResourceLogs, plog.LogRecord)
	}{
		"duplicate key": {
			func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
				samples.Duplicate(lr.Attributes(), "k", "last")
			}, ErrDuplicateKey,
			func(t *testing.T, _ plog.ResourceLogs, lr plog.LogRecord) {
				require.Equal(t, map[string]any{"k": "last"}, lr.Attributes().AsRaw())
				require.Equal(t, 1, lr.Attributes().Len())
			},
		},
		"duplicate id": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Attributes().PutStr(seal.IDKey, "first")
			samples.Duplicate(lr.Attributes(), seal.IDKey, "last")
		}, ErrDuplicateKey, nil},
		"nested duplicate key": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			m := lr.Body().SetEmptyMap()
			m.PutStr("x", "first")
			samples.Duplicate(m, "x", "last")
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
		"64 deep": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { samples.Nest(lr.Body(), 63) }, nil, nil},
		"65 deep": {
			func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { samples.Nest(lr.Body(), 64) }, ErrTooDeep,
			func(t *testing.T, _ plog.ResourceLogs, lr plog.LogRecord) {
				require.Contains(t, lr.Body().AsString(), tooDeep)
			},
		},
		"attribute 65 deep": {func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			samples.Nest(lr.Attributes().PutEmpty("d"), 64)
		}, ErrTooDeep, nil},
		"resource 10,000 deep": {func(rl plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			samples.Nest(rl.Resource().Attributes().PutEmpty("d"), 10_000)
		}, ErrTooDeep, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ld := samples.One(c.change)
			_, err := digestOf(ld, seal.Policy{})
			require.ErrorIs(t, err, c.want)
			leaf := make([]seal.Hash, 1)
			var h Hasher
			require.NoError(t, h.Leaves(ld, &seal.Policy{}, leaf))
			digest, err := digestOf(ld, seal.Policy{})
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

func TestStringTableReferencesAreCleared(t *testing.T) {
	// AnyValue.string_value_strindex (8) and KeyValue.key_strindex (3) with an empty key.
	for name, data := range map[string][]byte{
		"value":              samples.Field(5, []byte{8 << 3, 7}),
		"value of attribute": samples.Field(6, append(samples.Field(1, []byte("a")), samples.Field(2, []byte{8 << 3, 7})...)),
		"empty key":          samples.Field(6, append(samples.Field(2, samples.Field(1, []byte("a"))), 3<<3, 7)),
		"key":                samples.Field(6, append(append(samples.Field(1, []byte("k")), samples.Field(2, samples.Field(1, []byte("a")))...), 3<<3, 7)),
		"nested key":         samples.Field(5, samples.Field(6, samples.Field(1, append(append(samples.Field(1, []byte("k")), samples.Field(2, samples.Field(1, []byte("a")))...), 3<<3, 7)))),
		"nested value":       samples.Field(5, samples.Field(5, samples.Field(1, []byte{8 << 3, 7}))),
	} {
		t.Run(name, func(t *testing.T) {
			requireNoReferences(t, samples.Field(1, samples.Field(2, samples.Field(2, data))))
		})
	}
	key := append(append(samples.Field(1, []byte("k")), samples.Field(2, samples.Field(1, []byte("a")))...), 3<<3, 7)
	record := samples.Field(2, samples.Field(2, nil))
	requireNoReferences(t, samples.Field(1, append(samples.Field(1, samples.Field(1, key)), record...)))                                  // of a resource
	requireNoReferences(t, samples.Field(1, samples.Field(2, append(samples.Field(1, samples.Field(3, key)), samples.Field(2, nil)...)))) // of a scope
}

func requireNoReferences(t *testing.T, data []byte) {
	t.Helper()
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	require.NoError(t, err)
	before, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	require.Contains(t, strings.ToLower(string(before)), "strindex")
	var h Hasher
	require.NoError(t, h.Leaves(ld, &seal.Policy{}, make([]seal.Hash, 1)))
	after, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(after)), "strindex")
}

// TestHiddenFields: without any, the size that is worked out is the one that pdata has.
func TestHiddenFields(t *testing.T) {
	logs := samples.Distinct()
	logs["access log"] = samples.AccessLogs(1)
	for name, ld := range logs {
		digest, err := digestOf(ld, seal.Policy{})
		require.NoError(t, err)
		require.NotZero(t, digest)
		var h Hasher
		lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		_, err = h.Canonical(&seal.Hash{}, lr, &seal.Policy{})
		require.NoError(t, err)
		require.False(t, h.hidesFields(lr), name)
	}
}

func TestDigestAllocatesNothing(t *testing.T) {
	ld := samples.AccessLogs(10)
	var h Hasher
	leaves := make([]seal.Hash, 10)
	require.NoError(t, h.Leaves(ld, &seal.Policy{}, leaves))
	batch := testing.AllocsPerRun(100, func() { _ = h.Leaves(ld, &seal.Policy{}, leaves) })
	more := samples.AccessLogs(1000)
	leaves = make([]seal.Hash, 1000)
	require.Equal(t, batch, testing.AllocsPerRun(100, func() { _ = h.Leaves(more, &seal.Policy{}, leaves) }), "a record allocates")
}

// FuzzDigestRoundTrip: whatever protobuf decodes, once stamped, keeps its digest
// through protobuf and JSON.
func FuzzDigestRoundTrip(f *testing.F) {
	for _, ld := range samples.Distinct() {
		data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil || ld.LogRecordCount() == 0 {
			return
		}
		leaves := make([]seal.Hash, ld.LogRecordCount())
		var h Hasher
		require.NoError(t, h.Leaves(ld, &seal.Policy{}, leaves))
		again := make([]seal.Hash, len(leaves))
		require.NoError(t, h.Leaves(ld, &seal.Policy{}, again))
		require.Equal(t, leaves, again, "normalising twice")
		line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		require.True(t, utf8.Valid(line))
		fromJSON, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		require.NoError(t, err)
		require.Equal(t, len(leaves), fromJSON.LogRecordCount())
		require.NoError(t, h.Leaves(fromJSON, &seal.Policy{}, again))
		require.Equal(t, leaves, again, "JSON: %s", line)
	})
}
