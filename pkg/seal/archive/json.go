// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// A jsonMember is a member that an object of OTLP may have, and how its value is read.
type jsonMember struct {
	name string
	read func(*decoder)
}

// The objects around the records, and a record. Each table is in the order in which writers write.
var (
	requestMembers = []jsonMember{
		{"resourceLogs", func(d *decoder) { d.jsonEach((*decoder).jsonResourceLogs) }},
	}
	resourceLogsMembers = []jsonMember{
		{"resource", func(d *decoder) { d.jsonObject(resourceMembers) }},
		{"scopeLogs", func(d *decoder) { d.jsonEach((*decoder).jsonScopeLogs) }},
		{"schemaUrl", func(d *decoder) { d.resource.schemaURL = d.json.text(d.resource.schemaURL[:0]) }},
	}
	resourceMembers = []jsonMember{
		{"attributes", func(d *decoder) { d.resource.attributes = d.jsonAttributes(d.resource.attributes[:0], false) }},
		{"droppedAttributesCount", func(d *decoder) { d.resource.dropped = d.json.uint32() }},
	}
	scopeLogsMembers = []jsonMember{
		{"scope", func(d *decoder) { d.jsonObject(scopeMembers) }},
		{"logRecords", func(d *decoder) { d.jsonEach((*decoder).jsonRecord) }},
		{"schemaUrl", func(d *decoder) { d.scope.schemaURL = d.json.text(d.scope.schemaURL[:0]) }},
	}
	scopeMembers = []jsonMember{
		{"name", func(d *decoder) { d.scope.name = d.json.text(d.scope.name[:0]) }},
		{"version", func(d *decoder) { d.scope.version = d.json.text(d.scope.version[:0]) }},
		{"attributes", func(d *decoder) { d.scope.attributes = d.jsonAttributes(d.scope.attributes[:0], false) }},
		{"droppedAttributesCount", func(d *decoder) { d.scope.dropped = d.json.uint32() }},
	}
	recordMembers = []jsonMember{
		{"timeUnixNano", func(d *decoder) { d.rec.time = d.json.uint64() }},
		{"observedTimeUnixNano", func(d *decoder) { d.rec.observed = d.json.uint64() }},
		{"severityNumber", func(d *decoder) { d.rec.severity = d.json.enum() }},
		{"severityText", func(d *decoder) { d.rec.severityText = d.json.text(d.rec.severityText[:0]) }},
		{"body", func(d *decoder) { d.rec.body = d.jsonValue(d.rec.body[:0], 1) }},
		{"attributes", func(d *decoder) { d.rec.attributes = d.jsonAttributes(d.rec.attributes[:0], true) }},
		{"droppedAttributesCount", func(d *decoder) { d.rec.dropped = d.json.uint32() }},
		{"flags", func(d *decoder) { d.rec.flags = d.json.uint32() }},
		{"traceId", func(d *decoder) { d.json.hexID(d.rec.traceID[:]) }},
		{"spanId", func(d *decoder) { d.json.hexID(d.rec.spanID[:]) }},
		{"eventName", func(d *decoder) { d.rec.eventName = d.json.text(d.rec.eventName[:0]) }},
	}
)

// decodeJSON reads one OTLP/JSON object, {"resourceLogs": […]}, from data.
func (d *decoder) decodeJSON(data []byte) {
	d.beginFrame()
	s := &d.json
	*s = jsonScanner{data: data}
	if s.next() != '{' {
		d.broken(finding.NoObject)
		return
	}
	d.jsonObject(requestMembers)
	if s.fatal == "" && s.next() != 0 {
		s.die(finding.DataBehind)
	}
	if s.fatal == "" && s.pos < len(s.data) {
		s.die(finding.DataBehind)
	}
	if s.fatal != "" {
		reason := s.fatal
		if d.unfinished && s.cut() {
			reason = finding.LineUnfinished
		}
		d.broken(reason)
		return
	}
	d.endFrame(d.takeFault())
}

// jsonObject reads an object that may have the given members, in any order and each at most once.
func (d *decoder) jsonObject(members []jsonMember) {
	s := &d.json
	if !s.open('{') {
		return
	}
	var seen uint32 // bit i for members[i]
	next := 0
	for first := true; ; first = false {
		name, more := s.member(first)
		if !more {
			return
		}
		i := findMember(members, name, next)
		switch {
		case i < 0:
			s.unknown()
		case s.once(&seen, 1<<i):
			members[i].read(d)
			next = i + 1
		}
	}
}

// findMember returns the index of the member of that name, or -1. It looks from index next on first, where the members
// of a writer that keeps to the table's order are.
func findMember(members []jsonMember, name []byte, next int) int {
	for i := next; i < len(members); i++ {
		if members[i].name == string(name) {
			return i
		}
	}
	for i := range members[:next] {
		if members[i].name == string(name) {
			return i
		}
	}
	return -1
}

// jsonEach reads an array of objects that each answer for their own faults, and not for those before the array.
func (d *decoder) jsonEach(read func(*decoder)) {
	s := &d.json
	if !s.open('[') {
		return
	}
	outer := d.takeFault()
	for first := true; s.element(first); first = false {
		read(d)
	}
	s.blame(outer)
}

func (d *decoder) jsonResourceLogs() {
	first := len(d.records)
	d.beginResource()
	d.jsonObject(resourceLogsMembers)
	d.endResource(first, d.takeFault())
}

func (d *decoder) jsonScopeLogs() {
	first := len(d.records)
	d.beginScope()
	d.jsonObject(scopeLogsMembers)
	d.endScope(first, d.takeFault())
}

func (d *decoder) jsonRecord() {
	d.beginRecord()
	d.jsonObject(recordMembers)
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

// jsonPairs reads the rest of an array of key/value pairs, its bracket read. depth is that of the values in it. It has a
// loop of its own and no table, as a pair's parts are put where its canonical encoding grows.
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
	if depth > canonical.MaxDepth {
		s.blame(finding.TooDeep)
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
		dst = d.jsonList(append(dst, typeArray), depth+1, (*decoder).jsonElements)
	case "kvlistValue":
		dst = d.jsonList(append(dst, typeMap), depth+1, (*decoder).jsonEntries)
	default:
		s.unknown()
	}
	if _, more := s.member(false); more {
		s.blame(finding.ValueTwice)
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
		s.blame(finding.WrongType)
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
		s.blame(finding.BadBase64)
		return dst
	}
	binary.BigEndian.PutUint32(out[at+1:], uint32(len(out)-at-5))
	return out
}

var strictBase64 = base64.StdEncoding.Strict()

// jsonList reads {"values": […]}, of which both an array and a map are made, and appends the canonical body of one to dst.
// read reads the rest of the list, its bracket read; depth is that of the values in it.
func (d *decoder) jsonList(dst []byte, depth int, read func(d *decoder, dst []byte, depth int) []byte) []byte {
	s := &d.json
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
			dst = read(d, dst, depth)
		}
	}
	if seen == 0 {
		dst = append(dst, 0, 0, 0, 0)
	}
	return dst
}

// jsonElements reads the values of an array.
func (d *decoder) jsonElements(dst []byte, depth int) []byte {
	s := &d.json
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	var count uint32
	for first := true; s.element(first); first = false {
		dst = d.jsonValue(dst, depth)
		count++
	}
	binary.BigEndian.PutUint32(dst[at:], count)
	return dst
}

// jsonEntries reads the key/value pairs of a map.
func (d *decoder) jsonEntries(dst []byte, depth int) []byte {
	return d.jsonPairs(dst, depth, false)
}
