// SPDX-License-Identifier: Apache-2.0

package stampprocessor

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
	"sync"

	"github.com/logseal/logseal/pkg/seal/sealer"
)

// leafLog keeps the leaves that no seal covers yet, in files of its own that are appended to and removed whole. A storage
// extension could do it, but a record's leaf is written once, read after a crash only, and needed for a second: bbolt takes
// 60 µs and five page writes for what a file takes in 3 µs, with every batch. What is written survives the process, like what
// file_storage keeps by default, and not a loss of power; the sealer says so then.
//
// It is a [seal.Store] without transactions and without durable deletes: after a restart, deleted values of files that are
// still there are there again, until forget.
type leafLog struct {
	dir string

	mu      sync.Mutex
	file    *os.File // the segment that is appended to, nil before the first
	segment uint64   // its number, or that of the last there was
	size    int64
	buf     []byte
	places  map[string]place // where a key's value is
	live    map[uint64]int   // how many of a segment's entries places has; none for those that are gone
}

type place struct {
	segment uint64
	offset  int64
	size    int
}

// A segment holds entries: a checksum of the rest, the lengths of key and value, both.
const (
	segmentSize = 1 << 20
	entryHeader = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openLeafLog opens the log in a folder, which it makes if there is none.
func openLeafLog(dir string) (*leafLog, error) {
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
	l := &leafLog{dir: dir, places: map[string]place{}, live: map[uint64]int{}}
	for _, n := range segments {
		data, err := os.ReadFile(l.path(n))
		if err != nil {
			return nil, err
		}
		l.segment, l.live[n] = n, 0
		for key, p := range entriesOf(data) {
			p.segment = n
			l.put(key, p)
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

func (l *leafLog) path(segment uint64) string {
	return filepath.Join(l.dir, strconv.FormatUint(segment, 10))
}

// Batch implements [seal.Store].
func (l *leafLog) Batch(_ context.Context, ops ...*sealer.Op) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, op := range ops {
		switch op.Kind {
		case sealer.OpGet:
			op.Value, err = l.get(op.Key)
		case sealer.OpSet:
			err = l.set(op.Key, op.Value)
		case sealer.OpDelete:
			err = l.remove(op.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *leafLog) get(key string) ([]byte, error) {
	p, found := l.places[key]
	if !found {
		return nil, nil
	}
	f, err := os.Open(l.path(p.segment))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	value := make([]byte, p.size)
	_, err = f.ReadAt(value, p.offset)
	return value, err
}

func (l *leafLog) set(key string, value []byte) error {
	b := append(l.buf[:0], make([]byte, entryHeader)...)
	b = append(append(b, key...), value...)
	binary.BigEndian.PutUint32(b[4:], uint32(len(key)))
	binary.BigEndian.PutUint32(b[8:], uint32(len(value)))
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
	l.put(key, place{l.segment, l.size - int64(len(value)), len(value)})
	if cap(l.buf) > segmentSize {
		l.buf = nil
	}
	return nil
}

// next begins a segment.
func (l *leafLog) next() error {
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

// put notes where a key's value is now.
func (l *leafLog) put(key string, p place) {
	if old, found := l.places[key]; found {
		l.live[old.segment]--
	}
	l.places[key] = p
	l.live[p.segment]++
}

func (l *leafLog) remove(key string) error {
	p, found := l.places[key]
	if !found {
		return nil
	}
	delete(l.places, key)
	l.live[p.segment]--
	return l.sweep(p.segment)
}

// sweep removes a segment that holds nothing any more, but for the one that is appended to.
func (l *leafLog) sweep(segment uint64) error {
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

// forget removes everything.
func (l *leafLog) forget() error {
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

func (l *leafLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closeFile()
}

func (l *leafLog) closeFile() error {
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}
