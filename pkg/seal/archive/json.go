// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/base64"

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
		{"schemaUrl", func(d *decoder) { d.resource.SchemaURL = d.json.text(d.resource.SchemaURL[:0]) }},
	}
	resourceMembers = []jsonMember{
		{"attributes", func(d *decoder) { d.resource.Attributes = d.jsonAttributes(d.resource.Attributes[:0], false) }},
		{"droppedAttributesCount", func(d *decoder) { d.resource.DroppedAttributes = d.json.uint32() }},
	}
	scopeLogsMembers = []jsonMember{
		{"scope", func(d *decoder) { d.jsonObject(scopeMembers) }},
		{"logRecords", func(d *decoder) { d.jsonEach((*decoder).jsonRecord) }},
		{"schemaUrl", func(d *decoder) { d.scope.SchemaURL = d.json.text(d.scope.SchemaURL[:0]) }},
	}
	scopeMembers = []jsonMember{
		{"name", func(d *decoder) { d.scope.Name = d.json.text(d.scope.Name[:0]) }},
		{"version", func(d *decoder) { d.scope.Version = d.json.text(d.scope.Version[:0]) }},
		{"attributes", func(d *decoder) { d.scope.Attributes = d.jsonAttributes(d.scope.Attributes[:0], false) }},
		{"droppedAttributesCount", func(d *decoder) { d.scope.DroppedAttributes = d.json.uint32() }},
	}
	recordMembers = []jsonMember{
		{"timeUnixNano", func(d *decoder) { d.rec.Time = d.json.uint64() }},
		{"observedTimeUnixNano", func(d *decoder) { d.rec.ObservedTime = d.json.uint64() }},
		{"severityNumber", func(d *decoder) { d.rec.SeverityNumber = d.json.enum() }},
		{"severityText", func(d *decoder) { d.rec.SeverityText = d.json.text(d.rec.SeverityText[:0]) }},
		{"body", func(d *decoder) { d.rec.Body = d.jsonValue(d.rec.Body[:0], 1) }},
		{"attributes", func(d *decoder) { d.rec.Attributes = d.jsonAttributes(d.rec.Attributes[:0], true) }},
		{"droppedAttributesCount", func(d *decoder) { d.rec.DroppedAttributes = d.json.uint32() }},
		{"flags", func(d *decoder) { d.rec.Flags = d.json.uint32() }},
		{"traceId", func(d *decoder) { d.json.hexID(d.rec.TraceID[:]) }},
		{"spanId", func(d *decoder) { d.json.hexID(d.rec.SpanID[:]) }},
		{"eventName", func(d *decoder) { d.rec.EventName = d.json.text(d.rec.EventName[:0]) }},
	}
)

// decodeJSON reads one OTLP/JSON object, {"resourceLogs": […]}, from data. Section 3.1, second item.
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
		return canonical.AppendEmptyMap(dst)
	}
	return d.jsonPairs(dst, 1, top)
}

// jsonPairs reads the rest of an array of key/value pairs, its bracket read. depth is that of the values in it. It has a
// loop of its own and no table, as a pair's parts are put where its canonical encoding grows.
func (d *decoder) jsonPairs(dst []byte, depth int, top bool) []byte {
	s := &d.json
	dst, m := d.maps.Begin(dst)
	for first := true; s.element(first); first = false {
		if !s.open('{') {
			continue
		}
		p := canonical.BeginPair(dst)
		var seen uint32
		for first := true; ; first = false {
			name, more := s.member(first)
			if !more {
				break
			}
			switch string(name) {
			case "key":
				if s.once(&seen, 1) {
					dst = s.text(p.BeginKey(dst))
					p.EndKey(dst)
				}
			case "value":
				if s.once(&seen, 2) {
					p.BeginValue(dst)
					dst = d.jsonValue(dst, depth)
					p.EndValue(dst)
				}
			default:
				s.unknown()
			}
		}
		dst = d.endPair(dst, p, top)
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
		return canonical.AppendEmpty(dst)
	}
	switch string(name) {
	case "stringValue":
		var mark canonical.Mark
		dst, mark = canonical.BeginString(dst)
		dst = s.text(dst)
		mark.End(dst)
	case "intValue":
		dst = canonical.AppendInt(dst, s.int64())
	case "boolValue":
		dst = canonical.AppendBool(dst, s.bool())
	case "doubleValue":
		dst = canonical.AppendDouble(dst, s.float64())
	case "bytesValue":
		dst = d.jsonBytes(dst)
	case "arrayValue":
		dst = d.jsonArray(dst, depth+1)
	case "kvlistValue":
		dst = d.jsonMap(dst, depth+1)
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
	dst, mark := canonical.BeginBytes(dst)
	out, err := strictBase64.AppendDecode(dst, raw)
	if err != nil || saw != 0 { // the decoder would step over line breaks
		s.blame(finding.BadBase64)
		return dst
	}
	mark.End(out)
	return out
}

var strictBase64 = base64.StdEncoding.Strict()

// jsonValues reads {"values": […]}, of which both an array and a map are made, up to the bracket, and after it calls read for the rest of the list.
func (d *decoder) jsonValues(read func()) {
	s := &d.json
	if !s.open('{') {
		return
	}
	var seen uint32
	for first := true; ; first = false {
		name, more := s.member(first)
		switch {
		case !more:
			return
		case string(name) != "values":
			s.unknown()
		case s.once(&seen, 1) && s.open('['):
			read()
		}
	}
}

// jsonArray reads an array. depth is that of the values in it.
func (d *decoder) jsonArray(dst []byte, depth int) []byte {
	s := &d.json
	dst, mark := canonical.BeginArray(dst)
	count := 0
	d.jsonValues(func() {
		for first := true; s.element(first); first = false {
			dst = d.jsonValue(dst, depth)
			count++
		}
	})
	mark.EndCount(dst, count)
	return dst
}

// jsonMap reads a map. depth is that of the values in it.
func (d *decoder) jsonMap(dst []byte, depth int) []byte {
	dst = canonical.AppendMapType(dst)
	read := false
	d.jsonValues(func() {
		dst, read = d.jsonPairs(dst, depth, false), true
	})
	if !read {
		dst = canonical.AppendEmptyMap(dst)
	}
	return dst
}
