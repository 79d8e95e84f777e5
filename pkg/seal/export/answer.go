// SPDX-License-Identifier: Apache-2.0

package export

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// maxNesting bounds how deep an answer's brackets are followed where records may be anywhere in it.
const maxNesting = 32

// otlpRow is where OTLP's records stand, in an answer or in something in it.
const otlpRow = resourceLogs + "[]"

// reader reads the answers in one file.
type reader struct {
	layout *layout
	json   scanner
	row    func(number int, raw []byte, s shape, keep map[string][]byte) error
	fault  func(number int, reason finding.Reason) error

	rows  int               // read so far
	keep  map[string][]byte // what was kept of an answer for its rows
	found bool              // what is being read has records, or would have them
	page  page              // what is being read says of itself
	pages []page
	none  error // says of the first answer that is none that it is none
	nones int
}

// page is what an answer says of itself.
type page struct {
	total, offset int  // -1 where it does not say
	more          bool // there are more than total
	rows          int
	distinct      []uint64 // hashes of the rows, where the store says how many there are
	partial       bool
}

// file reads answers to the end. What is broken is a fault; the error is one of reading, or says that the file is something else, or that something in
// it is.
func (r *reader) file() error {
	for {
		c, err := r.json.next()
		if errors.Is(err, io.EOF) {
			if r.nones > 1 {
				return fmt.Errorf("%w (and %d more like it)", r.none, r.nones-1)
			}
			return r.none
		}
		if err != nil {
			return err
		}
		line := r.json.line
		if c == '[' {
			err = r.json.each(']', r.answer)
		} else {
			err = r.answer()
		}
		var syntax *syntaxError
		switch {
		case err == nil:
		case errors.Is(err, errUnfinished):
			return r.fault(r.rows+1, finding.LineUnfinished)
		case errors.As(err, &syntax) && r.json.line == line && r.rows > 0:
			// A line among others: the next one is another answer.
			r.rows++
			if err := r.fault(r.rows, finding.BrokenJSON); err != nil {
				return err
			}
			if err := r.json.skipLine(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		case errors.As(err, &syntax):
			return fmt.Errorf("line %d: no JSON: %w; give the answer of the search as it came, and fetch it again if that is what came", r.json.line, err)
		default:
			return err
		}
	}
}

// answer reads one answer.
func (r *reader) answer() error {
	line := r.json.line
	r.keep, r.found, r.page = map[string][]byte{}, false, page{total: -1, offset: -1}
	before := r.rows
	c, err := r.json.inner()
	if err != nil {
		return err
	}
	if c != '{' {
		return &syntaxError{fmt.Sprintf("%q where an object is expected", rune(c))}
	}
	if shape, ok := r.layout.rows[""]; ok {
		err = r.rowOrEnvelope(shape)
	} else {
		err = r.object("", 0)
	}
	if err != nil {
		return err
	}
	if !r.found {
		if r.nones++; r.none == nil {
			r.none = fmt.Errorf("line %d: no answer of a search as --from %s reads it, which has %s: is it another store's, or did the search fail?", line, r.layout.name, r.layout.is)
		}
		return nil // what else is in the file may be one
	}
	r.page.rows = r.rows - before
	switch {
	case r.page.total < 0:
		r.page.distinct = nil
	case r.page.more:
		r.page.total++
	}
	if r.page.total >= 0 || r.page.offset >= 0 || r.page.partial { // the line of a record says nothing, and there are millions of them
		r.pages = append(r.pages, r.page)
	}
	return nil
}

// rowOrEnvelope reads an answer that may be a record itself. Its first member tells.
func (r *reader) rowOrEnvelope(s shape) error {
	r.json.take()
	c, err := r.json.inner()
	if err != nil {
		return err
	}
	if c == '}' {
		r.json.take()
		return nil // not found
	}
	name, err := r.json.name()
	if err != nil {
		return err
	}
	if slices.Contains(r.layout.envelope, name) {
		return r.envelope(name, s)
	}
	r.json.buf = append(append(append(r.json.buf[:0], '{'), marshal(name)...), ':')
	raw, err := r.json.rest(true, 1, false)
	if errors.Is(err, errTooLong) {
		return r.tooLong()
	}
	if err != nil {
		return err
	}
	return r.emit(raw, s)
}

// envelope reads an answer whose bracket and first name are read. One that has members of a record is a record, whatever else is in it; so is one that
// has members which no answer has, and nothing of an answer.
func (r *reader) envelope(first string, s shape) error {
	var own []byte // members that no envelope has
	isRow := false
	member := func(name string) error {
		if slices.Contains(r.layout.envelope, name) {
			return r.value(name, 1)
		}
		isRow = isRow || r.layout.ofRow(name)
		raw, err := r.json.value(true)
		if errors.Is(err, errTooLong) || err == nil && len(own)+len(raw) > archive.MaxFrame {
			return r.tooLong()
		}
		if err != nil {
			return err
		}
		own = append(append(append(append(own, ','), marshal(name)...), ':'), raw...)
		return nil
	}
	if err := r.members(first, member); err != nil || !isRow && (own == nil || r.found) {
		return err
	}
	own[0] = '{'
	return r.emit(append(own, '}'), s)
}

func (r *reader) emit(raw []byte, s shape) error {
	r.found = true
	r.count(raw)
	return r.row(r.rows, raw, s, r.keep)
}

func (r *reader) tooLong() error {
	r.found = true
	r.count(nil) // too long rows are not held, and count as one
	return r.fault(r.rows, finding.TooLong)
}

// object reads an object at a path.
func (r *reader) object(path string, depth int) error {
	return r.json.each('}', func() error {
		name, err := r.json.name()
		if err != nil {
			return err
		}
		return r.value(join(path, name), depth+1)
	})
}

// members calls read for the values of an object whose bracket and first name are read.
func (r *reader) members(first string, read func(name string) error) error {
	if err := read(first); err != nil {
		return err
	}
	for {
		c, err := r.json.inner()
		if err != nil {
			return err
		}
		r.json.take()
		switch c {
		case '}':
			return nil
		case ',':
		default:
			return r.json.unexpected(c)
		}
		name, err := r.json.name()
		if err != nil {
			return err
		}
		if err := read(name); err != nil {
			return err
		}
	}
}

// value reads the value at a path: a record, what leads to records, what says something of them, or none of these.
func (r *reader) value(path string, depth int) error {
	c, err := r.json.inner()
	if err != nil {
		return err
	}
	if shape, ok := r.shapeAt(path); ok {
		raw, err := r.json.value(true)
		if errors.Is(err, errTooLong) {
			return r.tooLong()
		}
		if err != nil {
			return err
		}
		return r.emit(raw, shape)
	}
	leads := depth <= maxNesting && r.layout.leads(path)
	switch {
	case c == '{' && leads:
		return r.object(path, depth)
	case c == '[' && leads && !r.layout.keeps(path):
		if _, ok := r.shapeAt(path + "[]"); ok || !r.layout.otlp && r.layout.leads(path+"[]") {
			r.found = true // even if there is nothing in it
		}
		return r.json.each(']', func() error { return r.value(path+"[]", depth+1) })
	}
	keeps := r.layout.keeps(path)
	raw, err := r.json.value(keeps || r.layout.says(path))
	if err != nil {
		return err
	}
	if keeps {
		r.keep[path] = append([]byte(nil), raw...)
	}
	r.note(path, raw)
	return nil
}

func (r *reader) shapeAt(path string) (shape, bool) {
	if r.layout.otlp {
		return shape{}, path == otlpRow || strings.HasSuffix(path, "."+otlpRow)
	}
	s, ok := r.layout.rows[path]
	return s, ok
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
