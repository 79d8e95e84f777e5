// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// MaxFrame is the size in bytes of the largest line or message that is read. The collector's receivers take requests of a
	// few MiB; one that is larger than this is malformed and is stepped over. It is below the number that any text
	// or compressed file would give when its first four bytes were read as a length, so that formats can be told apart.
	MaxFrame = 64 << 20

	// maxWindow bounds the memory that a compressed file can demand of us.
	maxWindow = 64 << 20

	bufferSize = 256 << 10
	maxFrames  = 4096 // a chunk
)

// ErrUnrecognised says that a file is in none of the formats that an archive may have.
var ErrUnrecognised = errors.New("not an archive of logs: expected OTLP JSON lines or length-prefixed OTLP messages, plain or compressed with gzip or zstd")

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// frame is a line or a length-prefixed message, not decoded yet.
type frame struct {
	number     int            // of the line, or of the message, from 1
	start, end int            // in the chunk's buffer
	fault      finding.Reason // why there is no data, or empty
	message    bool           // length-prefixed: JSON or protobuf, maybe compressed by itself
	unfinished bool           // the file ends here, and the frame may be cut off
}

// splitter cuts a file into frames and hands them over in chunks.
type splitter struct {
	chunk *chunk                // being filled; ours until it is sent
	send  func(*chunk)          // takes a chunk for good
	empty func(last int) *chunk // gives an empty one, for the frames behind number last of the same file

	file, unpacked *bufio.Reader // for what is read of a file, and of what is compressed in it
}

func (s *splitter) add(f frame) {
	c := s.chunk
	c.frames = append(c.frames, f)
	// A message that is compressed by itself goes alone: what a chunk of thousands would unpack to has no bound.
	packed := f.message && bytes.HasPrefix(c.buf[f.start:], zstdMagic)
	if len(c.buf) >= bufferSize || len(c.frames) >= maxFrames || packed {
		s.chunk = nil
		s.send(c)
		s.chunk = s.empty(c.last)
	}
}

// split reads a file to its end. An error is one of reading or of recognising the file; what is wrong within it, is in the frames.
func (s *splitter) split(file io.Reader) error {
	r := reuse(&s.file, file)
	packed, err := unpack(r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		s.add(frame{number: 1, fault: finding.FileUnfinished})
		return nil
	}
	if err != nil {
		return err
	}
	if packed != nil {
		r = reuse(&s.unpacked, packed)
		defer packed.Close()
	}
	head, err := r.Peek(bufferSize / 2)
	if err != nil && !errors.Is(err, io.EOF) && packed == nil {
		return err
	}
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil // an empty file holds no records, which is for the verifier to judge
	case len(head) == 0:
		fault := finding.CompressionDamaged
		if errors.Is(err, io.ErrUnexpectedEOF) {
			fault = finding.FileUnfinished
		}
		s.add(frame{number: 1, fault: fault})
		return nil
	case isLines(head):
		err = s.lines(r)
	case isMessages(head):
		err = s.messages(r)
	default:
		return ErrUnrecognised
	}
	if packed != nil && err != nil {
		// Where a compressed stream is damaged its rest is lost, but what came before it stands.
		fault := finding.CompressionDamaged
		if errors.Is(err, io.ErrUnexpectedEOF) {
			fault = finding.FileUnfinished
		}
		s.add(frame{number: s.chunk.last + 1, fault: fault})
		return nil
	}
	return err
}

func reuse(r **bufio.Reader, from io.Reader) *bufio.Reader {
	if *r == nil {
		*r = bufio.NewReaderSize(from, bufferSize)
	} else {
		(*r).Reset(from)
	}
	return *r
}

// unpack returns a reader of what is compressed in r, nil when nothing is.
func unpack(r *bufio.Reader) (io.ReadCloser, error) {
	magic, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		switch {
		case err != nil && len(magic) == 4 && magic[2] == 8 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, ErrUnrecognised
		}
		return z, nil
	case bytes.Equal(magic, zstdMagic):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, nil
}

// isLines reports whether a file that begins with head holds JSON lines. The first line may have been damaged.
func isLines(head []byte) bool {
	first := bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n")
	if len(first) == 0 || first[0] == '{' {
		return true
	}
	return !isMessages(head) && bytes.Contains(head, []byte("\n{"))
}

// isMessages reports whether head begins with a length and then with a message.
func isMessages(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	n := binary.BigEndian.Uint32(head)
	if n > MaxFrame || n > 0 && len(head) < 5 {
		return false
	}
	return n == 0 || head[4] == '{' || uint64(head[4]) == 1<<3|wireLen || head[4] == zstdMagic[0]
}

func (s *splitter) messages(r *bufio.Reader) error {
	for number := 1; ; number++ {
		c := s.chunk
		f := frame{number: number, start: len(c.buf), message: true}
		var prefix [4]byte
		switch n, err := io.ReadFull(r, prefix[:]); {
		case err == io.EOF:
			return nil
		case err == io.ErrUnexpectedEOF && n > 0:
			f.fault = finding.MessageUnfinished
			s.add(f)
			return nil
		case err != nil:
			return err
		}
		size := int64(binary.BigEndian.Uint32(prefix[:]))
		var err error
		if size > MaxFrame {
			f.fault = finding.TooLong
			_, err = io.CopyN(io.Discard, r, size)
		} else {
			f.end = f.start + int(size)
			c.buf, err = appendN(c.buf, r, int(size))
		}
		c.last = number
		switch {
		case err == nil:
			s.add(f)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if f.fault == "" {
				f.fault = finding.MessageUnfinished
			}
			c.buf = c.buf[:f.start]
			s.add(f)
			return nil
		default:
			return err
		}
	}
}

// appendN appends n bytes of r, without making room for more than has been read: the length is only a claim.
func appendN(dst []byte, r io.Reader, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, 1<<20)
		at := len(dst)
		dst = append(dst, make([]byte, step)...)
		m, err := io.ReadFull(r, dst[at:])
		if err != nil {
			return dst[:at+m], err
		}
		n -= step
	}
	return dst, nil
}
