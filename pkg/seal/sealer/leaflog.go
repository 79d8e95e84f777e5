// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// LeafLog is [Leaves] in files of their own that are appended to and removed whole. A database could keep them, but a
// record's leaf is written once, read after a crash only, and needed for a second: bbolt takes 60 µs and five page writes for
// what a file takes in 3 µs, with every batch. What is written survives the process, and not a loss of power; the [Sealer] says so
// then.
type LeafLog struct {
	dir    string
	prefix string // of the keys of the stream's chunks

	mu      sync.Mutex
	file    *os.File // the segment that is appended to, nil before the first
	segment uint64   // its number, or that of the last there was
	size    int64
	buf     []byte
	places  map[uint64]place // where a chunk is
	live    map[uint64]int   // how many of a segment's chunks places has; none for segments that are gone
}

type place struct {
	segment uint64
	offset  int64
	size    int
}

// A segment holds entries: a checksum of the rest, the lengths of key and value, both. The key is a chunk's, and says of which
// stream it is; the value is the chunk.
const (
	segmentSize = 1 << 20
	entryHeader = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenLeafLog opens a stream's log in a folder, which it makes if there is none. What another stream has left there is not read,
// and goes with [LeafLog.Forget].
func OpenLeafLog(dir, streamID string) (*LeafLog, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segments []uint64
	for _, entry := range entries {
		n, err := strconv.ParseUint(entry.Name(), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s is not of a stamp: it needs %s for itself", entry.Name(), dir)
		}
		segments = append(segments, n)
	}
	slices.Sort(segments)
	l := &LeafLog{dir: dir, prefix: chunkPrefix(streamID), places: map[uint64]place{}, live: map[uint64]int{}}
	for _, n := range segments {
		data, err := os.ReadFile(l.path(n))
		if err != nil {
			return nil, err
		}
		l.segment, l.live[n] = n, 0
		for key, p := range entriesOf(data) {
			written, ours := strings.CutPrefix(key, l.prefix)
			if number, err := strconv.ParseUint(written, 10, 64); ours && err == nil {
				p.segment = n
				l.put(number, p)
			}
		}
	}
	return l, nil
}

// entriesOf yields the entries of a segment up to the first that is not whole: where a write was cut short, nothing follows
// that anybody was told is stored.
func entriesOf(data []byte) func(yield func(string, place) bool) {
	return func(yield func(string, place) bool) {
		for at := 0; len(data)-at >= entryHeader; {
			key, value := int64(binary.BigEndian.Uint32(data[at+4:])), int64(binary.BigEndian.Uint32(data[at+8:]))
			if entryHeader+key+value > int64(len(data)-at) {
				return
			}
			end := at + entryHeader + int(key+value)
			if crc32.Checksum(data[at+4:end], castagnoli) != binary.BigEndian.Uint32(data[at:]) {
				return
			}
			p := place{offset: int64(end) - value, size: int(value)}
			if !yield(string(data[at+entryHeader:end-int(value)]), p) {
				return
			}
			at = end
		}
	}
}

func (l *LeafLog) path(segment uint64) string {
	return filepath.Join(l.dir, strconv.FormatUint(segment, 10))
}

// Load implements [Leaves].
func (l *LeafLog) Load(_ context.Context, number uint64) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, found := l.places[number]
	if !found {
		return nil, nil
	}
	f, err := os.Open(l.path(p.segment))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	chunk := make([]byte, p.size)
	_, err = f.ReadAt(chunk, p.offset)
	return chunk, err
}

// Append implements [Leaves].
func (l *LeafLog) Append(_ context.Context, number uint64, chunk []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.buf[:0], make([]byte, entryHeader)...)
	b = strconv.AppendUint(append(b, l.prefix...), number, 10)
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)-entryHeader))
	binary.BigEndian.PutUint32(b[8:], uint32(len(chunk)))
	b = append(b, chunk...)
	binary.BigEndian.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
	l.buf = b
	if l.file == nil || l.size > 0 && l.size+int64(len(b)) > segmentSize {
		if err := l.next(); err != nil {
			return err
		}
	}
	if _, err := l.file.WriteAt(b, l.size); err != nil {
		// What was written of it is in the way of nothing: the next entry takes its place.
		return errors.Join(err, l.file.Truncate(l.size))
	}
	l.size += int64(len(b))
	l.put(number, place{l.segment, l.size - int64(len(chunk)), len(chunk)})
	if cap(l.buf) > segmentSize {
		l.buf = nil
	}
	return nil
}

// next begins a segment.
func (l *LeafLog) next() error {
	f, err := os.OpenFile(l.path(l.segment+1), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	last := l.segment
	err = l.closeFile()
	l.file, l.size, l.segment = f, 0, l.segment+1
	l.live[l.segment] = 0
	return errors.Join(err, l.sweep(last))
}

// put notes where a chunk is now.
func (l *LeafLog) put(number uint64, p place) {
	if old, found := l.places[number]; found {
		l.live[old.segment]--
	}
	l.places[number] = p
	l.live[p.segment]++
}

// Drop implements [Leaves].
func (l *LeafLog) Drop(_ context.Context, numbers ...uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, number := range numbers {
		p, found := l.places[number]
		if !found {
			continue
		}
		delete(l.places, number)
		l.live[p.segment]--
		if err := l.sweep(p.segment); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes a segment that holds nothing any more, but for the one that is appended to.
func (l *LeafLog) sweep(segment uint64) error {
	live, there := l.live[segment]
	if !there || live > 0 || (l.file != nil && segment == l.segment) {
		return nil
	}
	if err := os.Remove(l.path(segment)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(l.live, segment)
	return nil
}

// Forget implements [Leaves].
func (l *LeafLog) Forget(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.closeFile()
	clear(l.places)
	for segment := range l.live {
		l.live[segment] = 0
		err = errors.Join(err, l.sweep(segment))
	}
	return err
}

// Close closes the file that is appended to.
func (l *LeafLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closeFile()
}

func (l *LeafLog) closeFile() error {
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}
