// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"time"
)

const (
	// houseRoom is kept in a segment for the entries by which others are given up: where they find no room, nothing would
	// ever be freed.
	houseRoom = 4096
	// frameHouse is a batch that may use it.
	frameHouse = 0
)

// recentBytes bounds, for each log, the bulk values that are kept in memory until they are read for the first time.
const recentBytes = 4 << 20

// Log is the storage of one client. Its methods may be called concurrently.
type Log struct {
	store  *Store
	client string
	dir    string

	mu       sync.Mutex
	closed   bool
	index    map[string]location
	segments []*segment // in the order of their numbers; the last one may be written
	active   *segment   // nil until there is something to write
	next     uint64     // number of the next segment
	doomed   []*segment // nothing in them is needed once what made it so is on the disk

	spares      []spare
	spareNumber int
	segmentSize int64
	lastRoll    time.Time
	lastWrite   time.Time

	recent     map[string][]byte
	recentSize int
	unlogged   []tomb // deletions that found no room
	drained    bool   // a segment has nothing left that lives

	buf     []byte
	changes []change
}

// location is where a value is.
type location struct {
	segment                   *segment
	off, frame, value, length uint32
	oldest                    uint64 // the first segment that may still hold a former value of the key
}

// Get returns the value of key, nil if there is none. ErrLost is returned once for a value that is damaged; after that
// there is none. Any other error is the disk's, and the value may be read later.
func (l *Log) Get(key string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if value, ok := l.recent[key]; ok {
		l.forget(key)
		return value, nil
	}
	at, ok := l.index[key]
	if !ok {
		return nil, nil
	}
	value, err := l.read(key, at)
	if err != nil {
		return nil, err
	}
	return value, nil
}

func (l *Log) read(key string, at location) ([]byte, error) {
	text, err := at.segment.read(at.off, at.frame)
	if err == nil && uint64(at.value)+uint64(at.length) > uint64(len(text)) {
		err = errDamaged
	}
	if err == nil {
		return text[at.value : at.value+at.length : at.value+at.length], nil
	}
	if !errors.Is(err, errDamaged) {
		at.segment.bad = true
		return nil, fmt.Errorf("segment %d of %s: %w", at.segment.number, l.client, err)
	}
	if !l.store.opts.ReadOnly {
		l.bury(key, at)
	}
	l.store.lose(Loss{Client: l.client, Segment: at.segment.number, Offset: int64(at.off), Entries: 1, Key: key, Reason: "altered or damaged"})
	return nil, ErrLost
}

// GiveUp forgets a value that the disk cannot read any more, and reports it as lost.
func (l *Log) GiveUp(key string, reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.index[key]
	if !ok || l.closed {
		return
	}
	l.bury(key, at)
	l.store.lose(Loss{Client: l.client, Segment: at.segment.number, Offset: int64(at.off), Entries: 1, Key: key, Reason: reason.Error()})
}

// Len returns how many keys there are.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.index)
}

// Range calls f for each key with the length of its value, in no order, until f returns false. f must not call the log.
func (l *Log) Range(f func(key string, length int) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, at := range l.index {
		if !f(key, int(at.length)) {
			return
		}
	}
}

// Since returns when the segment with the oldest value was begun, and the zero time if there is none.
func (l *Log) Since() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, seg := range l.segments {
		if seg.live > 0 {
			return seg.created
		}
	}
	return time.Time{}
}

// Apply stores a batch: all of it or, with an error, nothing that counts. Values marked as bulk belong to the log from
// then on. A batch of deletions alone always succeeds in memory: on a full disk they are written when there is room, and
// a kill before that brings their values back.
func (l *Log) Apply(ops ...Op) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	bulk, sets, size := l.prepare(ops)
	if len(l.changes) == 0 {
		return nil
	}
	if size > maxFrame-frameOverhead {
		return fmt.Errorf("a batch of %d bytes is larger than the %d that an entry can hold", size, maxFrame)
	}
	encode := func() {
		n := 0
		for i := range ops {
			if n == len(l.changes) || l.changes[n].kind != ops[i].Kind || l.changes[n].key != ops[i].Key {
				continue
			}
			var value int
			l.buf, value = appendOp(l.buf, &ops[i])
			l.changes[n].value = uint32(value - frameHeaderSize - nonceSize)
			n++
		}
	}
	err := l.write(frameBatch, bulk, encode)
	if errors.Is(err, ErrFull) && l.relieve() {
		l.prepare(ops)
		err = l.write(frameBatch, bulk, encode)
	}
	if err != nil {
		return l.unwritten(err, sets)
	}
	for i := range ops {
		if op := &ops[i]; op.Kind == Set && op.Bulk && l.recentSize+len(op.Value) <= recentBytes {
			l.recent[op.Key] = op.Value
			l.recentSize += len(op.Value)
		}
	}
	if l.store.opts.Sync == SyncInterval {
		return nil // tick does the rest
	}
	dead, doomed := l.deadSegments(), l.doomed
	if err := l.syncLocked(); err != nil {
		l.drained = l.drained || len(dead) > 0
		return err
	}
	l.doomed = nil
	l.destroy(doomed)
	l.drop(dead)
	return nil
}

// prepare makes l.changes of a batch. Deletions of what is not there are left out.
func (l *Log) prepare(ops []Op) (bulk, sets bool, size int) {
	l.changes = l.changes[:0]
	for i := range ops {
		op := &ops[i]
		if op.Kind == Delete {
			if _, there := l.index[op.Key]; !there && !sets {
				continue
			}
		} else {
			sets = true
		}
		bulk = bulk || op.Bulk
		size += len(op.Key) + len(op.Value) + 24
		l.changes = append(l.changes, change{kind: op.Kind, key: op.Key, length: uint32(len(op.Value))})
	}
	return bulk, sets, size
}

// unwritten is what a batch answers that could not be written.
func (l *Log) unwritten(err error, sets bool) error {
	full := errors.Is(err, ErrFull)
	if full {
		l.store.refused.Add(1)
		l.store.fullSince.CompareAndSwap(0, time.Now().UnixNano())
	} else {
		l.store.outcome(err)
	}
	if sets {
		return err
	}
	for _, c := range l.changes {
		l.bury(c.key, l.index[c.key])
	}
	if full && l.store.opts.Sync != SyncAlways {
		return nil
	}
	return err
}

// bury takes a key out of the index although no deletion of it could be logged yet.
func (l *Log) bury(key string, at location) {
	if at.segment == nil {
		return
	}
	l.unlogged = append(l.unlogged, tomb{key, at.oldest, at.segment.number})
	l.unindex(key, at)
	l.forget(key)
	l.drained = l.drained || at.segment.live == 0
}

func (l *Log) unindex(key string, at location) {
	at.segment.live--
	at.segment.liveBytes -= int64(at.length) + int64(len(key))
	delete(l.index, key)
}

func (l *Log) forget(key string) {
	if value, ok := l.recent[key]; ok {
		l.recentSize -= len(value)
		delete(l.recent, key)
	}
}

// write writes one frame, whose text encode appends to l.buf, and applies l.changes to the index.
func (l *Log) write(kind byte, bulk bool, encode func()) error {
	index, keep := 0, int64(houseRoom)
	if kind == frameHouse {
		kind, keep = frameBatch, 0
	}
	for i := range l.changes {
		index += len(l.changes[i].key) + 1 + 5*5
	}
	var err error
	ghost := uint64(math.MaxUint64)
	for range 2 {
		l.buf = append(l.buf[:0], make([]byte, frameHeaderSize+nonceSize)...)
		encode()
		size := frameLen(len(l.buf) - frameHeaderSize - nonceSize)
		if l.active == nil || l.active.room() < size+int64(index)+keep {
			if err = l.roll(size+int64(index)+houseRoom, bulk); err != nil {
				return err
			}
		}
		if err = l.writeInto(l.active, kind); err == nil {
			break
		}
		// What of it is on the disk is not known; this segment is not written any more.
		l.active.bad = true
		ghost = min(ghost, l.active.number)
		l.retire()
	}
	if cap(l.buf) > 1<<20 {
		l.buf = nil
	}
	if err != nil {
		return err
	}
	for i := range l.changes {
		l.apply(l.active, &l.changes[i])
		if at, ok := l.index[l.changes[i].key]; ok && at.oldest > ghost {
			at.oldest = ghost // the failed write may have left a value, too
			l.index[l.changes[i].key] = at
		}
	}
	l.lastWrite = time.Now()
	l.store.outcome(nil)
	if bulk && l.store.fullSince.Load() != 0 {
		l.store.fullSince.Store(0)
	}
	return nil
}

// writeInto seals what is in l.buf and writes it to the end of a segment.
func (l *Log) writeInto(s *segment, kind byte) error {
	off := s.end
	l.buf = sealFrame(l.buf, &s.key, s.place, off, s.frames, kind)
	frame := le32(l.buf[4:]) + frameHeaderSize
	if _, err := s.f.WriteAt(l.buf, off); err != nil {
		return fmt.Errorf("segment %d of %s: %w", s.number, l.client, err)
	}
	s.end += int64(len(l.buf))
	s.frames++
	s.unsynced = true
	l.store.written.Add(int64(len(l.buf)))
	for i := range l.changes {
		c := &l.changes[i]
		c.off, c.frame = uint32(off), frame
		s.index = appendChange(s.index, c)
	}
	return nil
}

// apply makes a change that is in segment s one of the index.
func (l *Log) apply(s *segment, c *change) {
	before, there := l.index[c.key]
	switch c.kind {
	case Set:
		at := location{segment: s, off: c.off, frame: c.frame, value: c.value, length: c.length, oldest: s.number}
		if there {
			at.oldest = before.oldest
			l.unindex(c.key, before)
		}
		l.forget(c.key)
		l.index[c.key] = at
		s.live++
		s.liveBytes += int64(c.length) + int64(len(c.key))
	case Delete:
		if !there {
			return
		}
		l.unindex(c.key, before)
		l.forget(c.key)
		if before.oldest != s.number {
			s.tombs = append(s.tombs, tomb{c.key, before.oldest, before.segment.number})
		}
	default:
		return
	}
	if there && before.segment.live == 0 && before.segment != l.active {
		l.drained = true
	}
}

// retire ends the writing of the active segment.
func (l *Log) retire() {
	if l.active == nil {
		return
	}
	l.active.closed = true
	if l.store.opts.Sync != SyncInterval {
		l.active.writeIndex()
	} // else when its frames are on the disk: an index that is there without them would hide the values before them
	l.active = nil
}

// roll begins the next segment, with room for need bytes of frames and of the index.
func (l *Log) roll(need int64, bulk bool) error {
	now := time.Now()
	manifest := make([]listed, 0, len(l.segments))
	for _, s := range l.segments {
		manifest = append(manifest, listed{s.number, s.keyID, s.frames})
	}
	minimal := framesStart + frameLen(listedSize*len(manifest)) + need + frameLen(0) + trailerSize
	minimal = (minimal + minSegment - 1) &^ (minSegment - 1)
	l.resize(now)
	sp, err := l.file(minimal, bulk)
	if err != nil {
		return err
	}
	if err := l.syncDrops(); err != nil {
		l.spares = append(l.spares, sp)
		return err
	}
	l.retire()
	s := l.store
	name := segmentName(l.next)
	seg, err := startSegment(sp.f, name, sp.size, l.next, l.client, s.opts.Keys[0], now)
	if err == nil {
		err = s.disk.Rename(filepath.Join(l.dir, sp.name), filepath.Join(l.dir, name))
	}
	if err != nil {
		l.remove(sp.name, sp.f, sp.size)
		return err
	}
	l.next++
	b := appendManifest(make([]byte, frameHeaderSize+nonceSize, frameLen(listedSize*len(manifest))), manifest)
	b = sealFrame(b, &seg.key, seg.place, seg.end, 0, frameManifest)
	_, err = sp.f.WriteAt(b, seg.end)
	if err == nil && s.opts.Sync != SyncNever {
		err = errors.Join(sp.f.Sync(), s.disk.SyncDir(l.dir))
	}
	if err != nil {
		l.remove(name, sp.f, sp.size)
		return err
	}
	seg.end += int64(len(b))
	seg.frames = 1
	l.segments = append(l.segments, seg)
	l.active = seg
	return nil
}

// syncDrops syncs the entries that drop segments: the manifest of the next segment leaves those out, and must not be on the
// disk before.
func (l *Log) syncDrops() error {
	if l.store.opts.Sync == SyncNever {
		return nil
	}
	for _, s := range l.segments {
		if s.drops {
			if err := s.f.Sync(); err != nil {
				return err
			}
			s.drops = false
		}
	}
	return nil
}

// Close forces everything to the disk, unless the policy is SyncNever, and closes the log.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	var errs []error
	if !l.store.opts.ReadOnly {
		l.flushUnlogged()
		err := l.syncLocked()
		if err == nil {
			l.relieve()
		}
		errs = append(errs, err, l.syncLocked())
	}
	l.closed = true
	for _, s := range l.segments {
		_ = s.f.Close()
	}
	for _, s := range l.spares {
		_ = s.f.Close()
	}
	l.store.mu.Lock()
	delete(l.store.logs, l.client)
	l.store.mu.Unlock()
	return errors.Join(errs...)
}
