// SPDX-License-Identifier: Apache-2.0

package original_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
	"github.com/logseal/logseal/pkg/seal/original"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// originals are those of all records, beside each one alone in a request.
func originals(logs plog.Logs) (lines [][]byte, alone []plog.Logs) {
	var w original.Writer
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			w.SetSource(resource, scope)
			for _, record := range scope.LogRecords().All() {
				lines = append(lines, w.Append(nil, record))
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
	return lines, alone
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
		lines, alone := originals(logs)
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
		lines, _ := originals(logs)
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

func TestWriterWithoutSource(t *testing.T) {
	record := plog.NewLogRecord()
	record.Body().SetStr("x")
	line := string(new(original.Writer).Append([]byte("before "), record))
	assert.Equal(t, `before {"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`, line)
}

// FuzzOriginal: whatever a client sends, an original is one line of valid JSON, and that of the file exporter where that is one.
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
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(wire)
		if err != nil {
			return
		}
		lines, alone := originals(logs)
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

func BenchmarkAppend(b *testing.B) {
	logs := samples.AccessLogs(100)
	resource := logs.ResourceLogs().At(0)
	scope := resource.ScopeLogs().At(0)
	var w original.Writer
	w.SetSource(resource, scope)
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		for _, record := range scope.LogRecords().All() {
			line = w.Append(line[:0], record)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/record")
	b.SetBytes(int64(len(line) * 100))
}

// A record on its way to a SIEM that knows no OTLP.
func ExampleWriter() {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("host.name", "web-17")
	scope := resource.ScopeLogs().AppendEmpty()
	record := scope.LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.Timestamp(1764324672000000001))
	record.Body().SetStr("GET / \"HTTP/1.1\"")

	var w original.Writer
	w.SetSource(resource, scope)
	fmt.Printf("%s\n", w.Append(nil, record))
	// Output:
	// {"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-17"}}]},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"1764324672000000001","body":{"stringValue":"GET / \"HTTP/1.1\""}}]}]}]}
}
