// SPDX-License-Identifier: Apache-2.0

package export

import (
	"encoding/base64"
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

	// sealHead begins the text of a seal, of whatever version.
	sealHead = "logseal.v"
)

// finder finds what was sealed in the rows of a store.
type finder struct {
	layout  *layout
	decoder archive.Decoder
	object  []byte
	emit    func(*verifier.Observed) error
}

// find emits what a row is of.
func (f *finder) find(r *row, at finding.Place) error {
	if r.fault != "" {
		return f.fault(r.fault, at)
	}
	own := identity{}
	text, has, bad := r.one(f.layout.id)
	if has {
		id, err := seal.ParseID(text)
		if bad || err != nil {
			return f.fault(finding.BadID, at)
		}
		own = identity{id, true}
	}

	cut := false
	for text := range f.originals(r) {
		records := f.decoder.Decode(text)
		switch {
		case archive.Cut(records):
			cut = true
		case own.isOneOf(records):
			return f.records(records, own, at)
		}
	}
	o := verifier.Observed{Place: at, ID: own.id, HasID: own.known}
	note, _, _ := r.one(f.layout.text)
	switch {
	case cut:
		o.Fault = finding.OriginalCut
	case !own.known && strings.HasPrefix(note, sealHead) && f.mayBeSeal(r):
		o.Note = []byte(note)
	case own.known:
		o.Fault, o.Lost = finding.NotRebuilt, f.layout.lost
	}
	return f.emit(&o)
}

// identity is the id that a store shows beside a record, if it does.
type identity struct {
	id    seal.ID
	known bool
}

// isOneOf reports whether decoded records are the row's: an original with another id is one that somebody has quoted in a log line.
func (i identity) isOneOf(records []verifier.Observed) bool {
	if !i.known {
		return len(records) > 0
	}
	for n := range records {
		if o := &records[n]; o.HasID && o.ID == i.id || !o.HasID && o.Fault != "" {
			return true
		}
	}
	return false
}

// originals yields what may be the row's original: what is carried, then what is the body or another text, then what the store has parsed. The
// body goes before other texts, since a store may show parts of an original beside it, and one of them may quote another record's.
func (f *finder) originals(r *row) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if carried, _, _ := r.one(f.layout.carried); carried != "" && !yield(uncarry(carried)) {
			return
		}
		for _, body := range []bool{true, false} {
			for i := range r.fields {
				if slices.Contains(f.layout.text, r.fields[i].name) != body {
					continue
				}
				if text, ok := original(r.fields[i].text); ok && !yield(text) {
					return
				}
			}
		}
		for _, object := range r.otlp {
			if !yield(object) {
				return
			}
		}
	}
}

// original returns the original that a text is, maybe behind a header.
func original(text string) ([]byte, bool) {
	at := strings.Index(text[:min(len(text), maxHeader)], head)
	if at < 0 {
		return nil, false
	}
	return []byte(strings.TrimRight(text[at:], "\x00 \t\r\n")), true
}

// uncarry returns the original that is carried in base64. Of what is cut off it is the beginning.
func uncarry(text string) []byte {
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, _ := base64.StdEncoding.Decode(data, []byte(text))
	return data[:n]
}

// mayBeSeal reports whether a row's event name, if the store shows it, is that of seals.
func (f *finder) mayBeSeal(r *row) bool {
	event, has, bad := r.one(f.layout.event)
	return !bad && (!has || event == seal.EventName)
}

// records emits what was decoded of an original.
func (f *finder) records(records []verifier.Observed, own identity, at finding.Place) error {
	for i := range records {
		o := &records[i]
		o.Place = at
		if own.known && !o.HasID && o.Fault != "" {
			o.ID, o.HasID = own.id, true
		}
		if err := f.emit(o); err != nil {
			return err
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
	return f.records(f.decoder.Decode(f.object), identity{}, at)
}
