// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
)

// AppendOTLP appends the record as an original with the given id (docs/stamp-format.md, section 3): OTLP JSON on one line, of which a strict reader makes the
// same record again. Attributes come in the order of their names.
func (r *Record) AppendOTLP(dst []byte, id string) []byte {
	w := otlpWriter{b: dst}
	source := r.Source.Encoding[len(sourceTag):]
	w.raw(`{"resourceLogs":[{"resource":{`)
	source = w.described(source, nil)
	resourceURL, source := takeText(source)
	w.raw(`},"scopeLogs":[{"scope":{`)
	name, source := takeText(source)
	version, source := takeText(source)
	w.text("name", name)
	w.text("version", version)
	source = w.described(source, nil)
	scopeURL, _ := takeText(source)
	w.raw(`},"logRecords":[{`)
	w.record(r, id)
	w.raw(`}]`)
	w.text("schemaUrl", scopeURL)
	w.raw(`}]`)
	w.text("schemaUrl", resourceURL)
	w.raw(`}]}`)
	return w.b
}

// takeText reads a length and what has it.
func takeText(b []byte) (text, rest []byte) {
	end := lengthSize + length(b)
	return b[lengthSize:end], b[end:]
}

// otlpWriter writes OTLP JSON. Members of default value are left out.
type otlpWriter struct{ b []byte }

func (w *otlpWriter) raw(s string) { w.b = append(w.b, s...) }

// member writes a member's name.
func (w *otlpWriter) member(name string) {
	if c := w.b[len(w.b)-1]; c != '{' {
		w.b = append(w.b, ',')
	}
	w.raw(`"` + name + `":`)
}

func (w *otlpWriter) text(name string, text []byte) {
	if len(text) > 0 {
		w.member(name)
		w.string(text)
	}
}

// string writes a string. This is not for speed: package original is, which writes pdata.
func (w *otlpWriter) string(text []byte) {
	quoted, err := json.Marshal(string(text))
	if err != nil {
		panic("canonical: " + err.Error()) // no string does that
	}
	w.b = append(w.b, quoted...)
}

func (w *otlpWriter) number(name string, n uint64, quote string) {
	if n != 0 {
		w.member(name)
		w.raw(quote + strconv.FormatUint(n, 10) + quote)
	}
}

func (w *otlpWriter) hex(name string, id []byte) {
	for _, c := range id {
		if c != 0 {
			w.member(name)
			w.raw(`"` + hex.EncodeToString(id) + `"`)
			return
		}
	}
}

func (w *otlpWriter) record(r *Record, id string) {
	b := r.Canonical
	w.number("timeUnixNano", binary.BigEndian.Uint64(b[timeAt:]), `"`)
	w.number("observedTimeUnixNano", binary.BigEndian.Uint64(b[observedAt:]), `"`)
	if n := int32(binary.BigEndian.Uint32(b[severityAt:])); n != 0 {
		w.member("severityNumber")
		w.b = strconv.AppendInt(w.b, int64(n), 10)
	}
	severity, rest := takeText(b[textsAt:])
	event, rest := takeText(rest)
	w.text("severityText", severity)
	w.member("body")
	w.value(rest[idsSize:])
	w.pairs("attributes", b[r.Attributes:], []byte(`{"key":"logseal.id","value":{"stringValue":"`+id+`"`))
	w.number("droppedAttributesCount", uint64(binary.BigEndian.Uint32(rest[16+8+4:])), "")
	w.number("flags", uint64(binary.BigEndian.Uint32(rest[16+8:])), "")
	w.hex("traceId", rest[:16])
	w.hex("spanId", rest[16:16+8])
	w.text("eventName", event)
}

// described writes the attributes and their dropped count, and returns what follows these.
func (w *otlpWriter) described(b, last []byte) []byte {
	rest := w.pairs("attributes", b, last)
	w.number("droppedAttributesCount", uint64(binary.BigEndian.Uint32(rest)), "")
	return rest[lengthSize:]
}

// pairs writes the member that a map is, and last behind its pairs, if there is any: the beginning of a pair. It returns what follows them.
func (w *otlpWriter) pairs(member string, b, last []byte) []byte {
	n := length(b)
	b = b[lengthSize:]
	if n == 0 && last == nil {
		return b
	}
	w.member(member)
	w.raw("[")
	for i := range n {
		if i > 0 {
			w.raw(",")
		}
		key, value := keyOf(b)
		w.raw("{")
		w.text("key", key)
		w.member("value")
		w.value(b[value:])
		w.raw("}")
		b = b[value+valueSize(b[value:]):]
	}
	if last != nil {
		if n > 0 {
			w.raw(",")
		}
		w.b = append(append(w.b, last...), "}}"...)
	}
	w.raw("]")
	return b
}

// value writes the value that b begins with.
func (w *otlpWriter) value(b []byte) {
	payload := b[typeSize:]
	w.raw("{")
	switch b[0] {
	case typeString:
		text, _ := takeText(payload)
		w.member("stringValue")
		w.string(text)
	case typeBytes:
		data, _ := takeText(payload)
		w.member("bytesValue")
		w.raw(`"` + base64.StdEncoding.EncodeToString(data) + `"`)
	case typeBool:
		w.member("boolValue")
		w.b = strconv.AppendBool(w.b, payload[0] != 0)
	case typeInt:
		w.member("intValue")
		w.raw(`"` + strconv.FormatInt(int64(binary.BigEndian.Uint64(payload)), 10) + `"`)
	case typeDouble:
		w.member("doubleValue")
		w.double(math.Float64frombits(binary.BigEndian.Uint64(payload)))
	case typeMap:
		w.raw(`"kvlistValue":{`)
		w.pairs("values", payload, nil)
		w.raw("}")
	case typeArray:
		w.raw(`"arrayValue":{"values":[`)
		elements := payload[lengthSize:]
		for i := range length(payload) {
			if i > 0 {
				w.raw(",")
			}
			w.value(elements)
			elements = elements[valueSize(elements):]
		}
		w.raw("]}")
	}
	w.raw("}")
}

func (w *otlpWriter) double(f float64) {
	switch {
	case math.IsNaN(f):
		w.raw(`"NaN"`)
	case math.IsInf(f, 1):
		w.raw(`"Infinity"`)
	case math.IsInf(f, -1):
		w.raw(`"-Infinity"`)
	default:
		w.b = strconv.AppendFloat(w.b, f, 'g', -1, 64)
	}
}
