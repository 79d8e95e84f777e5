// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// wrap puts a record into a request.
func wrap(record string) []byte {
	return []byte(`{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"eventName":"before"},` + record + `,{"eventName":"after"}]}]}]}`)
}

// TestJSONRecordFaults: what is wrong with a record condemns that record and no other.
func TestJSONRecordFaults(t *testing.T) {
	for _, record := range []string{
		`{"body":{"stringValue":"a"},"body":{"stringValue":"b"}}`,
		`{"eventName":"a","eventName":"a"}`,
		`{"attributes":[],"attributes":[]}`,
		`{"unknown":1}`, `{"unknown":{"a":[1,{"b":null}],"c":"\u12"}}`, `{"":1}`, `{"Body":{}}`, `{"time_unix_nano":"1"}`, `{"\u0062ody":{}}`,
		`{"body":{"stringValue":"a","intValue":"1"}}`, `{"body":{"stringValue":"a","stringValue":"a"}}`, `{"body":{"stringValue":"a","x":{"y":[1]},"z":1}}`,
		`{"body":{"unknownValue":"a"}}`, `{"body":{"stringValueStrindex":1}}`, `{"body":"a"}`, `{"body":null}`, `{"body":[]}`,
		`{"body":{"stringValue":1}}`, `{"body":{"stringValue":null}}`,
		`{"body":{"intValue":"1.0"}}`, `{"body":{"intValue":1.0}}`, `{"body":{"intValue":1e3}}`, `{"body":{"intValue":"+1"}}`, `{"body":{"intValue":"01"}}`, `{"body":{"intValue":""}}`,
		`{"body":{"intValue":"9223372036854775808"}}`, `{"body":{"intValue":"-9223372036854775809"}}`, `{"body":{"intValue":"-0"}}`, `{"body":{"intValue":"0x1"}}`, `{"body":{"intValue":true}}`,
		`{"body":{"boolValue":"true"}}`, `{"body":{"boolValue":1}}`, `{"body":{"boolValue":null}}`,
		`{"body":{"doubleValue":"1"}}`, `{"body":{"doubleValue":"nan"}}`, `{"body":{"doubleValue":1e999}}`, `{"body":{"doubleValue":"+Infinity"}}`,
		`{"body":{"bytesValue":"YQ"}}`, `{"body":{"bytesValue":"YR=="}}`, `{"body":{"bytesValue":"Y\nQ=="}}`, `{"body":{"bytesValue":"Y\\nQ=="}}`, `{"body":{"bytesValue":"_-=="}}`, `{"body":{"bytesValue":1}}`,
		`{"body":{"arrayValue":[]}}`, `{"body":{"arrayValue":{"values":{}}}}`, `{"body":{"arrayValue":{"values":[],"values":[]}}}`, `{"body":{"arrayValue":{"value":[]}}}`, `{"body":{"arrayValue":{"values":[1]}}}`,
		`{"body":{"kvlistValue":{"values":[{"key":"a"},{"key":"a"}]}}}`, `{"body":{"kvlistValue":{"values":[{},{}]}}}`, `{"body":{"kvlistValue":{"x":1}}}`,
		`{"attributes":[{"key":"a","value":{"stringValue":"x"}},{"key":"b"},{"key":"a","value":{"stringValue":"y"}}]}`,
		`{"attributes":[{"key":"a","key":"b"}]}`, `{"attributes":[{"key":"a","value":{},"value":{}}]}`, `{"attributes":[{"key":"a","keyStrindex":1}]}`, `{"attributes":{}}`, `{"attributes":[1]}`, `{"attributes":[{"key":null}]}`,
		`{"attributes":[{"key":"logseal.id","value":{"stringValue":"aaaaaaaa-1"}},{"key":"logseal.id","value":{"stringValue":"aaaaaaaa-1"}}]}`,
		`{"attributes":[{"key":"logseal.id","value":{"intValue":"1"}}]}`, `{"attributes":[{"key":"logseal.id"}]}`, `{"attributes":[{"key":"logseal.id","value":5}]}`,
		`{"timeUnixNano":"-1"}`, `{"timeUnixNano":"18446744073709551616"}`, `{"timeUnixNano":"99999999999999999999"}`, `{"timeUnixNano":null}`, `{"timeUnixNano":1.5}`,
		`{"flags":4294967296}`, `{"flags":-1}`, `{"droppedAttributesCount":4294967296}`, `{"severityNumber":2147483648}`, `{"severityNumber":"SEVERITY_NUMBER_INFO"}`, `{"severityNumber":"17"}`, `{"severityNumber":""}`,
		`{"traceId":"00"}`, `{"traceId":"0102030405060708090a0b0c0d0e0fxx"}`, `{"spanId":"0102030405060708090a0b0c0d0e0f10"}`, `{"traceId":1}`,
		"{\"severityText\":\"\xff\"}", "{\"severityText\":\"\xed\xa0\x80\"}", `{"severityText":"\ud800"}`, `{"severityText":"\udc00\ud800"}`, `{"severityText":"\ud800\u0041"}`, `{"severityText":"\x"}`, `{"severityText":"\u12"}`,
		"{\"severityText\":\"a\nb\"}", "{\"severityText\":\"a\x00b\"}", `[]`, `1`, `null`, `"a"`,
	} {
		var d decoder
		d.begin()
		d.decodeJSON(wrap(record))
		require.Len(t, d.records, 3, record)
		require.Empty(t, d.records[0].Fault, record)
		require.NotEmpty(t, d.records[1].Fault, record)
		require.Nil(t, d.records[1].Canonical, record)
		require.Empty(t, d.records[2].Fault, record)
		require.True(t, bytes.Contains(d.records[2].Canonical, []byte("after")), record)
	}
}

// TestJSONFrameFaults: broken syntax, and what is wrong around the records.
func TestJSONFrameFaults(t *testing.T) {
	for _, frame := range []string{
		``, `{`, `{"resourceLogs"`, `{"resourceLogs":`, `{"resourceLogs":[`, `{"resourceLogs":[]`, `{"resourceLogs":[]]`, `{"resourceLogs":[]}}`, `{"resourceLogs":[]} x`, `{"resourceLogs":[]},`, "{\"resourceLogs\":[]}\x00",
		`{"resourceLogs":[,]}`, `{"resourceLogs":[{},]}`, `{"resourceLogs":[{}{}]}`, `{,}`, `{"a"}`, `{"resourceLogs":[],}`, `{"resourceLogs" []}`, `{resourceLogs:[]}`, `{'resourceLogs':[]}`,
		`{"resourceLogs":[],"resourceLogs":[]}`, `{"resourceLogs":[],"x":1}`, `{"resourceLogs":{}}`, `{"resourceLogs":null}`, `{"resourceSpans":[]}`, `{"resource_logs":[]}`,
		`{"resourceLogs":[1]}`, `{"resourceLogs":[{"x":1}]}`, `{"resourceLogs":[{"scopeLogs":{}}]}`, `{"resourceLogs":[{"deprecatedScopeLogs":[]}]}`, `{"resourceLogs":[{"resource":{},"resource":{}}]}`,
		`{"resourceLogs":[{"resource":{"entityRefs":[]}}]}`, `{"resourceLogs":[{"scopeLogs":[{"scope":{"attributes":[{"key":"a"},{"key":"a"}]}}]}]}`, `{"resourceLogs":[{"scopeLogs":[{"schemaUrl":1}]}]}`,
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"flags":1x}]}]}]}`, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"flags":01}]}]}]}`, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"flags":-}]}]}]}`, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"boolValue":tru}}]}]}]}`,
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a}]}]}]}`, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a\"}]}]}]}`,
	} {
		var d decoder
		d.begin()
		d.decodeJSON([]byte(frame))
		require.NotEmpty(t, d.records, frame)
		for _, o := range d.records {
			require.NotEmpty(t, o.Fault, frame)
		}
	}
	// What is wrong with a resource or scope condemns what is in it, and names it.
	var d decoder
	d.begin()
	d.decodeJSON([]byte(`{"resourceLogs":[{"resource":{"x":1},"scopeLogs":[{"logRecords":[{"attributes":[{"key":"logseal.id","value":{"stringValue":"aaaaaaaa-1"}}]},{}]}]},{"scopeLogs":[{"scope":{},"logRecords":[{}]},{"logRecords":[{}],"scope":5}]}]}`))
	require.Len(t, d.records, 4)
	require.Equal(t, finding.MemberUnknown, d.records[0].Fault)
	require.Equal(t, seal.ID{Handle: "aaaaaaaa", Seq: 1}, d.records[0].ID)
	require.NotEmpty(t, d.records[1].Fault)
	require.Empty(t, d.records[2].Fault)
	require.NotEmpty(t, d.records[3].Fault)
}

// TestJSONOrder: members may come in any order, and white space anywhere.
func TestJSONOrder(t *testing.T) {
	a := []byte(`{"resourceLogs":[{"resource":{"attributes":[{"key":"r","value":{"stringValue":"1"}}]},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{"timeUnixNano":"5","body":{"stringValue":"b"},"attributes":[{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{}}],"eventName":"e"}],"schemaUrl":"u"}],"schemaUrl":"v"}]}`)
	b := []byte(" { \"resourceLogs\" : [ {\t\"schemaUrl\":\"v\",\r\n\"scopeLogs\":[{\"schemaUrl\":\"u\",\"logRecords\":[{\"eventName\":\"e\",\"attributes\":[{\"key\":\"b\"},{\"value\":{\"intValue\":1},\"key\":\"a\"}] , \"body\" : { \"stringValue\" : \"\\u0062\" } , \"timeUnixNano\" : 5 } ] , \"scope\":{\"name\":\"s\"}}],\"resource\":{\"attributes\":[{\"value\":{\"stringValue\":\"1\"},\"key\":\"r\"}]}} ] } ")
	var d decoder
	d.begin()
	d.decodeJSON(a)
	d.decodeJSON(b)
	require.Len(t, d.records, 2)
	require.Empty(t, d.records[0].Fault)
	require.Empty(t, d.records[1].Fault)
	require.Equal(t, d.records[0].Canonical, d.records[1].Canonical)
}

func field(number int, payload ...[]byte) []byte {
	body := bytes.Join(payload, nil)
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number)<<3|wireLen), uint64(len(body))), body...)
}

func varintField(number int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number)<<3), v)
}

func protoWrap(record []byte) []byte {
	good := field(2, field(12, []byte("good")))
	return field(1, field(1), field(2, field(1), good, field(2, record), good))
}

// TestProtoRecordFaults is the same for protobuf.
func TestProtoRecordFaults(t *testing.T) {
	str := func(s string) []byte { return field(1, []byte(s)) }
	kv := func(k, v string) []byte { return append(str(k), field(2, str(v))...) }
	id := field(6, kv(seal.IDKey, "aaaaaaaa-1"))
	for name, record := range map[string][]byte{
		"unknown field":                field(13, nil),
		"field 4, which is deprecated": field(4, []byte("name")),
		"a group":                      {5<<3 | 3, 5<<3 | 4},
		"body twice":                   append(field(5, str("a")), field(5, str("b"))...),
		"event name twice":             append(field(12, []byte("a")), field(12, []byte("a"))...),
		"wrong wire type":              varintField(5, 1),
		"oneof twice":                  field(5, str("a"), str("b")),
		"oneof two things":             field(5, str("a"), varintField(3, 1)),
		"string table":                 field(5, varintField(8, 1)),
		"reserved value":               field(5, field(9, nil)),
		"string table key":             field(6, varintField(3, 1)),
		"two keys":                     field(6, str("a"), str("b")),
		"equal keys":                   append(field(6, kv("a", "x")), field(6, kv("a", "y"))...),
		"equal keys in a map":          field(5, field(6, field(1, kv("a", "x")), field(1, kv("a", "y")))),
		"unknown in a map":             field(5, field(6, field(2, nil))),
		"unknown in an array":          field(5, field(5, varintField(1, 1))),
		"two ids":                      append(id, id...),
		"an id that is no string":      field(6, str(seal.IDKey), field(2, varintField(3, 1))),
		"an id without a value":        field(6, str(seal.IDKey)),
		"invalid UTF-8":                field(3, []byte("\xff")),
		"invalid UTF-8 in a key":       field(6, kv("\xff", "")),
		"invalid UTF-8 in a body":      field(5, str("\xc0\x80")),
		"a long varint":                {2 << 3, 0x81, 0x00},
		"a varint without an end":      {2 << 3, 0x81},
		"severity out of range":        varintField(2, 1<<31),
		"dropped out of range":         varintField(7, 1<<32),
		"bool out of range":            field(5, varintField(2, 2)),
		"a short trace id":             field(9, []byte{1}),
		"a long span id":               field(10, make([]byte, 9)),
		"cut short":                    {byte(1<<3 | wireI64), 1, 2},
		"a length beyond the end":      {byte(3<<3 | wireLen), 5, 'a'},
		"field number 0":               {byte(0<<3 | wireLen), 0},
		"a huge field number":          binary.AppendUvarint(nil, 1<<40|wireLen),
	} {
		var d decoder
		d.begin()
		d.decodeProto(protoWrap(record))
		require.Len(t, d.records, 3, name)
		require.Empty(t, d.records[0].Fault, name)
		require.NotEmpty(t, d.records[1].Fault, name)
		require.Empty(t, d.records[2].Fault, name)
	}
	for name, frame := range map[string][]byte{
		"unknown field":             append(protoWrap(nil), varintField(2, 1)...),
		"field 1000, deprecated":    field(1, field(1000, nil)),
		"two resources":             field(1, field(1), field(1)),
		"entity references":         field(1, field(1, field(3, nil)), field(2, field(2, nil))),
		"two scopes":                field(1, field(2, field(1), field(1), field(2, nil))),
		"two schema urls":           field(1, field(2, field(2, nil)), field(3), field(3)),
		"unknown in the scope":      field(1, field(2, field(1, field(5)), field(2, nil))),
		"equal keys in a resource":  field(1, field(1, field(1, kv("a", "")), field(1, kv("a", ""))), field(2, field(2, nil))),
		"invalid UTF-8 in a schema": field(1, field(2, field(2, nil)), field(3, []byte("\xff"))),
	} {
		var d decoder
		d.begin()
		d.decodeProto(frame)
		require.NotEmpty(t, d.records, name)
		for _, o := range d.records {
			require.NotEmpty(t, o.Fault, name)
		}
	}
}

func TestParseIDAgrees(t *testing.T) {
	var d decoder
	for _, s := range []string{
		"k3x7a2qd-0", "k3x7a2qd-1", "k3x7a2qd-999999999999999999", "k3x7a2qd-1000000000000000000", "k3x7a2qd-01", "k3x7a2qd-00", "k3x7a2qd-", "k3x7a2qd", "k3x7a2qd_1", "k3x7a2qd-1a",
		"k3x7a2qd-+1", "k3x7a2q1-1", "K3x7a2qd-1", "", "-1", "k3x7a2qd-0 ", "b3x7a2qd-5",
	} {
		for range 2 { // the second time the handle is known
			_, _ = d.parseID([]byte("k3x7a2qd-5"))
			want, wantErr := seal.ParseID(s)
			got, err := d.parseID([]byte(s))
			require.Equal(t, want, got, s)
			require.Equal(t, wantErr == nil, err == nil, s)
		}
	}
}

// FuzzJSON: whatever the strict reader takes, pdata takes too, and they see the same records.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"resourceLogs":[]}`))
	f.Add(wrap(`{"timeUnixNano":"5","severityNumber":9,"body":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"doubleValue":1e-7},{"bytesValue":"YQ=="},{"boolValue":true},{}]}}}]}},"traceId":"0102030405060708090a0b0c0d0e0f10","flags":1}`))
	f.Add(wrap(`{"attributes":[{"key":"logseal.id","value":{"stringValue":"aaaaaaaa-1"}},{"value":{"intValue":-5},"key":"\u00e9\ud834\udd1e\n"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d decoder
		d.begin()
		d.decodeJSON(data)
		for _, o := range d.records {
			if o.Fault != "" {
				return
			}
		}
		ld, err := (&plog.JSONUnmarshaler{DisallowUnknownFields: true}).UnmarshalLogs(data)
		require.NoError(t, err)
		require.True(t, utf8.Valid(data))
		compare(t, "fuzzed", canonicalOf(t, ld), d.records)
	})
}

// FuzzProto is the same for protobuf.
func FuzzProto(f *testing.F) {
	f.Add(protoWrap(field(5, field(1, []byte("a")))))
	var d decoder
	d.decodeJSON(wrap(`{}`))
	for _, json := range []string{`{"severityNumber":-1,"body":{"intValue":"-1"},"flags":1,"droppedAttributesCount":3}`, `{"attributes":[{"key":"b","value":{"doubleValue":"NaN"}},{"key":"a","value":{"kvlistValue":{"values":[]}}}]}`} {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(wrap(json))
		require.NoError(f, err)
		data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d decoder
		d.begin()
		d.decodeProto(data)
		for _, o := range d.records {
			if o.Fault != "" {
				return
			}
		}
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		require.NoError(t, err)
		compare(t, "fuzzed", canonicalOf(t, ld), d.records)
	})
}

// FuzzRead: any file is read to its end, without a crash and in bounded time.
func FuzzRead(f *testing.F) {
	line := wrap(`{"body":{"stringValue":"a"}}`)
	f.Add(append(line, '\n'))
	f.Add(framed(protoWrap(nil), line))
	f.Add(gzipped(line))
	f.Add(zstandard(line))
	f.Add(framed(zstandard(line)))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := Read(t.Context(), []string{Stdin}, Options{Stdin: bytes.NewReader(data)}, func(o *verifier.Observed) error {
			n++
			require.NotZero(t, o.Place.Line)
			require.Equal(t, o.Fault == "", o.Canonical != nil)
			return nil
		})
		if err != nil {
			require.True(t, strings.Contains(err.Error(), ErrUnrecognised.Error()), err)
		}
	})
}
