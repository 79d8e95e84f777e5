// SPDX-License-Identifier: Apache-2.0

// Package original writes a record's original: the record as OTLP JSON on one line, alone, with its resource and its scope.
//
// It is what travels, as text, to a SIEM that knows no OTLP, and what stands beside a record in a store that rewrites it. A line that comes
// back from there is a line of an archive: package archive reads it, and the record in it has the digest that it had. The form is the
// one that the collector's file exporter writes of a request with a single record, byte for byte, with two exceptions of records that have
// no digest: each byte that is not UTF-8 is U+FFFD, since no reader of JSON would take it, and references of entities are left out,
// as package canonical does.
package original

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// form is how the pieces of an original are written: as they are, or quoted once more.
type form struct {
	quote   string
	escapes *escapes

	resource, scope, records, endRecords, endScope, end                                      string
	name, version, schemaURL, attributes, dropped                                            string
	time, observed, severityNumber, severityText, body, flags, traceID, spanID, eventName    string
	key, value, valueOfKey, text, boolean, integer, double, bytes, array, list, values, none string
}

func newForm(write func(string) string, e *escapes) *form {
	return &form{
		quote: write(`"`), escapes: e,

		resource: write(`{"resourceLogs":[{"resource":`), scope: write(`,"scopeLogs":[{"scope":`), records: write(`,"logRecords":[`),
		endRecords: `]`, endScope: `}]`, end: `}]}`,

		name: write(`,"name":"`), version: write(`,"version":"`), schemaURL: write(`,"schemaUrl":"`),
		attributes: write(`,"attributes":`), dropped: write(`,"droppedAttributesCount":`),

		time: write(`,"timeUnixNano":"`), observed: write(`,"observedTimeUnixNano":"`), severityNumber: write(`,"severityNumber":`),
		severityText: write(`,"severityText":"`), body: write(`,"body":`), flags: write(`,"flags":`), traceID: write(`,"traceId":"`),
		spanID: write(`,"spanId":"`), eventName: write(`,"eventName":"`),

		key: write(`{"key":"`), value: write(`{"value":`), valueOfKey: write(`","value":`),
		text: write(`{"stringValue":"`), boolean: write(`{"boolValue":`), integer: write(`{"intValue":"`), double: write(`{"doubleValue":`),
		bytes: write(`{"bytesValue":"`), array: write(`{"arrayValue":{`), list: write(`{"kvlistValue":{`), values: write(`"values":`), none: `{}`,
	}
}

var (
	plainForm  = newForm(strings.Clone, &plainEscapes)
	quotedForm = newForm(quoteOnce, &quotedEscapes)
)

func (r *Reader) form() *form {
	if r.Quoted {
		return quotedForm
	}
	return plainForm
}

// setSource writes what stands around the records of a scope.
func (r *Reader) setSource(resource, scope described, resourceURL, scopeURL []byte) (ok bool) {
	w := writer{form: r.form(), dst: r.head[:0], ok: true}
	w.raw(w.resource)
	w.described(&resource)
	w.raw(w.scope)
	w.described(&scope)
	w.raw(w.records)
	r.head, w.dst = w.dst, r.tail[:0]
	w.raw(w.endRecords)
	w.member(w.schemaURL, scopeURL)
	w.raw(w.endScope)
	w.member(w.schemaURL, resourceURL)
	w.raw(w.end)
	r.tail = w.dst
	return w.ok
}

// AppendOriginal appends the original of the record, without a line feed. It holds none: every control character of a text is escaped.
func (r *Record) AppendOriginal(dst []byte) []byte {
	w := writer{form: r.reader.form(), dst: append(dst, r.reader.head...), ok: true}
	w.record(r)
	r.bad = r.bad || !w.ok
	return append(w.dst, r.reader.tail...)
}

// writer appends to dst.
type writer struct {
	*form
	dst []byte
	ok  bool // every value was of pdata's form
}

func (w *writer) raw(s string) { w.dst = append(w.dst, s...) }

// open begins an object, and close ends it. Every member of it begins with a comma, in the place of the first of which comes the brace.
func (w *writer) open() (start int) { return len(w.dst) }

func (w *writer) close(start int) {
	if len(w.dst) == start {
		w.raw(w.none)
		return
	}
	w.dst[start] = '{'
	w.dst = append(w.dst, '}')
}

// member appends a text, where there is one, behind what stands before it.
func (w *writer) member(before string, text []byte) {
	if len(text) > 0 {
		w.text(before, text)
	}
}

func (w *writer) text(before string, text []byte) {
	w.dst = appendText(append(w.dst, before...), text, w.escapes)
	w.raw(w.quote)
}

func (w *writer) number(before string, n uint64) {
	if n != 0 {
		w.dst = strconv.AppendUint(append(w.dst, before...), n, 10)
	}
}

// number64 appends a number of 64 bits: a string, in protobuf's JSON.
func (w *writer) number64(before string, n uint64) {
	if n != 0 {
		w.number(before, n)
		w.raw(w.quote)
	}
}

func (w *writer) id(before string, id []byte) {
	for _, c := range id {
		if c != 0 {
			w.dst = hex.AppendEncode(append(w.dst, before...), id)
			w.raw(w.quote)
			return
		}
	}
}

// described writes a resource or a scope.
func (w *writer) described(d *described) {
	start := w.open()
	w.member(w.name, d.name)
	w.member(w.version, d.version)
	w.attributes(d.attributes, d.dropped)
	w.close(start)
}

func (w *writer) record(r *Record) {
	start := w.open()
	w.number64(w.time, r.Timestamp)
	w.number64(w.observed, r.ObservedTimestamp)
	if n := r.SeverityNumber; n != 0 {
		w.dst = strconv.AppendInt(append(w.dst, w.severityNumber...), int64(n), 10)
	}
	w.member(w.severityText, r.SeverityText)
	w.raw(w.body)
	w.value(r.Body)
	w.attributes(r.Attributes, r.dropped)
	w.number(w.flags, uint64(r.flags))
	w.id(w.traceID, r.traceID)
	w.id(w.spanID, r.spanID)
	w.member(w.eventName, r.EventName)
	w.close(start)
}

// attributes writes the two members that resources, scopes and records share.
func (w *writer) attributes(attributes Attributes, dropped uint32) {
	if len(attributes) > 0 {
		w.raw(w.form.attributes)
		separator := byte('[')
		for i := range attributes {
			w.dst = append(w.dst, separator)
			w.pair(attributes[i].Key, attributes[i].Value)
			separator = ','
		}
		w.dst = append(w.dst, ']')
	}
	w.number(w.dropped, uint64(dropped))
}

func (w *writer) pair(key []byte, value Value) {
	if len(key) > 0 {
		w.dst = appendText(append(w.dst, w.key...), key, w.escapes)
		w.raw(w.valueOfKey)
	} else {
		w.raw(w.form.value)
	}
	w.value(value)
	w.dst = append(w.dst, '}')
}

// value writes an AnyValue, which has one field, or none.
func (w *writer) value(value Value) {
	if len(value) == 0 {
		w.raw(w.none)
		return
	}
	f := fields{rest: value}
	if !f.next() || len(f.rest) > 0 {
		w.ok = false
		return
	}
	kind := protowire.BytesType
	switch f.number {
	case valueString:
		w.text(w.form.text, f.value)
	case valueBool:
		kind = protowire.VarintType
		w.dst = strconv.AppendBool(append(w.dst, w.boolean...), f.n != 0)
	case valueInt:
		kind = protowire.VarintType
		w.dst = strconv.AppendInt(append(w.dst, w.integer...), int64(f.n), 10)
		w.raw(w.quote)
	case valueDouble:
		kind = protowire.Fixed64Type
		w.dst = appendDouble(append(w.dst, w.double...), math.Float64frombits(f.n), w.quote)
	case valueArray, valueMap:
		if f.number == valueArray {
			w.raw(w.array)
		} else {
			w.raw(w.list)
		}
		if f.kind == kind {
			w.elements(f.value, f.number == valueMap)
		}
		w.dst = append(w.dst, '}')
	case valueBytes:
		w.dst = base64.StdEncoding.AppendEncode(append(w.dst, w.bytes...), f.value)
		w.raw(w.quote)
	default: // a value of another signal's, which has no place here
		w.dst = append(w.dst, '{')
		kind = f.kind
	}
	w.dst = append(w.dst, '}')
	w.ok = w.ok && f.kind == kind
}

// elements writes the values of an array, or the pairs of a map.
func (w *writer) elements(message []byte, pairs bool) {
	f := fields{rest: message}
	first := true
	for f.next() {
		if f.number != listValues {
			continue
		}
		if f.kind != protowire.BytesType {
			w.ok = false
			return
		}
		if first {
			w.raw(w.values)
			w.dst = append(w.dst, '[')
			first = false
		} else {
			w.dst = append(w.dst, ',')
		}
		if !pairs {
			w.value(f.value)
			continue
		}
		key, value, ok := readPair(f.value)
		w.ok = w.ok && ok
		w.pair(key, value)
	}
	if !first {
		w.dst = append(w.dst, ']')
	}
	w.ok = w.ok && !f.bad
}

// appendDouble appends the shortest number that reads as the same double, and the names that protobuf's JSON has for what is none.
func appendDouble(dst []byte, f float64, quote string) []byte {
	name := ""
	switch {
	case math.IsNaN(f):
		name = "NaN"
	case math.IsInf(f, 1):
		name = "Infinity"
	case math.IsInf(f, -1):
		name = "-Infinity"
	default:
		format := byte('f')
		if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e'
		}
		return strconv.AppendFloat(dst, f, format, -1, 64)
	}
	return append(append(append(dst, quote...), name...), quote...)
}
