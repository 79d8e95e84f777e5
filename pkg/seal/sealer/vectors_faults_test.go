// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// faults are archives with a record, or what is around it, that cannot be read in one way only.
func (s *vectorSet) faults() {
	// The last record, one of a group of two.
	const body = `"body":{"stringValue":"line 4"}`
	for _, c := range [][4]string{
		{"null-body", "a body that is null", body, `"body":null`},
		{"null-value", "null for a string", `"stringValue":"line 4"`, `"stringValue":null`},
		{"null-resource", "a resource that is null", `"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web-17"}}]}`, `"resource":null`},
		{"escaped-member", "a member with an escape in its name", `"body"`, `"\u0062ody"`},
		{"surrogate", "half of a surrogate pair", `"line 4"`, `"line 4\ud83d"`},
		{"utf8", "invalid UTF-8", `"line 4"`, "\"line 4\xff\""},
		{"int-zeros", "an integer with a leading zero, as a string", body, `"body":{"intValue":"04"}`},
		{"int-fraction", "an integer with a fraction", body, `"body":{"intValue":4.0}`},
		{"int-exponent", "an integer with an exponent", body, `"body":{"intValue":4e0}`},
		{"int-minus-zero", "the integer -0", body, `"body":{"intValue":-0}`},
		{"int-range", "an integer beyond 64 bits", body, `"body":{"intValue":"9223372036854775808"}`},
		{"double-string", "a double as a string", body, `"body":{"doubleValue":"4.5"}`},
		{"double-range", "a double that is out of range", body, `"body":{"doubleValue":4e400}`},
		{"bytes-padding", "base64 without its padding", body, `"body":{"bytesValue":"/w"}`},
		{"bytes-bits", "base64 with unused bits that are not zero", body, `"body":{"bytesValue":"//=="}`},
		{"trace-id", "a trace id of 15 bytes", body, `"traceId":"0102030405060708090a0b0c0d0e0f"`},
		{"severity-string", "a severity number as a string", body, `"severityNumber":"17"`},
		{"bool-string", "a bool as a string", body, `"body":{"boolValue":"true"}`},
		{"string-number", "a number as a string's value", body, `"body":{"stringValue":4}`},
		{"array-bare", "an array without its object", body, `"body":{"arrayValue":[]}`},
		{"deep", "a value at depth 65", body, `"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 64) + `{}` + strings.Repeat(`]}}`, 64)},
	} {
		v := shortStream(s.t, "short")
		v.replace(v.record(4), c[2], c[3])
		s.add("malformed-"+c[0]+".jsonl", c[1], v, tampered, 5, 3, verdicts{"MALFORMED": 1, "UNRESOLVED": 1})
	}

	v := shortStream(s.t, "short")
	v.replace(v.record(4), `{"stringValue":"`+v.idAt(v.record(4))+`"}`, `{"intValue":"4"}`)
	s.add("malformed-id-int.jsonl", "an id that is no string", v, tampered, 5, 3, verdicts{"MALFORMED": 1, "MISSING": 1, "UNRESOLVED": 1})

	v = shortStream(s.t, "short")
	v.lines[v.record(4)] += ","
	s.add("malformed-after.jsonl", "something after the object: the line is no JSON, and no id is read in it", v, tampered, 5, 3, verdicts{"MALFORMED": 1, "MISSING": 1, "UNRESOLVED": 1})

	v = shortStream(s.t, "short")
	i := v.record(4)
	v.lines[i] = v.lines[i][:20]
	s.add("malformed-cut.jsonl", "a line that is cut off", v, tampered, 5, 3, verdicts{"MALFORMED": 1, "MISSING": 1, "UNRESOLVED": 1})

	v = shortStream(s.t, "short")
	s.add("truncated.jsonl", "the file ends within its last line, the close seal", v, incomplete, 5, 5, verdicts{"TRUNCATED": 1, "OPEN_END": 1})
	whole := s.files["archives/truncated.jsonl"]
	s.files["archives/truncated.jsonl"] = whole[:len(whole)-len(v.lines[len(v.lines)-1])/2]

	v = shortStream(s.t, "short")
	v.replace(v.sealLine(2), `"body"`, `"extra":1,"body"`)
	s.add("malformed-seal.jsonl", "a seal whose record has an unknown member: it is no seal, and the next hangs in the air", v, tampered, 6, 3,
		verdicts{"MALFORMED": 1, "BAD_SEAL": 1, "UNSEALED": 2, "OPEN_END": 1})

	v = shortStream(s.t, "short")
	v.lines = append(v.lines, `{"resourceLogs":[],"extra":1}`)
	s.add("malformed-empty.jsonl", "an unknown member in a line without a record: it counts once", v, tampered, 6, 5, verdicts{"MALFORMED": 1})

	// Three records in one line.
	for _, c := range [][4]string{
		{"resource", "an unknown member in the resource of three records", `"resource":{`, `"resource":{"extra":1,`},
		{"scope", "a key twice in the scope of three records", `"scope":{`, `"scope":{"attributes":[{"key":"a"},{"key":"a"}]`},
		{"scope-logs", "an unknown member beside three records", `"scope":{`, `"extra":1,"scope":{`},
		{"frame", "an unknown member in the line of three records", `{"resourceLogs"`, `{"extra":1,"resourceLogs"`},
	} {
		v := shortStream(s.t, "short")
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(v.lines[v.record(0)]))
		require.NoError(s.t, err)
		for n := 1; n < 3; n++ {
			i := v.record(n)
			more, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(v.lines[i]))
			require.NoError(s.t, err)
			more.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).CopyTo(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty())
			v.drop(i)
		}
		v.drop(v.record(0))
		v.add(ld)
		v.replace(len(v.lines)-1, c[2], c[3])
		s.add("malformed-"+c[0]+".jsonl", c[1], v, tampered, 5, 2, verdicts{"MALFORMED": 3})
	}
	s.protobufFaults()
}

// protobufFaults are the same in protobuf, of the last record: bytes that are added to it, or to its body.
func (s *vectorSet) protobufFaults() {
	var record, body, value []uint64
	record = []uint64{1, 2, 2}
	body = append(slices.Clone(record), 5)
	value = append(slices.Clone(record), 6, 2)
	for _, c := range []struct {
		name, what string
		path       []uint64 // field numbers of the message that is changed
		add        string
	}{
		{"unknown", "an unknown field", record, "\xf8\x01\x01"},
		{"repeated", "a singular field twice", record, "\x1a\x01a\x1a\x01a"},
		{"oneof", "two values in one AnyValue", body, "\x18\x01"},
		{"reference", "a reference into a string table", body, "\x40\x01"},
		{"wire-type", "a wrong wire type", record, "\x40\x01"},
		{"varint", "a varint that is not the shortest", record, "\x38\x80\x00"},
		{"tag", "a tag that is not the shortest", record, "\xb8\x00\x01"},
		{"uint32", "a uint32 that is out of range", record, "\x38\x80\x80\x80\x80\x10"},
		{"int32", "an int32 that is negative in five bytes", record, "\x10\xff\xff\xff\xff\x0f"},
		{"utf8", "invalid UTF-8", record, "\x1a\x01\xff"},
		{"bool", "a bool that is 2", record, "\x32\x07\x0a\x01b\x12\x02\x10\x02"},
		{"trace-id", "a trace id of 15 bytes", record, "\x4a\x0f123456789012345"},
		{"size", "a string that is longer than its record", record, "\x1a\x7fa"},
		{"value", "a value of an attribute twice", value[:4], "\x12\x00"},
	} {
		v := shortStream(s.t, "short")
		v.framed(func(ld plog.Logs, last bool) []byte {
			b := s.frame(ld)
			if last {
				data := rewrap(b[4:], c.path, func(b []byte) []byte { return append(slices.Clone(b), c.add...) })
				b = append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
			}
			return b
		})
		s.addFrames("malformed-"+c.name+".binpb", c.what+", in protobuf", v, tampered, 5, 3, verdicts{"MALFORMED": 1, "UNRESOLVED": 1})
	}
	for _, c := range []struct{ name, what, empty, value string }{
		{"trace-id-length", "a trace id of 15 bytes, once", "\x4a\x00", "\x4a\x0f123456789012345"},
		{"span-id-length", "a span id of 9 bytes, once", "\x52\x00", "\x52\x09123456789"},
	} {
		v := shortStream(s.t, "short")
		v.framed(func(ld plog.Logs, last bool) []byte {
			b := s.frame(ld)
			if last {
				data := rewrap(b[4:], record, func(b []byte) []byte {
					require.Equal(s.t, 1, strings.Count(string(b), c.empty))
					return []byte(strings.Replace(string(b), c.empty, "", 1) + c.value) // behind the record's id
				})
				b = append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
			}
			return b
		})
		s.addFrames("malformed-"+c.name+".binpb", c.what+", in protobuf", v, tampered, 5, 3, verdicts{"MALFORMED": 1, "UNRESOLVED": 1})
	}

	v := shortStream(s.t, "short")
	v.framed(func(ld plog.Logs, _ bool) []byte { return s.frame(ld) })
	v.lines[len(v.lines)-1] = v.lines[len(v.lines)-1][:100]
	s.addFrames("truncated.binpb", "the file ends within the last message, the close seal", v, incomplete, 5, 5, verdicts{"TRUNCATED": 1, "OPEN_END": 1})

	v = shortStream(s.t, "short")
	v.framed(func(ld plog.Logs, _ bool) []byte { return s.frame(ld) })
	v.lines[len(v.lines)-1] = v.lines[len(v.lines)-1][:2]
	s.addFrames("truncated-length.binpb", "the file ends within the length of the last message, the close seal", v, incomplete, 5, 5, verdicts{"TRUNCATED": 1, "OPEN_END": 1})

	v = newVectorStream(s.t, "defaults").begin()
	v.log(2, true, true, true)
	v.end()
	v.framed(func(ld plog.Logs, last bool) []byte {
		b := s.frame(ld)
		if last { // severity_number 0, severity_text "", event_name ""
			data := rewrap(b[4:], record, func(b []byte) []byte { return append(slices.Clone(b), "\x10\x00\x1a\x00\x62\x00"...) })
			b = append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)
		}
		return b
	})
	s.addFrames("defaults.binpb", "singular fields that hold their defaults, in protobuf", v, ok, 2, 2, verdicts{})
}

// addFrames adds an archive whose lines are frames.
func (s *vectorSet) addFrames(file, what string, v *vectorStream, outcome string, records, verified int, want verdicts) {
	s.add(file, what, v, outcome, records, verified, want)
	s.files["archives/"+file] = []byte(strings.Join(v.lines, ""))
}

// framed makes a frame of each line. It says which holds the last record.
func (v *vectorStream) framed(frame func(ld plog.Logs, last bool) []byte) {
	last := v.record(v.serial - 1)
	for i, line := range v.lines {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(v.t, err)
		v.lines[i] = string(frame(ld, i == last))
	}
}

// rewrap edits the message within messages that the first fields of these numbers lead to.
func rewrap(b []byte, path []uint64, edit func([]byte) []byte) []byte {
	if len(path) == 0 {
		return edit(b)
	}
	for at := 0; at < len(b); {
		tag, n := binary.Uvarint(b[at:])
		start := at + n
		switch tag & 7 {
		case 0:
			_, n = binary.Uvarint(b[start:])
			at = start + n
			continue
		case 1:
			at = start + 8
			continue
		case 5:
			at = start + 4
			continue
		}
		size, n := binary.Uvarint(b[start:])
		inner := b[start+n : start+n+int(size)]
		at = start + n + int(size)
		if tag>>3 == path[0] {
			inner = rewrap(inner, path[1:], edit)
			out := binary.AppendUvarint(slices.Clone(b[:start]), uint64(len(inner)))
			return append(append(out, inner...), b[at:]...)
		}
	}
	panic("no such field")
}
