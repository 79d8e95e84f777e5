// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// The tags and type bytes of the canonical encoding (docs/stamp-format.md, "The record digest").
const (
	recordTag = "\x00"
	sourceTag = "logseal/v1 source\x00"

	typeEmpty  = 0
	typeString = 1
	typeBool   = 2
	typeInt    = 3
	typeDouble = 4
	typeBytes  = 5
	typeArray  = 6
	typeMap    = 7

	canonicalNaN = 0x7ff8000000000000
)

// decoder turns frames into records. It writes each record's canonical encoding (docs/stamp-format.md, "The record digest") as
// it reads, without building a tree of values in between; both wire formats share this part.
//
// Records of any number of frames are collected until begin; then every buffer is used again.
type decoder struct {
	json   jsonScanner
	handle string // of the last id that was read

	unfinished bool // the frame may be cut off: the file ends with it

	records  []verifier.Observed
	parts    []recordPart // of records, one for one
	out      []byte       // canonical encodings of the records, each with room for its source's digest; and of sources
	frame    int          // where the frame being read begins in records
	frameOut int          // and in out

	resource struct {
		attributes []byte // canonical body of a map
		schemaURL  []byte
		dropped    uint32
	}
	scope struct {
		name, version []byte
		attributes    []byte
		schemaURL     []byte
		dropped       uint32
	}
	rec struct {
		time, observed uint64
		severity       int32
		flags, dropped uint32
		traceID        [16]byte
		spanID         [8]byte
		severityText   []byte
		eventName      []byte
		body           []byte // canonical value, empty when the record has no body
		attributes     []byte // canonical body of a map, without the id
		id             []byte
		hasID          bool
		badID          bool // the id is there, but no string
	}

	pairs []pair // of the maps being read, the innermost last
	tmp   []byte
	fault finding.Reason // the first fault of what is being read; whoever reads that takes and clears it
}

// recordPart is where a record's canonical encoding lies in decoder.out, while its source, which may come after it, is
// not known yet.
type recordPart struct {
	start, body, attributes, end int
	scope, scopeEnd              int // the part of the source's encoding that its scope makes
	source, sourceEnd            int
	seal                         bool // it claims to be one, as [seal.IsSeal] says but for the body
}

// pair is one entry of a map in its canonical encoding: u32 length and key, then the value.
type pair struct{ start, keyEnd, end int }

// pairParts is a key/value pair as it was met: its parts may come in either order, and either may be left out.
type pairParts struct{ start, key, keyEnd, value, valueEnd int }

type mapMark struct {
	at    int // where the count goes
	pairs int // where the map's pairs begin in decoder.pairs
	top   bool
}

func (d *decoder) beginMap(dst []byte, top bool) ([]byte, mapMark) {
	return append(dst, 0, 0, 0, 0), mapMark{len(dst), len(d.pairs), top}
}

func (d *decoder) endPair(dst []byte, m mapMark, p pairParts) []byte {
	switch {
	case p.keyEnd == 0: // no key is the empty key
		p.key, p.keyEnd = p.start, p.start+4
		dst = slices.Insert(dst, p.start, 0, 0, 0, 0)
	case p.valueEnd != 0 && p.value < p.key:
		d.tmp = append(d.tmp[:0], dst[p.value:p.valueEnd]...)
		n := copy(dst[p.start:], dst[p.key:p.keyEnd])
		copy(dst[p.start+n:], d.tmp)
		p.keyEnd = p.start + n
	}
	if p.valueEnd == 0 {
		dst = append(dst, typeEmpty)
	}
	if m.top && string(dst[p.start+4:p.keyEnd]) == seal.IDKey {
		d.takeID(dst[p.keyEnd:])
		return dst[:p.start]
	}
	d.pairs = append(d.pairs, pair{p.start, p.keyEnd, len(dst)})
	return dst
}

func (d *decoder) takeID(value []byte) {
	r := &d.rec
	if r.hasID {
		d.blame(finding.AttributeRepeated)
		return
	}
	r.hasID = true
	if len(value) == 0 || value[0] != typeString {
		r.badID = true
		return
	}
	r.id = append(r.id[:0], value[5:]...)
}

// endMap sorts what was read since beginMap by key bytes, and writes the count.
func (d *decoder) endMap(dst []byte, m mapMark) []byte {
	pairs := d.pairs[m.pairs:]
	d.pairs = d.pairs[:m.pairs]
	binary.BigEndian.PutUint32(dst[m.at:], uint32(len(pairs)))
	key := func(p pair) []byte { return dst[p.start+4 : p.keyEnd] }
	sorted := true
	for i := 1; i < len(pairs) && sorted; i++ {
		sorted = bytes.Compare(key(pairs[i-1]), key(pairs[i])) < 0
	}
	if sorted {
		return dst
	}
	slices.SortFunc(pairs, func(a, b pair) int { return bytes.Compare(key(a), key(b)) })
	for i := 1; i < len(pairs); i++ {
		if bytes.Equal(key(pairs[i-1]), key(pairs[i])) {
			d.blame(finding.AttributeRepeated)
			return dst
		}
	}
	body := m.at + 4
	d.tmp = append(d.tmp[:0], dst[body:]...)
	dst = dst[:body]
	for _, p := range pairs {
		dst = append(dst, d.tmp[p.start-body:p.end-body]...)
	}
	return dst
}

func (d *decoder) blame(fault finding.Reason) {
	if d.fault == "" {
		d.fault = fault
	}
}

func (d *decoder) takeFault() finding.Reason {
	f := d.fault
	if f == "" {
		f = d.json.fault
	}
	d.fault, d.json.fault = "", ""
	return f
}

func (d *decoder) beginResource() {
	r := &d.resource
	r.attributes = append(r.attributes[:0], 0, 0, 0, 0)
	r.schemaURL = r.schemaURL[:0]
	r.dropped = 0
}

func (d *decoder) beginScope() {
	s := &d.scope
	s.name, s.version, s.schemaURL = s.name[:0], s.version[:0], s.schemaURL[:0]
	s.attributes = append(s.attributes[:0], 0, 0, 0, 0)
	s.dropped = 0
}

func (d *decoder) beginRecord() {
	r := &d.rec
	r.time, r.observed, r.severity, r.flags, r.dropped = 0, 0, 0, 0, 0
	r.traceID, r.spanID = [16]byte{}, [8]byte{}
	r.severityText, r.eventName, r.body = r.severityText[:0], r.eventName[:0], r.body[:0]
	r.attributes = append(r.attributes[:0], 0, 0, 0, 0)
	r.id = r.id[:0]
	r.hasID, r.badID = false, false
}

// endRecord adds the record that was read to those of the frame.
func (d *decoder) endRecord(fault finding.Reason) {
	r := &d.rec
	d.pairs = d.pairs[:0]
	var o verifier.Observed
	if r.hasID {
		id, err := d.parseID(r.id)
		switch {
		case r.badID || err != nil:
			d.blame(finding.BadID)
		default:
			o.ID, o.HasID = id, true
		}
	}
	if fault == "" {
		fault = d.takeFault()
	}
	d.takeFault()
	o.Fault = fault

	part := recordPart{start: len(d.out), seal: string(r.eventName) == seal.EventName && !r.hasID}
	out := append(d.out, recordTag...)
	out = append(out, zeros[:]...)
	out = binary.BigEndian.AppendUint64(out, r.time)
	out = binary.BigEndian.AppendUint64(out, r.observed)
	out = binary.BigEndian.AppendUint32(out, uint32(r.severity))
	out = appendBytes(out, r.severityText)
	out = appendBytes(out, r.eventName)
	out = append(out, r.traceID[:]...)
	out = append(out, r.spanID[:]...)
	out = binary.BigEndian.AppendUint32(out, r.flags)
	out = binary.BigEndian.AppendUint32(out, r.dropped)
	part.body = len(out)
	if len(r.body) == 0 {
		out = append(out, typeEmpty)
	} else {
		out = append(out, r.body...)
	}
	part.attributes = len(out)
	out = append(out, r.attributes...)
	part.end = len(out)
	d.out = out
	d.records = append(d.records, o)
	d.parts = append(d.parts, part)
}

// zeros holds the place of the source's digest.
var zeros [seal.HashSize]byte

const sourceAt = len(recordTag)

// endScope keeps the scope's part of their source for the records since first.
func (d *decoder) endScope(first int, fault finding.Reason) {
	s, at := &d.scope, len(d.out)
	d.out = appendBytes(d.out, s.name)
	d.out = appendBytes(d.out, s.version)
	d.out = append(d.out, s.attributes...)
	d.out = binary.BigEndian.AppendUint32(d.out, s.dropped)
	d.out = appendBytes(d.out, s.schemaURL)
	for i := first; i < len(d.parts); i++ {
		d.parts[i].scope, d.parts[i].scopeEnd = at, len(d.out)
	}
	d.condemn(first, fault)
}

// endResource fills in the source's digest for the records since first.
func (d *decoder) endResource(first int, fault finding.Reason) {
	r := &d.resource
	d.tmp = append(d.tmp[:0], sourceTag...)
	d.tmp = append(d.tmp, r.attributes...)
	d.tmp = binary.BigEndian.AppendUint32(d.tmp, r.dropped)
	d.tmp = appendBytes(d.tmp, r.schemaURL)
	scope, at := -1, 0
	var digest [seal.HashSize]byte
	for i := first; i < len(d.parts); i++ {
		p := &d.parts[i]
		if p.end == 0 { // it stands for a fault and has no encoding
			continue
		}
		if p.scope != scope {
			scope, at = p.scope, len(d.out)
			d.out = append(d.out, d.tmp...)
			d.out = append(d.out, d.out[p.scope:p.scopeEnd]...)
			digest = sha256.Sum256(d.out[at:])
		}
		p.source, p.sourceEnd = at, len(d.out)
		copy(d.out[p.start+sourceAt:], digest[:])
	}
	d.condemn(first, fault)
}

// endFrame hands out the encodings of the frame's records. Should d.out grow and move later, they stay where they are.
func (d *decoder) endFrame(fault finding.Reason) {
	d.condemn(d.frame, fault)
	for i := d.frame; i < len(d.records); i++ {
		o, p := &d.records[i], &d.parts[i]
		if o.Fault != "" {
			continue
		}
		o.Canonical = d.out[p.start:p.end:p.end]
		o.Attributes = p.attributes - p.start
		o.Source = d.out[p.source:p.sourceEnd:p.sourceEnd]
		if p.seal && d.out[p.body] == typeString {
			o.Note = d.out[p.body+5 : p.attributes : p.attributes]
		}
	}
}

// condemn gives a fault to all records since first: what they hold cannot be told apart from what was made of it. Where there
// are none, the fault becomes an entry of its own.
func (d *decoder) condemn(first int, fault finding.Reason) {
	if fault == "" {
		return
	}
	for i := first; i < len(d.records); i++ {
		if d.records[i].Fault == "" {
			d.records[i].Fault = fault
		}
	}
	if first == len(d.records) {
		d.records = append(d.records, verifier.Observed{Fault: fault})
		d.parts = append(d.parts, recordPart{})
	}
}

// broken gives up the frame: none of what was read of it counts.
func (d *decoder) broken(reason finding.Reason) {
	d.records, d.parts, d.out = d.records[:d.frame], d.parts[:d.frame], d.out[:d.frameOut]
	d.condemn(d.frame, reason)
}

// begin forgets the records of earlier frames.
func (d *decoder) begin() {
	d.records, d.parts, d.out = d.records[:0], d.parts[:0], d.out[:0]
}

// beginFrame starts a frame after those that were read.
func (d *decoder) beginFrame() {
	d.frame, d.frameOut = len(d.records), len(d.out)
	d.pairs = d.pairs[:0]
	d.takeFault()
}

func appendBytes(dst, b []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, typeBool, 1)
	}
	return append(dst, typeBool, 0)
}

// appendDouble appends a float64. Every NaN is one NaN: JSON cannot carry the others.
func appendDouble(dst []byte, v float64) []byte {
	bits := math.Float64bits(v)
	if math.IsNaN(v) {
		bits = canonicalNaN
	}
	return binary.BigEndian.AppendUint64(append(dst, typeDouble), bits)
}
