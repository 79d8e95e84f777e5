// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

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
	wireVarint = uint64(protowire.VarintType)
	wireI64    = uint64(protowire.Fixed64Type)
	wireLen    = uint64(protowire.BytesType)
	wireI32    = uint64(protowire.Fixed32Type)
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
	if len(w.data) > 0 && w.data[0] < 0x80 { // most tags and lengths are one byte
		v := w.data[0]
		w.data = w.data[1:]
		return uint64(v)
	}
	return w.longVarint()
}

func (w *wire) longVarint() uint64 {
	v, n := protowire.ConsumeVarint(w.data)
	if n < 0 || n != protowire.SizeVarint(v) {
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
	v, n := protowire.ConsumeFixed64(w.data)
	w.consumed(n)
	return v
}

func (w *wire) i32() uint32 {
	v, n := protowire.ConsumeFixed32(w.data)
	w.consumed(n)
	return v
}

// consumed steps over n bytes; below 0 it is the error of what should have been read.
func (w *wire) consumed(n int) {
	if n < 0 {
		w.blame(finding.BrokenProtobuf)
		return
	}
	w.data = w.data[n:]
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

// decodeProto reads one ExportLogsServiceRequest. Section 3.1, third item.
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
			d.resource.SchemaURL = append(d.resource.SchemaURL[:0], w.text()...)
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
	dst, m := d.maps.Begin(d.resource.Attributes[:0])
	for tag, more := w.field(); more; tag, more = w.field() {
		switch tag {
		case 1<<3 | wireLen: // attributes
			dst = d.protoPair(dst, w.bytes(), 1, false)
		case 2<<3 | wireVarint: // dropped_attributes_count
			w.once(tag)
			d.resource.DroppedAttributes = w.uint32()
		default:
			w.unknown()
		}
	}
	d.resource.Attributes = d.endMap(dst, m)
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
			d.scope.SchemaURL = append(d.scope.SchemaURL[:0], w.text()...)
		default:
			w.unknown()
		}
	}
	d.endScope(first, w.fault)
}

func (d *decoder) protoScope(data []byte) finding.Reason {
	w := wire{data: data}
	s := &d.scope
	dst, m := d.maps.Begin(s.Attributes[:0])
	for tag, more := w.field(); more; tag, more = w.field() {
		switch tag {
		case 1<<3 | wireLen: // name
			w.once(tag)
			s.Name = append(s.Name[:0], w.text()...)
		case 2<<3 | wireLen: // version
			w.once(tag)
			s.Version = append(s.Version[:0], w.text()...)
		case 3<<3 | wireLen: // attributes
			dst = d.protoPair(dst, w.bytes(), 1, false)
		case 4<<3 | wireVarint: // dropped_attributes_count
			w.once(tag)
			s.DroppedAttributes = w.uint32()
		default:
			w.unknown()
		}
	}
	s.Attributes = d.endMap(dst, m)
	w.inherit(d.takeFault())
	return w.fault
}

func (d *decoder) protoRecord(data []byte) {
	d.beginRecord()
	r := &d.rec
	w := wire{data: data}
	dst, m := d.maps.Begin(r.Attributes[:0])
	for tag, more := w.field(); more; tag, more = w.field() {
		if tag != 6<<3|wireLen {
			w.once(tag & 0xff)
		}
		switch tag {
		case 1<<3 | wireI64: // time_unix_nano
			r.Time = w.i64()
		case 2<<3 | wireVarint: // severity_number
			r.SeverityNumber = w.int32()
		case 3<<3 | wireLen: // severity_text
			r.SeverityText = append(r.SeverityText[:0], w.text()...)
		case 5<<3 | wireLen: // body
			r.Body = d.protoValue(r.Body[:0], w.bytes(), 1)
		case 6<<3 | wireLen: // attributes
			dst = d.protoPair(dst, w.bytes(), 1, true)
		case 7<<3 | wireVarint: // dropped_attributes_count
			r.DroppedAttributes = w.uint32()
		case 8<<3 | wireI32: // flags
			r.Flags = w.i32()
		case 9<<3 | wireLen: // trace_id
			w.id(r.TraceID[:])
		case 10<<3 | wireLen: // span_id
			w.id(r.SpanID[:])
		case 11<<3 | wireI64: // observed_time_unix_nano
			r.ObservedTime = w.i64()
		case 12<<3 | wireLen: // event_name
			r.EventName = append(r.EventName[:0], w.text()...)
		default:
			w.unknown()
		}
	}
	r.Attributes = d.endMap(dst, m)
	d.blame(w.fault)
	d.endRecord(d.takeFault())
}

// protoPair reads a KeyValue. top says that it is a record's own attribute; depth is that of its value.
func (d *decoder) protoPair(dst, data []byte, depth int, top bool) []byte {
	w := wire{data: data}
	p := canonical.BeginPair(dst)
	for tag, more := w.field(); more; tag, more = w.field() {
		w.once(tag & 0xff)
		switch tag {
		case 1<<3 | wireLen: // key
			dst = append(p.BeginKey(dst), w.text()...)
			p.EndKey(dst)
		case 2<<3 | wireLen: // value
			p.BeginValue(dst)
			dst = d.protoValue(dst, w.bytes(), depth)
			p.EndValue(dst)
		default:
			w.unknown()
		}
	}
	d.blame(w.fault)
	return d.endPair(dst, p, top)
}

// protoValue reads an AnyValue and appends its canonical encoding to dst. Faults go to d.fault.
func (d *decoder) protoValue(dst []byte, data []byte, depth int) []byte {
	if depth > canonical.MaxDepth {
		d.blame(finding.TooDeep)
		return canonical.AppendEmpty(dst)
	}
	if len(data) == 0 {
		return canonical.AppendEmpty(dst)
	}
	w := wire{data: data}
	tag, _ := w.field()
	switch tag {
	case 1<<3 | wireLen: // string_value
		dst = canonical.AppendString(dst, w.text())
	case 2<<3 | wireVarint: // bool_value
		v := w.varint()
		if v > 1 {
			w.blame(finding.NumberOutOfRange)
		}
		dst = canonical.AppendBool(dst, v == 1)
	case 3<<3 | wireVarint: // int_value
		dst = canonical.AppendInt(dst, int64(w.varint()))
	case 4<<3 | wireI64: // double_value
		dst = canonical.AppendDouble(dst, math.Float64frombits(w.i64()))
	case 5<<3 | wireLen: // array_value
		dst = d.protoArray(dst, w.bytes(), depth)
	case 6<<3 | wireLen: // kvlist_value
		dst = d.protoMap(dst, w.bytes(), depth)
	case 7<<3 | wireLen: // bytes_value
		dst = canonical.AppendBytes(dst, w.bytes())
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
	dst, mark := canonical.BeginArray(dst)
	count := 0
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
	mark.EndCount(dst, count)
	return dst
}

func (d *decoder) protoMap(dst []byte, data []byte, depth int) []byte {
	dst, m := d.maps.Begin(canonical.AppendMapType(dst))
	w := wire{data: data}
	for tag, more := w.field(); more; tag, more = w.field() {
		if tag == 1<<3|wireLen { // values
			dst = d.protoPair(dst, w.bytes(), depth+1, false)
		} else {
			w.unknown()
		}
	}
	d.blame(w.fault)
	return d.endMap(dst, m)
}
