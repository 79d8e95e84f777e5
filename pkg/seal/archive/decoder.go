// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
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
	sources  []canonical.Source
	out      []byte // canonical encodings of the records, each with room for its source's digest; and of sources
	frame    int    // where the frame being read begins in records
	frameOut int    // and in out

	resource canonical.ResourceFields
	scope    canonical.ScopeFields
	rec      canonical.Fields
	id       recordID // of rec

	maps  canonical.Maps
	tmp   []byte
	fault finding.Reason // the first fault of what is being read; whoever reads that takes and clears it
}

// recordPart is where a record lies in decoder.out, while its source, which may come after it, is not known yet.
type recordPart struct {
	canonical.Span      // empty when it stands for a fault
	scope          span // the part of the source's encoding that its scope makes
	source         int  // in decoder.sources
	seal           bool // it claims to be one, as [seal.IsSeal] says but for the body
}

// span is a part of decoder.out.
type span struct{ start, end int }

func (s span) of(b []byte) []byte { return b[s.start:s.end:s.end] }

// recordID is what a record has under the key of ids.
type recordID struct {
	text    []byte
	present bool
	bad     bool // it is no string
}

// endPair ends a pair of a map. top says that the map is a record's own attributes, out of which the record's id is taken.
func (d *decoder) endPair(dst []byte, p canonical.Pair, top bool) []byte {
	dst, key, value := d.maps.EndPair(dst, p)
	if top && string(key) == seal.IDKey {
		d.takeID(value)
		return d.maps.DropPair(dst)
	}
	return dst
}

func (d *decoder) takeID(value []byte) {
	if d.id.present {
		d.blame(finding.AttributeRepeated)
		return
	}
	d.id.present = true
	text, ok := canonical.StringPayload(value)
	d.id.text, d.id.bad = append(d.id.text[:0], text...), !ok
}

// endMap ends a map.
func (d *decoder) endMap(dst []byte, m canonical.Map) []byte {
	dst, err := d.maps.End(dst, m)
	if err != nil {
		d.blame(finding.AttributeRepeated)
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
	r.Attributes = canonical.AppendEmptyMap(r.Attributes[:0])
	r.SchemaURL = r.SchemaURL[:0]
	r.DroppedAttributes = 0
}

func (d *decoder) beginScope() {
	s := &d.scope
	s.Name, s.Version, s.SchemaURL = s.Name[:0], s.Version[:0], s.SchemaURL[:0]
	s.Attributes = canonical.AppendEmptyMap(s.Attributes[:0])
	s.DroppedAttributes = 0
}

func (d *decoder) beginRecord() {
	r := &d.rec
	r.Head = canonical.Head{}
	r.SeverityText, r.EventName, r.Body = r.SeverityText[:0], r.EventName[:0], r.Body[:0]
	r.Attributes = canonical.AppendEmptyMap(r.Attributes[:0])
	d.id = recordID{text: d.id.text[:0]}
}

// endRecord adds the record that was read to those of the frame.
func (d *decoder) endRecord(fault finding.Reason) {
	d.maps.Reset()
	var o verifier.Observed
	if d.id.present {
		id, err := d.parseID(d.id.text)
		switch {
		case d.id.bad || err != nil:
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

	part := recordPart{seal: string(d.rec.EventName) == seal.EventName && !d.id.present}
	d.out, part.Span = canonical.AppendRecord(d.out, &d.rec)
	d.records = append(d.records, o)
	d.parts = append(d.parts, part)
}

// endScope keeps the scope's part of their source for the records since first.
func (d *decoder) endScope(first int, fault finding.Reason) {
	at := len(d.out)
	d.out = canonical.AppendScope(d.out, &d.scope)
	for i := first; i < len(d.parts); i++ {
		d.parts[i].scope = span{at, len(d.out)}
	}
	d.condemn(first, fault)
}

// endResource fills in the source's digest for the records since first.
func (d *decoder) endResource(first int, fault finding.Reason) {
	d.tmp = canonical.AppendResource(d.tmp[:0], &d.resource)
	var scope span
	var digest seal.Hash
	for i := first; i < len(d.parts); i++ {
		p := &d.parts[i]
		if p.Empty() {
			continue
		}
		if p.scope != scope {
			scope = p.scope
			start := len(d.out)
			d.out = append(d.out, d.tmp...)
			d.out = append(d.out, scope.of(d.out)...)
			encoding := span{start, len(d.out)}.of(d.out)
			digest = sha256.Sum256(encoding)
			d.sources = append(d.sources, canonical.Source{Encoding: encoding})
		}
		p.source = len(d.sources) - 1
		p.SetSource(d.out, &digest)
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
		o.Record = p.Record(d.out, &d.sources[p.source])
		if p.seal {
			if body, ok := o.StringBody(); ok {
				o.Note = body
			}
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
	d.records, d.parts, d.sources, d.out = d.records[:0], d.parts[:0], d.sources[:0], d.out[:0]
}

// beginFrame starts a frame after those that were read.
func (d *decoder) beginFrame() {
	d.frame, d.frameOut = len(d.records), len(d.out)
	d.maps.Reset()
	d.takeFault()
}
