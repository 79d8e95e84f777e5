// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/logseal/logseal/pkg/seal"
)

// Options of [Read]. The zero value is ready.
type Options struct {
	// Prepare, when set, is called for each record from several goroutines at once, before the record is emitted: the
	// place for work that needs no order, such as [seal.Verifier.Prepare].
	Prepare func(*seal.Observed)

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
// stops Read at once.
func Read(ctx context.Context, files []string, opts Options, emit func(*seal.Observed) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	r := &reader{
		ctx:   ctx,
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
			if err := r.read(file); err != nil {
				if ctx.Err() != nil {
					return
				}
				errs = append(errs, err)
			}
		}
	})

	var stopped error
	for c := range r.order {
		<-c.done
		for i := range c.records {
			if stopped == nil {
				stopped = emit(&c.records[i])
			}
		}
		if stopped != nil {
			cancel()
		}
		c.buf, c.frames = c.buf[:0], c.frames[:0]
		if cap(c.buf) > 4*bufferSize { // one huge frame does not stay in memory for ever
			*c = chunk{done: c.done}
		}
		r.free <- c
	}
	group.Wait()
	if stopped != nil {
		return stopped
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// chunk is a run of frames of one file on its way from the file to emit.
type chunk struct {
	file    string
	buf     []byte
	frames  []frame
	last    int // number of the last frame that was begun
	decoder decoder
	records []seal.Observed // the decoder's
	done    chan struct{}   // holds a value when records are there
}

type reader struct {
	ctx   context.Context
	opts  Options
	work  chan *chunk
	order chan *chunk // the chunks of work, in order; each is waited for
	free  chan *chunk
}

func (r *reader) read(name string) error {
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
	s := splitter{chunk: r.empty(name, 0)}
	s.flush = func() *chunk {
		c := s.chunk
		last := c.last
		r.order <- c
		r.work <- c
		return r.empty(name, last)
	}
	err := s.split(progressReader{file, r})
	s.flush()
	r.free <- s.chunk
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (r *reader) empty(file string, last int) *chunk {
	c := <-r.free
	c.file, c.last = file, last
	return c
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
	var unzstd *zstd.Decoder
	var unpacked []byte
	defer func() {
		if unzstd != nil {
			unzstd.Close()
		}
	}()
	for c := range r.work {
		d := &c.decoder
		d.begin()
		for _, f := range c.frames {
			first := len(d.records)
			var data []byte
			if f.fault == "" {
				data = c.buf[f.start:f.end]
			}
			switch {
			case f.fault != "":
				d.beginFrame()
				d.broken(f.fault)
			case !f.message:
				d.decodeJSON(data)
			default:
				if len(data) >= 4 && string(data[:4]) == string(zstdMagic) {
					if unzstd == nil {
						unzstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxFrame))
					}
					var err error
					if unpacked, err = unzstd.DecodeAll(data, unpacked[:0]); err != nil {
						d.beginFrame()
						d.broken("its compressed data is damaged, or of more than 64 MiB")
						break
					}
					data = unpacked
				}
				if len(data) > 0 && data[0] == '{' {
					d.decodeJSON(data)
				} else {
					d.decodeProto(data)
				}
			}
			for i := first; i < len(d.records); i++ {
				o := &d.records[i]
				o.Place = seal.Place{File: c.file, Line: f.number}
				if r.opts.Prepare != nil {
					r.opts.Prepare(o)
				}
			}
		}
		c.records = d.records
		c.done <- struct{}{}
	}
}
