// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

const (
	// head begins an original.
	head = `{"resourceLogs"`

	// maxHeader is how far into a text an original may begin: behind the header of a syslog message.
	maxHeader = 4096

	// maxIDs is how many ids a row may show. A record has one, and few stores make one name of two; each is looked for in each original.
	maxIDs = 16

	// sealHead begins the text of a seal, of whatever version.
	sealHead = "logseal.v"
)

// finder finds what was sealed in the rows of a store.
type finder struct {
	layout  *layout
	decoder archive.Decoder
	inner   archive.Decoder // of what the first has decoded
	object  []byte
	emit    func(*verifier.Observed) error
}

// find emits what a row is of.
func (f *finder) find(r *row, at finding.Place) error {
	if r.fault != "" {
		return f.fault(r.fault, at)
	}
	var own identity
	ids := r.all(f.layout.id)
	if len(ids) > maxIDs {
		return f.fault(finding.BadID, at)
	}
	for _, text := range ids {
		if id, err := seal.ParseID(text); err == nil {
			own = append(own, id)
		} else if text != "" && !f.layout.repeats {
			return f.fault(finding.BadID, at)
		}
	}
	cut, fault := false, finding.Reason("")
	other := false
	for c := range f.originals(r) {
		records := f.decoder.Decode(c.text)
		if len(own) > 0 && len(records) == 1 && records[0].Fault == finding.DataBehind {
			c.text, c.alone = firstValue(c.text), nil
			records = f.decoder.Decode(c.text)
		}
		switch {
		case archive.Cut(records):
			cut = true
		case len(records) == 1 && !records[0].HasID && records[0].Fault != "":
			if c.carried || len(own) == 0 { // else it is a line that begins like one
				fault = cmp.Or(fault, records[0].Fault) // unless there is another
			}
		case own.isOneOf(records):
			return f.records(records, f.differs(r, &c, records), at)
		case len(records) > 0 && records[0].Fault == "" && (c.carried || f.layout.events && c.body):
			other = true
		}
	}
	o := verifier.Observed{Place: at}
	if len(own) == 1 {
		o.ID, o.HasID = own[0], true
	}
	note := r.one(f.layout.text)
	switch {
	case len(own) > 1:
		o.Fault = finding.BadID
	case o.HasID && other:
		o.Fault = finding.OtherRecord
	case fault != "":
		o.Fault = fault
	case cut:
		o.Fault = finding.OriginalCut
	case o.HasID:
		o.Fault, o.Lost = finding.NotRebuilt, f.layout.lost
	case strings.HasPrefix(note, sealHead) && f.mayBeSeal(r):
		o.Note = []byte(note)
	}
	return f.emit(&o)
}

// identity are the ids that a store shows beside a record: one, where it shows any, unless somebody has given another value of the record the same
// name.
type identity []seal.ID

// isOneOf reports whether decoded records are the row's: an original with another id is one that somebody has quoted in a log line.
func (i identity) isOneOf(records []verifier.Observed) bool {
	if len(i) == 0 {
		return len(records) > 0
	}
	return slices.ContainsFunc(records, func(o verifier.Observed) bool { return o.HasID && slices.Contains(i, o.ID) })
}

// candidate is what may be a row's original.
type candidate struct {
	text    []byte
	carried bool   // then the store's fields are the record's, too
	body    bool   // it is the row's text
	alone   *field // the field in which it stands alone, or behind a syslog header; nil where it is in none
}

// originals yields what may be the row's original: what is carried, then what is the body or another text, then what the store has parsed. The
// body goes before other texts, since a store may show parts of an original beside it, and one of them may quote another record's. Only in the body
// an original may stand behind what is no header: that is no way in which anything sends it, and the record is shown otherwise.
func (f *finder) originals(r *row) iter.Seq[candidate] {
	return func(yield func(candidate) bool) {
		for _, carried := range r.all(f.layout.carried) {
			if carried != "" && !yield(candidate{text: uncarry(carried), carried: true}) {
				return
			}
		}
		for _, body := range []bool{true, false} {
			for i := range r.fields {
				if slices.Contains(f.layout.text, r.fields[i].name) != body {
					continue
				}
				text, alone, ok := original(r.fields[i].text)
				c := candidate{text: text, body: body}
				if alone {
					c.alone = &r.fields[i]
				}
				if ok && (alone || body) && !yield(c) {
					return
				}
			}
		}
		for _, object := range r.otlp {
			if !yield(candidate{text: object}) {
				return
			}
		}
	}
}

// original returns the original in a text, and whether nothing but the header of a syslog message stands before it.
func original(text string) (original []byte, alone, ok bool) {
	at := strings.Index(text[:min(len(text), maxHeader)], head)
	if at < 0 {
		return nil, false, false
	}
	return []byte(strings.TrimRight(text[at:], "\x00 \t\r\n")), isHeader(text[:at]), true
}

// firstValue returns the first value of JSON in a text, and the text if there is none.
func firstValue(text []byte) []byte {
	var first json.RawMessage
	if json.NewDecoder(bytes.NewReader(text)).Decode(&first) != nil {
		return text
	}
	return first
}

// uncarry returns the original that is carried in base64. Of what is cut off it is the beginning.
func uncarry(text string) []byte {
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, _ := base64.StdEncoding.Decode(data, []byte(text))
	return data[:n]
}

// mayBeSeal reports whether a row's event name, if the store shows it, is that of seals.
func (f *finder) mayBeSeal(r *row) bool {
	events := r.all(f.layout.event)
	return len(events) == 0 || slices.Contains(events, seal.EventName)
}

// records emits what was decoded of an original, which the row shows otherwise or not. A seal has no id by which that could be said of it: then
// what is shown is a record of its own, which nobody has stamped.
func (f *finder) records(records []verifier.Observed, otherwise string, at finding.Place) error {
	for i := range records {
		o := &records[i]
		o.Place, o.Otherwise = at, otherwise
		if err := f.emit(o); err != nil {
			return err
		}
		if o.Note != nil && otherwise != "" {
			if err := f.emit(&verifier.Observed{Place: at}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *finder) fault(reason finding.Reason, at finding.Place) error {
	return f.emit(&verifier.Observed{Place: at, Fault: reason})
}

// otlp emits the records of one element of resourceLogs.
func (f *finder) otlp(raw []byte, at finding.Place) error {
	f.object = append(append(append(f.object[:0], head+":["...), raw...), "]}"...)
	records := f.decoder.Decode(f.object)
	for i := range records {
		o := &records[i]
		o.Place = at
		if err := f.emit(f.carriedBy(o)); err != nil {
			return err
		}
	}
	return nil
}

// carriedBy returns what a record of OTLP carries, if that is its original, and else the record itself: who gives back OTLP may have changed it. To
// carry another record's is tampering: the stamp takes off what comes in under that name.
func (f *finder) carriedBy(o *verifier.Observed) *verifier.Observed {
	if o.Fault != "" || !o.HasID {
		return o
	}
	text, ok := o.Carried()
	if !ok {
		return o
	}
	records := f.inner.Decode(uncarry(text))
	if len(records) != 1 || records[0].Fault != "" {
		return o
	}
	carried := &records[0]
	if !(identity{o.ID}).isOneOf(records) {
		return &verifier.Observed{Place: o.Place, ID: o.ID, HasID: true, Fault: finding.OtherRecord}
	}
	carried.Place, carried.Otherwise = o.Place, otherwise(o, carried)
	if carried.Otherwise != "" {
		carried.Beside = &o.Record
	}
	return carried
}
