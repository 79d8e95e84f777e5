// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/logseal/logseal/pkg/seal"
)

// decodeJSON reads one OTLP/JSON object, {"resourceLogs": […]}, from data.
func (d *decoder) decodeJSON(data []byte) {
	d.beginFrame()
	s := &d.json
	*s = jsonScanner{data: data}
	if s.next() != '{' {
		d.broken("not a JSON object")
		return
	}
	s.pos++
	var seen uint32
	for first := true; ; first = false {
		name, more := s.member(first)
		if !more {
			break
		}
		switch {
		case string(name) != "resourceLogs":
			s.unknown()
		case s.once(&seen, 1) && s.open('['):
			frame := d.takeFault()
			for first := true; s.element(first); first = false {
				d.jsonResourceLogs()
			}
			s.blame(frame)
		}
	}
	if s.fatal == "" && s.next() != 0 {
		s.die("data after the JSON object")
	}
	if s.fatal == "" && s.pos < len(s.data) {
		s.die("a NUL byte after the JSON object")
	}
	if s.fatal != "" {
		d.broken(s.fatal)
		return
	}
	d.endFrame(d.takeFault())
}

func (d *decoder) jsonResourceLogs() {
	s := &d.json
	first := len(d.records)
	d.beginResource()
	if s.open('{') {
		var seen uint32
		for first := true; ; first = false {
			name, more := s.member(first)
			if !more {
				break
			}
			switch string(name) {
			case "resource":
				if s.once(&seen, 1) && s.open('{') {
					d.jsonResource()
				}
			case "scopeLogs":
				if s.once(&seen, 2) && s.open('[') {
					outer := d.takeFault()
					for first := true; s.element(first); first = false {
						d.jsonScopeLogs()
					}
					s.blame(outer)
				}
			case "schemaUrl":
				if s.once(&seen, 4) {
					d.resource.schemaURL = s.text(d.resource.schemaURL[:0])
				}
			default:
				s.unknown()
			}
		}
	}
	d.endResource(first, d.takeFault())
}

func (d *decoder) jsonResource() {
	s := &d.json
	var seen uint32
	for first := true; ; first = false {
		name, more := s.member(first)
		if !more {
			return
		}
		switch string(name) {
		case "attributes":
			if s.once(&seen, 1) {
				d.resource.attributes = d.jsonAttributes(d.resource.attributes[:0], false)
			}
		case "droppedAttributesCount":
			if s.once(&seen, 2) {
				d.resource.dropped = s.uint32()
			}
		default:
			s.unknown()
		}
	}
}

func (d *decoder) jsonScopeLogs() {
	s := &d.json
	first := len(d.records)
	d.beginScope()
	if s.open('{') {
		var seen uint32
		for first := true; ; first = false {
			name, more := s.member(first)
			if !more {
				break
			}
			switch string(name) {
			case "scope":
				if s.once(&seen, 1) && s.open('{') {
					d.jsonScope()
				}
			case "logRecords":
				if s.once(&seen, 2) && s.open('[') {
					outer := d.takeFault()
					for first := true; s.element(first); first = false {
						d.jsonRecord()
					}
					s.blame(outer)
				}
			case "schemaUrl":
				if s.once(&seen, 4) {
					d.scope.schemaURL = s.text(d.scope.schemaURL[:0])
				}
			default:
				s.unknown()
			}
		}
	}
	d.endScope(first, d.takeFault())
}

func (d *decoder) jsonScope() {
	s := &d.json
	var seen uint32
	for first := true; ; first = false {
		name, more := s.member(first)
		if !more {
			return
		}
		switch string(name) {
		case "name":
			if s.once(&seen, 1) {
				d.scope.name = s.text(d.scope.name[:0])
			}
		case "version":
			if s.once(&seen, 2) {
				d.scope.version = s.text(d.scope.version[:0])
			}
		case "attributes":
			if s.once(&seen, 4) {
				d.scope.attributes = d.jsonAttributes(d.scope.attributes[:0], false)
			}
		case "droppedAttributesCount":
			if s.once(&seen, 8) {
				d.scope.dropped = s.uint32()
			}
		default:
			s.unknown()
		}
	}
}

func (d *decoder) jsonRecord() {
	s := &d.json
	d.beginRecord()
	r := &d.rec
	if s.open('{') {
		var seen uint32
		for first := true; ; first = false {
			name, more := s.member(first)
			if !more {
				break
			}
			switch string(name) {
			case "timeUnixNano":
				if s.once(&seen, 1) {
					r.time = s.uint64()
				}
			case "observedTimeUnixNano":
				if s.once(&seen, 2) {
					r.observed = s.uint64()
				}
			case "severityNumber":
				if s.once(&seen, 4) {
					r.severity = s.int32()
				}
			case "severityText":
				if s.once(&seen, 8) {
					r.severityText = s.text(r.severityText[:0])
				}
			case "body":
				if s.once(&seen, 16) {
					r.body = d.jsonValue(r.body[:0], 1)
				}
			case "attributes":
				if s.once(&seen, 32) {
					r.attributes = d.jsonAttributes(r.attributes[:0], true)
				}
			case "droppedAttributesCount":
				if s.once(&seen, 64) {
					r.dropped = s.uint32()
				}
			case "flags":
				if s.once(&seen, 128) {
					r.flags = s.uint32()
				}
			case "traceId":
				if s.once(&seen, 256) {
					s.hexID(r.traceID[:])
				}
			case "spanId":
				if s.once(&seen, 512) {
					s.hexID(r.spanID[:])
				}
			case "eventName":
				if s.once(&seen, 1024) {
					r.eventName = s.text(r.eventName[:0])
				}
			default:
				s.unknown()
			}
		}
	}
	d.endRecord(d.takeFault())
}

// jsonAttributes reads an array of key/value pairs as the canonical body of a map after dst. top says that the map is
// a record's own attributes, out of which the record's id is taken.
func (d *decoder) jsonAttributes(dst []byte, top bool) []byte {
	if !d.json.open('[') {
		return append(dst, 0, 0, 0, 0)
	}
	return d.jsonPairs(dst, 1, top)
}

// jsonPairs reads the rest of an array of key/value pairs, its bracket read. depth is that of the values in it.
func (d *decoder) jsonPairs(dst []byte, depth int, top bool) []byte {
	s := &d.json
	dst, m := d.beginMap(dst, top)
	for first := true; s.element(first); first = false {
		if !s.open('{') {
			continue
		}
		p := pairParts{start: len(dst)}
		var seen uint32
		for first := true; ; first = false {
			name, more := s.member(first)
			if !more {
				break
			}
			switch string(name) {
			case "key":
				if s.once(&seen, 1) {
					p.key = len(dst)
					dst = s.text(append(dst, 0, 0, 0, 0))
					binary.BigEndian.PutUint32(dst[p.key:], uint32(len(dst)-p.key-4))
					p.keyEnd = len(dst)
				}
			case "value":
				if s.once(&seen, 2) {
					p.value = len(dst)
					dst = d.jsonValue(dst, depth)
					p.valueEnd = len(dst)
				}
			default:
				s.unknown()
			}
		}
		dst = d.endPair(dst, m, p)
	}
	return d.endMap(dst, m)
}

// jsonValue reads an AnyValue, an object with one member or none, and appends its canonical encoding to dst.
func (d *decoder) jsonValue(dst []byte, depth int) []byte {
	s := &d.json
	if depth > seal.MaxDepth {
		s.blame(faultDepth)
		s.skip(0)
		return dst
	}
	if !s.open('{') {
		return dst
	}
	name, more := s.member(true)
	if !more {
		return append(dst, typeEmpty)
	}
	switch string(name) {
	case "stringValue":
		at := len(dst)
		dst = s.text(append(dst, typeString, 0, 0, 0, 0))
		binary.BigEndian.PutUint32(dst[at+1:], uint32(len(dst)-at-5))
	case "intValue":
		dst = binary.BigEndian.AppendUint64(append(dst, typeInt), uint64(s.int64()))
	case "boolValue":
		dst = appendBool(dst, s.bool())
	case "doubleValue":
		dst = appendDouble(dst, s.float64())
	case "bytesValue":
		dst = d.jsonBytes(dst)
	case "arrayValue":
		dst = d.jsonArray(dst, depth)
	case "kvlistValue":
		dst = d.jsonMap(dst, depth)
	default:
		s.unknown()
	}
	if _, more := s.member(false); more {
		s.blame(faultOneof)
		s.skip(0)
		for more {
			if _, more = s.member(false); more {
				s.skip(0)
			}
		}
	}
	return dst
}

func (d *decoder) jsonBytes(dst []byte) []byte {
	s := &d.json
	if s.next() != '"' {
		s.blame("a member has a value of the wrong type")
		s.skip(0)
		return dst
	}
	raw, saw, ok := s.rawString()
	if !ok {
		return dst
	}
	at := len(dst)
	dst = append(dst, typeBytes, 0, 0, 0, 0)
	out, err := strictBase64.AppendDecode(dst, raw)
	if err != nil || saw != 0 { // the decoder would step over line breaks
		s.blame("malformed base64")
		return dst
	}
	binary.BigEndian.PutUint32(out[at+1:], uint32(len(out)-at-5))
	return out
}

var strictBase64 = base64.StdEncoding.Strict()

// jsonArray reads {"values": […]}.
func (d *decoder) jsonArray(dst []byte, depth int) []byte {
	s := &d.json
	at := len(dst)
	dst = append(dst, typeArray, 0, 0, 0, 0)
	if !s.open('{') {
		return dst
	}
	var seen, count uint32
	for first := true; ; first = false {
		name, more := s.member(first)
		if !more {
			break
		}
		switch {
		case string(name) != "values":
			s.unknown()
		case s.once(&seen, 1) && s.open('['):
			for first := true; s.element(first); first = false {
				dst = d.jsonValue(dst, depth+1)
				count++
			}
		}
	}
	binary.BigEndian.PutUint32(dst[at+1:], count)
	return dst
}

// jsonMap reads {"values": [{"key": …, "value": …}, …]}.
func (d *decoder) jsonMap(dst []byte, depth int) []byte {
	s := &d.json
	dst = append(dst, typeMap)
	if !s.open('{') {
		return dst
	}
	var seen uint32
	for first := true; ; first = false {
		name, more := s.member(first)
		if !more {
			break
		}
		switch {
		case string(name) != "values":
			s.unknown()
		case s.once(&seen, 1) && s.open('['):
			dst = d.jsonPairs(dst, depth+1, false)
		}
	}
	if seen == 0 {
		dst = append(dst, 0, 0, 0, 0)
	}
	return dst
}
