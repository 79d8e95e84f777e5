// SPDX-License-Identifier: Apache-2.0

// Package grpcgzip makes gRPC's gzip that of klauspost/compress, in the whole process, for sending and for receiving. The
// format is the same, and any server or client takes it; the cost is a fraction.
//
// Import it for its effect. It takes the place of gRPC's own compressor, which is registered when that package is
// initialized, which is before.
package grpcgzip

import (
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/grpc/encoding"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
)

// level is the library's fastest with a window. BenchmarkLevels prints what each costs and saves.
const level = gzip.BestSpeed

// noTime is 0 in a header. Unset, this library writes a date of 2042.
var noTime = time.Unix(0, 0)

func init() { encoding.RegisterCompressor(&compressor{}) }

// compressor implements [encoding.Compressor]. Its pools hold what requests under way need, and nothing for a connection:
// gRPC reads at most a byte more than the largest request that it takes, so that a small request cannot ask for more.
type compressor struct{ writers, readers sync.Pool }

func (*compressor) Name() string { return grpcgzip.Name }

func (c *compressor) Compress(w io.Writer) (io.WriteCloser, error) {
	z, ok := c.writers.Get().(*writer)
	if !ok {
		inner, err := gzip.NewWriterLevel(w, level)
		if err != nil {
			return nil, err
		}
		z = &writer{inner, &c.writers}
	} else {
		z.Reset(w)
	}
	z.ModTime = noTime
	return z, nil
}

type writer struct {
	*gzip.Writer
	pool *sync.Pool
}

func (z *writer) Close() error {
	defer z.pool.Put(z)
	return z.Writer.Close()
}

func (c *compressor) Decompress(r io.Reader) (io.Reader, error) {
	z, ok := c.readers.Get().(*reader)
	if !ok {
		inner, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		return &reader{inner, &c.readers}, nil
	}
	if err := z.Reset(r); err != nil {
		c.readers.Put(z)
		return nil, err
	}
	return z, nil
}

type reader struct {
	*gzip.Reader
	pool *sync.Pool
}

// Close is called by gRPC when it has read what it wants.
func (z *reader) Close() error {
	defer z.pool.Put(z)
	return z.Reader.Close()
}
