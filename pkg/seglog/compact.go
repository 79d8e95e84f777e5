// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"time"
)

// tick is the housekeeping of one log: it syncs, frees segments that nothing needs, moves what is in the way, and
// allocates the reserve.
func (l *Log) tick() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.flushUnlogged()
	l.compact()
	dead, doomed := l.deadSegments(), l.doomed
	l.doomed = nil
	var unsynced, closed []*segment
	if l.store.opts.Sync != SyncNever {
		unsynced = l.takeUnsynced()
	}
	for _, s := range unsynced {
		if s.closed {
			closed = append(closed, s)
		}
	}
	l.mu.Unlock()

	// The disk may take its time; writes go on meanwhile.
	err := l.sync(unsynced)

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		for _, s := range unsynced {
			s.unsynced = true
		}
		l.doomed = append(doomed, l.doomed...)
		return err
	}
	if l.closed {
		return nil
	}
	for _, s := range closed {
		s.writeIndex()
	}
	l.destroy(doomed)
	l.drop(dead)
	_ = l.ensureSpare() // tried again in the next tick
	return nil
}

func (l *Log) takeUnsynced() (unsynced []*segment) {
	for _, s := range l.segments {
		if s.unsynced {
			s.unsynced = false
			unsynced = append(unsynced, s)
		}
	}
	return unsynced
}

func (l *Log) sync(segments []*segment) error {
	var errs []error
	for _, s := range segments {
		l.store.sync.Add(1)
		if err := s.f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			errs = append(errs, fmt.Errorf("segment %d of %s: %w", s.number, l.client, err))
		}
	}
	err := errors.Join(errs...)
	if err != nil {
		l.store.outcome(err)
	}
	return err
}

// syncLocked syncs while the log is held.
func (l *Log) syncLocked() error {
	if l.store.opts.Sync == SyncNever {
		return nil
	}
	unsynced := l.takeUnsynced()
	err := l.sync(unsynced)
	if err != nil {
		for _, s := range unsynced {
			s.unsynced = true
		}
	}
	return err
}

// flushUnlogged logs the deletions that found no room.
func (l *Log) flushUnlogged() {
	if len(l.unlogged) == 0 {
		return
	}
	tombs, keys := l.unlogged[:0], []string{}
	for _, t := range l.unlogged {
		if _, again := l.index[t.key]; !again {
			tombs, keys = append(tombs, t), append(keys, t.key)
		}
	}
	l.unlogged = tombs
	if l.logDeletes(keys, nil) == nil {
		l.unlogged = nil
		if len(tombs) > 0 {
			l.active.tombs = append(l.active.tombs, tombs...)
		}
	}
}

// logDeletes writes deletions of keys that are not in the index any more, and drops of segments.
func (l *Log) logDeletes(keys []string, drops []uint64) error {
	l.changes = l.changes[:0]
	for _, key := range keys {
		l.changes = append(l.changes, change{kind: Delete, key: key})
	}
	for _, number := range drops {
		l.changes = append(l.changes, change{kind: drop, key: dropKey(number)})
	}
	if len(l.changes) == 0 {
		return nil
	}
	return l.write(frameHouse, false, func() {
		for _, c := range l.changes {
			l.buf, _ = appendOp(l.buf, &Op{Kind: c.kind, Key: c.key})
		}
	})
}

// deadSegments returns the segments in which nothing lives.
//
// A segment goes in three steps, with a sync between each two. Its last value dies, by an entry elsewhere. When that is on
// the disk, an entry says that the segment is dropped: earlier, a loss of power could leave that entry and take the
// other. When this one is on the disk, the segment is destroyed: earlier, it would be taken for a lost one.
func (l *Log) deadSegments() (dead []*segment) {
	if !l.drained {
		return nil
	}
	for _, s := range l.segments {
		if s.live == 0 && s != l.active {
			dead = append(dead, s)
		}
	}
	l.drained = false
	return dead
}

// drop is the second step, for all of them in one entry: a part of it would not do. Deletions in them of values that an
// older segment still holds are written anew, or those values would be back at the next start.
func (l *Log) drop(dead []*segment) {
	carried := l.carry(&dead)
	if len(dead) == 0 {
		return
	}
	keys, numbers := make([]string, 0, len(carried)), make([]uint64, 0, len(dead))
	for _, t := range carried {
		keys = append(keys, t.key)
	}
	for _, s := range dead {
		numbers = append(numbers, s.number)
	}
	if l.logDeletes(keys, numbers) != nil {
		l.drained = true
		return
	}
	l.active.drops = true
	l.active.tombs = append(l.active.tombs, carried...)
	l.segments = slices.DeleteFunc(l.segments, func(s *segment) bool { return slices.Contains(dead, s) })
	l.doomed = append(l.doomed, dead...)
}

// carry returns the deletions that are still needed when the dead segments are gone. It leaves those segments for later
// that would have much to carry: by then most of it will not be needed any more.
func (l *Log) carry(dead *[]*segment) []tomb {
	for {
		var carried []tomb
		late := -1
		for i, s := range *dead {
			before := len(carried)
			for _, t := range s.tombs {
				if at, again := l.index[t.key]; again {
					at.oldest = min(at.oldest, t.oldest)
					l.index[t.key] = at
				} else if l.needed(t, *dead) {
					carried = append(carried, t)
				}
			}
			if int64(len(carried)-before)*64 > s.size/4 {
				late = i
			}
		}
		if late < 0 {
			return carried
		}
		l.drained = true
		*dead = slices.Delete(*dead, late, late+1)
	}
}

// relieve takes all three steps at once, for a write that found no room. It reports whether that helped.
func (l *Log) relieve() bool {
	l.drained = true
	dead := l.deadSegments()
	if len(dead)+len(l.doomed) == 0 || l.syncLocked() != nil {
		return false
	}
	doomed := l.doomed
	l.doomed = nil
	l.destroy(doomed)
	l.drop(dead)
	if l.syncLocked() != nil {
		return len(doomed) > 0
	}
	helped := len(doomed)+len(l.doomed) > 0
	l.destroy(l.doomed)
	l.doomed = nil
	return helped
}

// needed reports whether a segment that is not dead may hold a value that t deletes.
func (l *Log) needed(t tomb, dead []*segment) bool {
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].number >= t.oldest })
	for ; i < len(l.segments) && l.segments[i].number <= t.newest; i++ {
		if !slices.Contains(dead, l.segments[i]) {
			return true
		}
	}
	return false
}

const (
	// restAfter is how long a segment must have been left alone before its last values are moved: a queue that is being
	// drained empties it anyway.
	restAfter = 10 * time.Second
	moveBatch = 1 << 20
)

// compact moves the few values that keep a segment from being freed.
func (l *Log) compact() {
	if l.store.opts.ReadOnly {
		return
	}
	now := time.Now()
	var live, dead int64
	for _, s := range l.segments {
		if s != l.active {
			live += s.liveBytes
			dead += s.size - s.liveBytes
		}
	}
	for _, s := range l.segments {
		if s.live != s.liveBefore {
			s.liveBefore, s.changed = s.live, now
		}
	}
	rested := func(s *segment) bool { return now.Sub(s.changed) >= restAfter }
	// An active segment with little in use: its past should not be readable longer than needed.
	if a := l.active; a != nil && rested(a) && now.Sub(l.lastWrite) >= restAfter && a.end > 2*headerCopy && a.liveBytes*4 < a.end-framesStart {
		l.shrink()
		if l.roll(a.liveBytes+64*int64(a.live), false) == nil {
			l.move(a)
		}
	}
	for _, s := range l.segments {
		if s == l.active || s.live == 0 {
			continue
		}
		little := s.liveBytes*4 < s.size
		if little && rested(s) || dead > live+4*maxSegment && s.liveBytes*2 < s.size {
			l.move(s)
			return // one in a tick
		}
	}
}

// shrink gives back the room that a burst has left in the reserve.
func (l *Log) shrink() {
	if l.segmentSize == minSegment && len(l.spares) <= 1 {
		return
	}
	l.segmentSize = minSegment
	sp, err := l.allocateSize(reserve, false)
	if err != nil {
		return
	}
	for _, old := range l.spares {
		l.remove(old.name, old.f, old.size)
	}
	l.spares = []spare{sp}
}

// move copies what lives in s to the end of the log.
func (l *Log) move(s *segment) {
	type entry struct {
		key string
		at  location
	}
	var entries []entry
	for key, at := range l.index {
		if at.segment == s {
			entries = append(entries, entry{key, at})
		}
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].at.off < entries[j].at.off })
	for len(entries) > 0 {
		var ops []Op
		size := 0
		n := 0
		for ; n < len(entries) && (n == 0 || size < moveBatch); n++ {
			value, err := l.read(entries[n].key, entries[n].at)
			if err != nil {
				continue // reported, or the disk's, and tried again
			}
			ops = append(ops, Op{Kind: Set, Key: entries[n].key, Value: value})
			size += len(value)
		}
		entries = entries[n:]
		l.changes = l.changes[:0]
		for i := range ops {
			l.changes = append(l.changes, change{kind: Set, key: ops[i].Key, length: uint32(len(ops[i].Value))})
		}
		if len(ops) == 0 {
			continue
		}
		err := l.write(frameBatch, false, func() {
			for i := range ops {
				var value int
				l.buf, value = appendOp(l.buf, &ops[i])
				l.changes[i].value = uint32(value - frameHeaderSize - nonceSize)
			}
		})
		if err != nil {
			return
		}
		l.store.moved.Add(int64(size))
	}
	l.drained = true
}
