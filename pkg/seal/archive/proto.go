// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// wire reads the fields of one protobuf message strictly: known field numbers with their own wire type only, each singular
// field at most once, varints in their shortest form. The first fault ends the message, and only the message: its
// parent knows where it ends.
type wire struct {
	data  []byte
	seen  uint32
	fault finding.Reason
}

const (
	wireVarint = 0
	wireI64    = 1
	wireLen    = 2
	wireI32    = 5
)

// field reads a field's tag, and returns false at the end of the message and after a fault.
func (w *wire) field() (tag uint64, more bool) {
	if len(w.data) == 0 || w.fault != "" {
		return 0, false
	}
	tag = w.varint()
	return tag, w.fault == ""
}

func (w *wire) blame(fault finding.Reason) {
	if w.fault == "" {
		w.fault = fault
	}
	w.data = nil
}

// once notes a singular field, number at most 31, and blames its second appearance.
func (w *wire) once(tag uint64) {
	bit := uint32(1) << (tag >> 3)
	if w.seen&bit != 0 {
		w.blame(finding.FieldRepeated)
	}
	w.seen |= bit
}

func (w *wire) varint() uint64 {
	v, n := binary.Uvarint(w.data)
	if n <= 0 || n > 1 && w.data[n-1] == 0 {
		w.blame(finding.BrokenProtobuf)
		return 0
	}
	w.data = w.data[n:]
	return v
}

func (w *wire) uint32() uint32 {
	v := w.varint()
	if v > math.MaxUint32 {
		w.blame(finding.NumberOutOfRange)
	}
	return uint32(v)
}

func (w *wire) int32() int32 {
	v := int64(w.varint())
	if v != int64(int32(v)) {
		w.blame(finding.NumberOutOfRange)
	}
	return int32(v)
}

func (w *wire) i64() uint64 {
	if len(w.data) < 8 {
		w.blame(finding.BrokenProtobuf)
		return 0
	}
	v := binary.LittleEndian.Uint64(w.data)
	w.data = w.data[8:]
	return v
}

func (w *wire) i32() uint32 {
	if len(w.data) < 4 {
		w.blame(finding.BrokenProtobuf)
		return 0
	}
	v := binary.LittleEndian.Uint32(w.data)
	w.data = w.data[4:]
	return v
}

func (w *wire) bytes() []byte {
	n := w.varint()
	if n > uint64(len(w.data)) {
		w.blame(finding.BrokenProtobuf)
		return nil
	}
	v := w.data[:n]
	w.data = w.data[n:]
	return v
}

func (w *wire) text() []byte {
	v := w.bytes()
	if !utf8.Valid(v) {
		w.blame(finding.InvalidUTF8)
	}
	return v
}

func (w *wire) id(dst []byte) {
	v := w.bytes()
	if len(v) != 0 && len(v) != len(dst) {
		w.blame(finding.BadTraceID)
		return
	}
	copy(dst, v)
}

func (w *wire) unknown() { w.blame(finding.FieldUnknown) }

// decodeProto reads one ExportLogsServiceRequest.
func (d *decoder) decodeProto(data []byte) {
	d.beginFrame()
	w := wire{data: data}
	for tag, more := w.field(); more; tag, more = w.field() {
		if tag == 1<<3|wireLen { // resource_logs
			d.protoResourceLogs(w.bytes())
		} else {
			w.unknown()
		}
	}
	d.endFrame(w.fault)
}

func (d *decoder) protoResourceLogs(data []byte) {
	first := len(d.records)
	d.beginResource()
	w := wire{data: data}
	for tag, more := w.field(); more; tag, more = w.field() {
		switch tag {
		case 1<<3 | wireLen: // resource
			w.once(tag)
			w.inherit(d.protoResource(w.bytes()))
		case 2<<3 | wireLen: // scope_logs
			d.protoScopeLogs(w.bytes())
		case 3<<3 | wireLen: // schema_url
			w.once(tag)
			d.resource.schemaURL = append(d.resource.schemaURL[:0], w.text()...)
		default:
			w.unknown()
		}
	}
	d.endResource(first, w.fault)
}

// inherit takes on the fault of a message within this one. What follows it can still be read.
func (w *wire) inherit(fault finding.Reason) {
	if w.fault == "" {
		w.fault = fault
	}
}

func (d *decoder) protoResource(data []byte) finding.Reason {
	w := wire{data: data}
	dst, m := d.beginMap(d.resource.attributes[:0], false)
	for tag, more := w.field(); more; tag, more = w.field() {
		switch tag {
		case 1<<3 | wireLen: // attributes
			dst = d.protoPair(dst, m, w.bytes(), 1)
		case 2<<3 | wireVarint: // dropped_attributes_count
			w.once(tag)
			d.resource.dropped = w.uint32()
		default:
			w.unknown()
		}
	}
	d.resource.attributes = d.endMap(dst, m)
	w.inherit(d.takeFault())
	return w.fault
}

func (d *decoder) protoScopeLogs(data []byte) {
	first := len(d.records)
	d.beginScope()
	w := wire{data: data}
	for tag, more := w.field(); more; tag, more = w.field() {
		switch tag {
		case 1<<3 | wireLen: // scope
			w.once(tag)
			w.inherit(d.protoScope(w.bytes()))
		case 2<<3 | wireLen: // log_records
			d.protoRecord(w.bytes())
		case 3<<3 | wireLen: // schema_url
			w.once(tag)
			d.scope.schemaURL = append(d.scope.schemaURL[:0], w.text()...)
		default:
			w.unknown()
		}
	}
	d.endScope(first, w.fault)
}

func (d *decoder) protoScope(data []byte) finding.Reason {
	w := wire{data: data}
	s := &d.scope
	dst, m := d.beginMap(s.attributes[:0], false)
	for tag, more := w.field(); more; tag, more = w.field() {
		switch tag {
		case 1<<3 | wireLen: // name
			w.once(tag)
			s.name = append(s.name[:0], w.text()...)
		case 2<<3 | wireLen: // version
			w.once(tag)
			s.version = append(s.version[:0], w.text()...)
		case 3<<3 | wireLen: // attributes
			dst = d.protoPair(dst, m, w.bytes(), 1)
		case 4<<3 | wireVarint: // dropped_attributes_count
			w.once(tag)
			s.dropped = w.uint32()
		default:
			w.unknown()
		}
	}
	s.attributes = d.endMap(dst, m)
	w.inherit(d.takeFault())
	return w.fault
}

func (d *decoder) protoRecord(data []byte) {
	d.beginRecord()
	r := &d.rec
	w := wire{data: data}
	dst, m := d.beginMap(r.attributes[:0], true)
	for tag, more := w.field(); more; tag, more = w.field() {
		if tag != 6<<3|wireLen {
			w.once(tag & 0xff)
		}
		switch tag {
		case 1<<3 | wireI64: // time_unix_nano
			r.time = w.i64()
		case 2<<3 | wireVarint: // severity_number
			r.severity = w.int32()
		case 3<<3 | wireLen: // severity_text
			r.severityText = append(r.severityText[:0], w.text()...)
		case 5<<3 | wireLen: // body
			r.body = d.protoValue(r.body[:0], w.bytes(), 1)
		case 6<<3 | wireLen: // attributes
			dst = d.protoPair(dst, m, w.bytes(), 1)
		case 7<<3 | wireVarint: // dropped_attributes_count
			r.dropped = w.uint32()
		case 8<<3 | wireI32: // flags
			r.flags = w.i32()
		case 9<<3 | wireLen: // trace_id
			w.id(r.traceID[:])
		case 10<<3 | wireLen: // span_id
			w.id(r.spanID[:])
		case 11<<3 | wireI64: // observed_time_unix_nano
			r.observed = w.i64()
		case 12<<3 | wireLen: // event_name
			r.eventName = append(r.eventName[:0], w.text()...)
		default:
			w.unknown()
		}
	}
	r.attributes = d.endMap(dst, m)
	d.blame(w.fault)
	d.endRecord(d.takeFault())
}

func (d *decoder) protoPair(dst []byte, m mapMark, data []byte, depth int) []byte {
	w := wire{data: data}
	p := pairParts{start: len(dst)}
	for tag, more := w.field(); more; tag, more = w.field() {
		w.once(tag & 0xff)
		switch tag {
		case 1<<3 | wireLen: // key
			p.key = len(dst)
			dst = appendBytes(dst, w.text())
			p.keyEnd = len(dst)
		case 2<<3 | wireLen: // value
			p.value = len(dst)
			dst = d.protoValue(dst, w.bytes(), depth)
			p.valueEnd = len(dst)
		default:
			w.unknown()
		}
	}
	d.blame(w.fault)
	return d.endPair(dst, m, p)
}

// protoValue reads an AnyValue and appends its canonical encoding to dst. Faults go to d.fault.
func (d *decoder) protoValue(dst []byte, data []byte, depth int) []byte {
	if depth > canonical.MaxDepth {
		d.blame(finding.TooDeep)
		return append(dst, typeEmpty)
	}
	if len(data) == 0 {
		return append(dst, typeEmpty)
	}
	w := wire{data: data}
	tag, _ := w.field()
	switch tag {
	case 1<<3 | wireLen: // string_value
		dst = appendBytes(append(dst, typeString), w.text())
	case 2<<3 | wireVarint: // bool_value
		v := w.varint()
		if v > 1 {
			w.blame(finding.NumberOutOfRange)
		}
		dst = appendBool(dst, v == 1)
	case 3<<3 | wireVarint: // int_value
		dst = binary.BigEndian.AppendUint64(append(dst, typeInt), w.varint())
	case 4<<3 | wireI64: // double_value
		dst = appendDouble(dst, math.Float64frombits(w.i64()))
	case 5<<3 | wireLen: // array_value
		dst = d.protoArray(dst, w.bytes(), depth)
	case 6<<3 | wireLen: // kvlist_value
		dst = d.protoMap(dst, w.bytes(), depth)
	case 7<<3 | wireLen: // bytes_value
		dst = appendBytes(append(dst, typeBytes), w.bytes())
	default:
		w.unknown()
	}
	if len(w.data) != 0 {
		w.blame(finding.ValueTwice)
	}
	d.blame(w.fault)
	return dst
}

func (d *decoder) protoArray(dst []byte, data []byte, depth int) []byte {
	at := len(dst)
	dst = append(dst, typeArray, 0, 0, 0, 0)
	var count uint32
	w := wire{data: data}
	for tag, more := w.field(); more; tag, more = w.field() {
		if tag == 1<<3|wireLen { // values
			dst = d.protoValue(dst, w.bytes(), depth+1)
			count++
		} else {
			w.unknown()
		}
	}
	d.blame(w.fault)
	binary.BigEndian.PutUint32(dst[at+1:], count)
	return dst
}

func (d *decoder) protoMap(dst []byte, data []byte, depth int) []byte {
	dst, m := d.beginMap(append(dst, typeMap), false)
	w := wire{data: data}
	for tag, more := w.field(); more; tag, more = w.field() {
		if tag == 1<<3|wireLen { // values
			dst = d.protoPair(dst, m, w.bytes(), depth+1)
		} else {
			w.unknown()
		}
	}
	d.blame(w.fault)
	return d.endMap(dst, m)
}
