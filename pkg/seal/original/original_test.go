// SPDX-License-Identifier: Apache-2.0

package original_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
	"github.com/logseal/logseal/pkg/seal/original"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// lines returns the originals of all records of a request.
func lines(request []byte, quoted bool) (lines [][]byte, err error) {
	r := original.Reader{Quoted: quoted}
	err = r.Read(request, func(original.Attributes) {}, func(record *original.Record) bool {
		lines = append(lines, record.AppendOriginal(nil))
		return true
	})
	return lines, err
}

// originals are those of all records, beside each one alone in a request.
func originals(t testing.TB, logs plog.Logs) (all [][]byte, alone []plog.Logs) {
	request, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	require.NoError(t, err)
	all, err = lines(request, false)
	require.NoError(t, err)
	quoted, err := lines(request, true)
	require.NoError(t, err)
	require.Len(t, quoted, len(all))
	for i, line := range all {
		require.Equal(t, string(original.AppendString(nil, line)), `"`+string(quoted[i])+`"`)
	}
	var w original.Writer
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			w.SetSource(resource, scope)
			for _, record := range scope.LogRecords().All() {
				require.Equal(t, string(w.Append(nil, record)), string(all[len(alone)]))
				one := plog.NewLogs()
				toResource := one.ResourceLogs().AppendEmpty()
				resource.Resource().CopyTo(toResource.Resource())
				toResource.SetSchemaUrl(resource.SchemaUrl())
				toScope := toResource.ScopeLogs().AppendEmpty()
				scope.Scope().CopyTo(toScope.Scope())
				toScope.SetSchemaUrl(scope.SchemaUrl())
				record.CopyTo(toScope.LogRecords().AppendEmpty())
				alone = append(alone, one)
			}
		}
	}
	return all, alone
}

// awkward are values that writers of JSON disagree on.
func awkward() plog.Logs {
	return samples.One(func(resource plog.ResourceLogs, scope plog.ScopeLogs, record plog.LogRecord) {
		var ascii strings.Builder
		for c := range rune(0x180) {
			ascii.WriteRune(c)
		}
		record.Body().SetStr(ascii.String() + "\u2028\u2029\uFEFF\U0001F600</script>")
		resource.SetSchemaUrl("https://example.com/\"1\"")
		scope.SetSchemaUrl("https://example.com/\\2")
		scope.Scope().SetName("n\n")
		scope.Scope().SetVersion("\t1")
		list := record.Attributes().PutEmptySlice("numbers")
		for _, f := range []float64{
			0, math.Copysign(0, -1), 1, -1.5, 1e20, 1e21, 9.99e20, 1e-6, 9.99e-7, 1e-7, 1.1, 1.10, math.MaxFloat64, math.SmallestNonzeroFloat64,
			math.NaN(), math.Inf(1), math.Inf(-1), 1 << 53, 0.1 + 0.2,
		} {
			list.AppendEmpty().SetDouble(f)
		}
		for _, n := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
			list.AppendEmpty().SetInt(n)
		}
		list.AppendEmpty()
		list.AppendEmpty().SetEmptySlice()
		list.AppendEmpty().SetEmptyMap()
		list.AppendEmpty().SetEmptyBytes()
		list.AppendEmpty().SetEmptyBytes().FromRaw([]byte{0, 0xff, 1})
		list.AppendEmpty().SetBool(true)
		list.AppendEmpty().SetBool(false)
		list.AppendEmpty().SetEmptyMap().PutEmptyMap("").PutStr("", "")
	})
}

// TestFormIsThatOfTheFileExporter: an original is what pdata's JSON, which the file exporter writes, makes of the record alone.
func TestFormIsThatOfTheFileExporter(t *testing.T) {
	all := samples.Distinct()
	all["awkward"] = awkward()
	all["access logs"] = samples.AccessLogs(3)
	for name, logs := range all {
		lines, alone := originals(t, logs)
		for i, line := range lines {
			want, err := new(plog.JSONMarshaler).MarshalLogs(alone[i])
			require.NoError(t, err)
			assert.Equal(t, string(want), string(line), name)
		}
	}
}

// TestDigestSurvives: the archive's reader finds in an original the digest that the host computed.
func TestDigestSurvives(t *testing.T) {
	all := samples.Distinct()
	all["awkward"] = awkward()
	all["nested as deep as allowed"] = samples.One(func(_ plog.ResourceLogs, _ plog.ScopeLogs, record plog.LogRecord) {
		samples.Nest(record.Body(), canonical.MaxDepth)
	})
	for name, logs := range all {
		want := make([]seal.Hash, logs.LogRecordCount())
		require.NoError(t, new(canonical.Hasher).Leaves(logs, new(seal.Policy), want), name)
		lines, _ := originals(t, logs)
		var got []seal.Hash
		stdin := bytes.NewReader(append(bytes.Join(lines, []byte{'\n'}), '\n'))
		err := archive.Read(context.Background(), []string{archive.Stdin}, archive.Options{Stdin: stdin}, func(o *verifier.Observed) error {
			assert.Empty(t, o.Fault, name)
			got = append(got, o.Record.Digest(new(seal.Policy)))
			return nil
		})
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

func TestBytesThatAreNotUTF8(t *testing.T) {
	for text, want := range map[string]string{
		"a\xffb":             `"a` + "\uFFFD" + `b"`,
		"\xc3\x28":           `"` + "\uFFFD" + `("`,
		"\xe2\x82":           `"` + "\uFFFD\uFFFD" + `"`,
		"\xed\xa0\x80":       `"` + "\uFFFD\uFFFD\uFFFD" + `"`, // a surrogate
		"\uFFFD is a letter": `"` + "\uFFFD is a letter" + `"`,
		"\x80\n\x80":         `"` + "\uFFFD" + `\n` + "\uFFFD" + `"`,
	} {
		assert.Equal(t, want, string(original.AppendString(nil, text)))
		assert.Equal(t, want, string(original.AppendString(nil, []byte(text))))
	}
}

// TestReadsWhatTheRecordSays: what is read of a record in its encoding is what pdata decodes.
func TestReadsWhatTheRecordSays(t *testing.T) {
	all := samples.Distinct()
	all["awkward"] = awkward()
	for name, logs := range all {
		request, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
		require.NoError(t, err)
		resource := logs.ResourceLogs().At(0).Resource().Attributes()
		want := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		same := func(attributes original.Attributes, pairs pcommon.Map) {
			require.Len(t, attributes, pairs.Len(), name)
			for key := range pairs.All() {
				first, _ := pairs.Get(key)
				value, ok := attributes.Get(key)
				assert.True(t, ok, name)
				sameValue(t, first, value)
			}
			_, ok := attributes.Get("no such name")
			assert.False(t, ok)
		}
		records := 0
		err = new(original.Reader).Read(request, func(attributes original.Attributes) {
			same(attributes, resource)
		}, func(got *original.Record) bool {
			records++
			assert.EqualValues(t, want.Timestamp(), got.Timestamp, name)
			assert.EqualValues(t, want.ObservedTimestamp(), got.ObservedTimestamp, name)
			assert.Equal(t, want.SeverityNumber(), got.SeverityNumber, name)
			assert.Equal(t, want.SeverityText(), string(got.SeverityText), name)
			assert.Equal(t, want.EventName(), string(got.EventName), name)
			sameValue(t, want.Body(), got.Body)
			same(got.Attributes, want.Attributes())
			return true
		})
		require.NoError(t, err, name)
		assert.Equal(t, 1, records, name)
	}
}

func sameValue(t *testing.T, want pcommon.Value, got original.Value) {
	assert.Equal(t, want.AsString(), got.AsString())
	text, ok := got.Text()
	assert.Equal(t, want.Type() == pcommon.ValueTypeStr, ok)
	assert.Equal(t, want.Str(), string(text))
	n, ok := got.Int()
	assert.Equal(t, want.Type() == pcommon.ValueTypeInt, ok)
	assert.Equal(t, want.Int(), n)
}

// TestReadsUntilItIsTold: a reader goes on with another request after it was stopped in one.
func TestReadsUntilItIsTold(t *testing.T) {
	request, err := new(plog.ProtoMarshaler).MarshalLogs(samples.AccessLogs(5))
	require.NoError(t, err)
	var r original.Reader
	for range 2 {
		records := 0
		require.NoError(t, r.Read(request, func(original.Attributes) {}, func(*original.Record) bool {
			records++
			return records < 3
		}))
		assert.Equal(t, 3, records)
	}
}

// TestFormsThatPdataDoesNotWrite: a field twice that may be there once, one of another kind, and what is cut off are refused, wherever they stand; what is
// unknown is left out.
func TestFormsThatPdataDoesNotWrite(t *testing.T) {
	text := field(1, []byte("x"))
	record := func(fields ...[]byte) []byte { return request(field(2, field(2, bytes.Join(fields, nil)))) }
	for name, wrong := range map[string][]byte{
		"no field":                         {0},
		"cut off":                          request(field(2, field(2, field(5, text))))[:5],
		"another kind of request":          {1 << 3, 1},
		"a group":                          {2<<3 | 3, 2<<3 | 4},
		"two resources":                    request(field(1, nil), field(1, field(1, field(1, []byte("k"))))),
		"a resource that is a number":      request([]byte{1 << 3, 1}),
		"two schemas of a resource":        request(field(3, []byte("a")), field(3, []byte("b"))),
		"a scope's logs that are a number": request([]byte{2 << 3, 1}),
		"two scopes":                       request(field(2, append(field(1, field(1, []byte("a"))), field(1, nil)...))),
		"two schemas of a scope":           request(field(2, append(field(3, []byte("a")), field(3, nil)...))),
		"two names of a scope":             request(field(2, field(1, append(field(1, []byte("a")), field(1, []byte("b"))...)))),
		"two versions of a scope":          request(field(2, field(1, append(field(2, []byte("a")), field(2, []byte("b"))...)))),
		"dropped twice by a scope":         request(field(2, field(1, []byte{4 << 3, 1, 4 << 3, 2}))),
		"an attribute of a scope":          request(field(2, field(1, []byte{3 << 3, 1}))),
		"dropped twice by a resource":      request(field(1, []byte{2 << 3, 1, 2 << 3, 2}), field(2, field(2, nil))),
		"a record that is a number":        request(field(2, []byte{2 << 3, 1})),
		"two bodies":                       record(field(5, text), field(5, nil)),
		"two times":                        record([]byte{1<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8, 1<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8}),
		"a time that is a varint":          record([]byte{1 << 3, 1}),
		"an id too short":                  record(field(9, []byte("short"))),
		"another id too long":              record(field(10, []byte("much too long"))),
		"a body of two kinds":              record(field(5, append(text, 2<<3, 1))),
		"a body that is cut off":           record(field(5, []byte{1<<3 | 2, 9})),
		"a text that is a number":          record(field(5, []byte{1 << 3, 1})),
		"an integer that is a text":        record(field(5, field(3, []byte("1")))),
		"an array that is a number":        record(field(5, []byte{5 << 3, 1})),
		"an element that is a number":      record(field(5, field(5, []byte{1 << 3, 1}))),
		"an element that is cut off":       record(field(5, field(5, []byte{1<<3 | 2, 9}))),
		"an element of two kinds":          record(field(5, field(5, field(1, append(text, text...))))),
		"a pair with two names":            record(field(6, append(field(1, []byte("a")), field(1, []byte("b"))...))),
		"a pair in a map with two values":  record(field(5, field(6, field(1, append(field(2, text), field(2, text)...))))),
		"an attribute that is a number":    record([]byte{6 << 3, 1}),
		"an attribute of a resource":       request(field(1, field(1, field(2, append(text, text...)))), field(2, field(2, nil))),
	} {
		_, err := lines(wrong, false)
		require.ErrorIs(t, err, original.ErrForm, name)
	}
	unknown := field(77, []byte("x"))
	got, err := lines(append(request(append(unknown, field(2, append(unknown, field(2, append(unknown, field(5, text)...))...))...)), unknown...), false)
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.JSONEq(t, `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`, string(got[0]))
}

// field is a field with a length.
func field(number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
}

// request is one with a single ResourceLogs of these fields.
func request(fields ...[]byte) []byte { return field(1, bytes.Join(fields, nil)) }

func TestWriterWithoutSource(t *testing.T) {
	record := plog.NewLogRecord()
	record.Body().SetStr("x")
	line := string(new(original.Writer).Append([]byte("before "), record))
	assert.Equal(t, `before {"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`, line)
}

// FuzzOriginal: whatever a client sends, an original is one line of valid JSON, and that of the file exporter where that is one. It does not matter
// whether pdata has decoded and encoded the request before, unless that is needed, and then it is said.
func FuzzOriginal(f *testing.F) {
	for _, logs := range samples.Distinct() {
		wire, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
		require.NoError(f, err)
		f.Add(wire)
	}
	wire, err := new(plog.ProtoMarshaler).MarshalLogs(awkward())
	require.NoError(f, err)
	f.Add(wire)
	f.Fuzz(func(t *testing.T, wire []byte) {
		direct, formed := lines(wire, false)
		if formed != nil && !errors.Is(formed, original.ErrForm) {
			t.Fatal(formed)
		}
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(wire)
		if err != nil {
			return
		}
		lines, alone := originals(t, logs)
		if formed == nil && !slices.EqualFunc(lines, direct, bytes.Equal) {
			t.Fatalf("%q %q", lines, direct)
		}
		for i, line := range lines {
			if !json.Valid(line) || !utf8.Valid(line) || bytes.ContainsAny(line, "\n\r\x00") {
				t.Fatalf("%q", line)
			}
			want, err := new(plog.JSONMarshaler).MarshalLogs(alone[i])
			if err != nil || !utf8.Valid(want) || bytes.Contains(want, []byte("Strindex")) || bytes.Contains(want, []byte(`"entityRefs"`)) {
				continue // what has no digest
			}
			if !bytes.Equal(want, line) {
				t.Fatalf("%s\n%s", want, line)
			}
		}
	})
}

// BenchmarkAppendOriginal goes through a request of 100 access-log lines.
func BenchmarkAppendOriginal(b *testing.B) {
	request, err := new(plog.ProtoMarshaler).MarshalLogs(samples.AccessLogs(100))
	require.NoError(b, err)
	for _, quoted := range []bool{false, true} {
		b.Run(fmt.Sprintf("quoted=%t", quoted), func(b *testing.B) {
			r := original.Reader{Quoted: quoted}
			var line []byte
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Read(request, func(original.Attributes) {}, func(record *original.Record) bool {
					line = record.AppendOriginal(line[:0])
					return true
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/record")
			b.SetBytes(int64(len(line) * 100))
		})
	}
}

// A record on its way to a SIEM that knows no OTLP.
func ExampleReader() {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("host.name", "web-17")
	scope := resource.ScopeLogs().AppendEmpty()
	record := scope.LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.Timestamp(1764324672000000001))
	record.Body().SetStr("GET / \"HTTP/1.1\"")
	request, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	if err != nil {
		panic(err)
	}

	var r original.Reader
	err = r.Read(request, func(resource original.Attributes) {
		host, _ := resource.Get("host.name")
		fmt.Println(host.AsString())
	}, func(record *original.Record) bool {
		fmt.Printf("%s\n", record.AppendOriginal(nil))
		return true
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// web-17
	// {"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-17"}}]},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"1764324672000000001","body":{"stringValue":"GET / \"HTTP/1.1\""}}]}]}]}
}
