// SPDX-License-Identifier: Apache-2.0

package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

const bufferSize = 256 << 10

// Read reads the files of a store's export, one of [Stores], and calls emit with every record. The record and what it points to are valid only
// until emit returns. Its place is the file and the number of the record in it, from 1: in a file of lines, the line.
//
// lacking reports whether the answers say themselves that there are more records than are in them. A file that cannot be read, or that is
// something else, does not keep Read from the others; the error joins one for each, with the line and what to do. An error of emit, or the
// end of ctx, stops Read at once. Of [archive.Options], Stdin and Progress count. Read does not panic: see [archive.InternalError].
func Read(ctx context.Context, store string, files []string, opts archive.Options, emit func(*verifier.Observed) error) (lacking bool, err error) {
	defer archive.Recover(&err)
	l, err := find(store)
	if err != nil {
		return false, err
	}
	in := &input{ctx: ctx, opts: opts, finder: finder{layout: l}}
	in.finder.emit = func(o *verifier.Observed) error {
		if err := emit(o); err != nil {
			return &emitError{err}
		}
		return nil
	}
	var errs []error
	for _, file := range files {
		err := in.read(file)
		var stop *emitError
		if errors.As(err, &stop) {
			return false, stop.error
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	return lackingPages(in.pages), errors.Join(errs...)
}

// emitError is an error of who is given the records, which is none of a file.
type emitError struct{ error }

// Verify is [archive.Verify] for a store's export. From and until are the ends of the interval that is asked for; the zero time is none.
// See [verifier.Coverage].
func Verify(ctx context.Context, store string, files []string, v *verifier.Verifier, from, until time.Time, opts archive.Options) (report *verifier.Report, err error) {
	defer archive.Recover(&err)
	for {
		v.Cover(verifier.Coverage{From: from, Until: until})
		lacking, readErr := Read(ctx, store, files, opts, func(o *verifier.Observed) error {
			v.Prepare(o)
			v.Add(o)
			return nil
		})
		if ctx.Err() != nil {
			return nil, readErr
		}
		v.Cover(verifier.Coverage{From: from, Until: until, Lacking: lacking || readErr != nil})
		report, err = v.Finish(until)
		if err != nil {
			return nil, err
		}
		next := v.Again()
		if next == nil || readErr != nil {
			return report, readErr
		}
		if archive.ReadOnce(files) {
			return nil, archive.ErrReadTwice
		}
		v = next
	}
}

// input is the files of an export.
type input struct {
	ctx    context.Context
	opts   archive.Options
	finder finder
	pages  []page
}

func (in *input) read(name string) error {
	file := in.opts.Stdin
	if name != archive.Stdin {
		f, err := os.Open(name)
		if err != nil {
			return errors.Unwrap(err) // the caller names the file
		}
		defer f.Close()
		file = f
	} else if file == nil {
		file = os.Stdin
	}
	unpacked, err := archive.Unpack(progress{file, in})
	if err != nil {
		return err
	}
	defer unpacked.Close()
	b := bufio.NewReaderSize(unpacked, bufferSize)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = b.Discard(len(mark))
	}
	r := &reader{
		layout: in.finder.layout,
		json:   scanner{r: b, line: 1},
		row: func(number int, raw []byte, s shape, keep map[string][]byte) error {
			return in.row(finding.Place{File: name, Line: number}, raw, s, keep)
		},
		fault: func(number int, reason finding.Reason) error {
			return in.finder.fault(reason, finding.Place{File: name, Line: number})
		},
	}
	err = r.file()
	in.pages = append(in.pages, r.pages...)
	return err
}

// row reads one record.
func (in *input) row(at finding.Place, raw []byte, s shape, keep map[string][]byte) error {
	if in.finder.layout.otlp {
		return in.finder.otlp(raw, at)
	}
	r := row{repeats: in.finder.layout.repeats}
	names := s.names
	if s.header != "" {
		names = headerNames(keep[s.header])
	}
	if s.with != "" {
		if beside, ok := keep[s.with]; ok {
			r.read(beside, nil, in.finder.layout.plain)
		}
	}
	r.read(raw, names, in.finder.layout.plain)
	return in.finder.find(&r, at)
}

// headerNames returns the names in a list of names, or of objects with a name.
func headerNames(raw []byte) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var objects []struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(raw, &objects) != nil {
		return nil
	}
	for _, o := range objects {
		list = append(list, o.Name)
	}
	return list
}

// progress reports what is read, and ends with the context.
type progress struct {
	io.Reader
	in *input
}

func (p progress) Read(b []byte) (int, error) {
	if err := p.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.Reader.Read(b)
	if p.in.opts.Progress != nil {
		p.in.opts.Progress(n)
	}
	return n, err
}
