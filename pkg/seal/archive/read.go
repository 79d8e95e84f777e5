// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// Options of [Read]. The zero value is ready.
type Options struct {
	// Prepare, when set, is called for each record from several goroutines at once, before the record is emitted: the
	// place for work that needs no order, such as [verifier.Verifier.Prepare].
	Prepare func(*verifier.Observed)

	// Progress, when set, is called with the number of bytes that were read since its last call.
	Progress func(n int)

	// Stdin is what the path "-" reads; os.Stdin when nil.
	Stdin io.Reader
}

// maxWorkers bounds the memory of what is read ahead. What emit does in order takes as long as the work of a few.
const maxWorkers = 8

// Read reads the files, as [Files] lists them, and calls emit with every record in order, from one goroutine. The record and
// what it points to are valid only until emit returns.
//
// What is wrong within a file is emitted as a malformed record. A file that cannot be read or recognised does not keep Read from
// the others: the error that it returns in the end joins one for each such file. An error of emit, or the end of ctx,
// stops Read at once; so does a panic, in emit or elsewhere, which is returned as an [*InternalError].
func Read(ctx context.Context, files []string, opts Options, emit func(*verifier.Observed) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	r := &reader{
		ctx:   ctx,
		stop:  cancel,
		opts:  opts,
		work:  make(chan *chunk, workers),
		order: make(chan *chunk, 2*workers),
		free:  make(chan *chunk, 4*workers),
	}
	for range cap(r.free) {
		r.free <- &chunk{done: make(chan struct{}, 1)}
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(r.decode)
	}
	var errs []error
	group.Go(func() {
		defer close(r.work)
		defer close(r.order)
		for _, file := range files {
			err := r.read(file)
			var internal *InternalError
			if errors.As(err, &internal) {
				cancel(err)
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
	})

	for c := range r.order {
		<-c.done
		if ctx.Err() == nil {
			if err := emitAll(c.records, emit); err != nil {
				cancel(err)
			}
		}
		r.free <- c.reset()
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return errors.Join(errs...)
}

func emitAll(records []verifier.Observed, emit func(*verifier.Observed) error) (err error) {
	defer Recover(&err)
	for i := range records {
		if err := emit(&records[i]); err != nil {
			return err
		}
	}
	return nil
}

// chunk is a run of frames of one file on its way from the file to emit. It has one owner at a time: who fills it, then, once it is
// sent, the worker that decodes it, then, once it is done, Read, which puts it among the free ones.
type chunk struct {
	file    string
	buf     []byte
	frames  []frame
	last    int // number of the last frame that was begun
	decoder decoder
	records []verifier.Observed // the decoder's
	done    chan struct{}       // holds a value when records are there
}

// reset makes an emitted chunk ready to be filled. What a huge frame took does not stay in memory for ever.
func (c *chunk) reset() *chunk {
	if cap(c.buf) > 4*bufferSize || cap(c.decoder.out) > 16*bufferSize {
		*c = chunk{done: c.done}
	}
	c.buf, c.frames, c.records = c.buf[:0], c.frames[:0], nil
	return c
}

type reader struct {
	ctx   context.Context
	stop  context.CancelCauseFunc
	opts  Options
	work  chan *chunk
	order chan *chunk // the chunks of work, in order; each is waited for
	free  chan *chunk

	splitter splitter
}

func (r *reader) read(name string) (err error) {
	defer Recover(&err)
	var file io.Reader
	if name == Stdin {
		if file = r.opts.Stdin; file == nil {
			file = os.Stdin
		}
	} else {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		file = f
	}
	empty := func(last int) *chunk {
		c := <-r.free
		c.file, c.last = name, last
		return c
	}
	s := &r.splitter
	s.chunk, s.send, s.empty = empty(0), r.send, empty
	err = s.split(progressReader{file, r})
	r.send(s.chunk)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// send gives a chunk away, to be decoded and emitted.
func (r *reader) send(c *chunk) {
	r.order <- c
	r.work <- c
}

// progressReader reports what is read, and ends with the context.
type progressReader struct {
	io.Reader
	r *reader
}

func (p progressReader) Read(b []byte) (int, error) {
	if err := p.r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.Reader.Read(b)
	if p.r.opts.Progress != nil {
		p.r.opts.Progress(n)
	}
	return n, err
}

// decode is a worker.
func (r *reader) decode() {
	u := new(unzstd)
	defer u.close()
	for c := range r.work {
		if err := r.decodeChunk(c, u); err != nil {
			c.decoder, c.records = decoder{}, nil
			r.stop(err)
		}
		c.done <- struct{}{}
	}
}

func (r *reader) decodeChunk(c *chunk, u *unzstd) (err error) {
	defer Recover(&err)
	d := &c.decoder
	d.begin()
	for _, f := range c.frames {
		first := len(d.records)
		if f.fault != "" {
			d.beginFrame()
			d.broken(f.fault)
		} else {
			d.unfinished = f.unfinished
			d.decodeFrame(c.buf[f.start:f.end], f.message, u)
		}
		for i := first; i < len(d.records); i++ {
			o := &d.records[i]
			o.Place = finding.Place{File: c.file, Line: f.number}
			if r.opts.Prepare != nil {
				r.opts.Prepare(o)
			}
		}
	}
	c.records = d.records
	return nil
}

func (d *decoder) decodeFrame(data []byte, message bool, u *unzstd) {
	if message && bytes.HasPrefix(data, zstdMagic) {
		var err error
		if data, err = u.unpack(data); err != nil {
			d.beginFrame()
			d.broken(finding.CompressionDamaged)
			return
		}
	}
	if !message || len(data) > 0 && data[0] == '{' {
		d.decodeJSON(data)
	} else {
		d.decodeProto(data)
	}
}

// unzstd unpacks messages that are compressed by themselves.
type unzstd struct {
	decoder *zstd.Decoder
	buf     []byte
}

// unpack returns what is compressed in data; it is valid until the next call.
func (u *unzstd) unpack(data []byte) (_ []byte, err error) {
	if u.decoder == nil {
		if u.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxFrame)); err != nil {
			return nil, err
		}
	}
	u.buf, err = u.decoder.DecodeAll(data, u.buf[:0])
	return u.buf, err
}

func (u *unzstd) close() {
	if u.decoder != nil {
		u.decoder.Close()
	}
}
