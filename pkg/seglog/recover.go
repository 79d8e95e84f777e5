// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// segmentNumber returns the number in a segment's name.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, err == nil && n < 1<<62
}

// damagedSuffix is for segments that no key opens. They are kept: an operator may know what happened, or have the key.
const damagedSuffix = ".damaged"

// openLog finds out what is in a client's folder.
func openLog(s *Store, client string) (*Log, error) {
	l := &Log{
		store: s, client: client, dir: s.logDir(client), index: map[string]location{}, recent: map[string][]byte{},
		next: 1, segmentSize: minSegment,
	}
	if err := s.disk.MkdirAll(l.dir); err != nil {
		return nil, err
	}
	entries, err := s.disk.ReadDir(l.dir)
	if err != nil {
		if s.opts.ReadOnly {
			return l, nil
		}
		return nil, err
	}
	var found []uint64
	for _, e := range entries {
		number, isSegment := segmentNumber(strings.TrimSuffix(e.Name(), damagedSuffix))
		if isSegment {
			l.next = max(l.next, number+1) // a number is used once, also that of a segment which was put aside
		}
		switch {
		case isSegment && !strings.HasSuffix(e.Name(), damagedSuffix):
			found = append(found, number)
		case isSpare(e.Name()) && !s.opts.ReadOnly:
			l.adoptSpare(e.Name())
		}
	}
	slices.Sort(found)
	if err := l.replay(found); err != nil {
		l.closeFiles()
		return nil, err
	}
	if !s.opts.ReadOnly {
		_ = l.ensureSpare() // without one a full disk refuses small writes too, until there is room
	}
	return l, nil
}

func (l *Log) adoptSpare(name string) {
	if n, err := strconv.Atoi(strings.TrimPrefix(name, spareName)); err == nil {
		l.spareNumber = max(l.spareNumber, n)
	}
	path := filepath.Join(l.dir, name)
	f, err := l.store.disk.Open(path)
	if err != nil {
		return
	}
	size, err := f.Size()
	if err != nil || size < minSegment {
		l.remove(name, f, size)
		return
	}
	l.spares = append(l.spares, spare{name, f, size})
	if len(l.spares) > 2 { // the reserve, and another
		l.discard(slices.IndexFunc(l.spares, func(sp spare) bool { return sp.name != l.spares[l.kept()].name }))
	}
}

func (l *Log) closeFiles() {
	for _, s := range l.segments {
		_ = s.f.Close()
	}
	for _, s := range l.spares {
		_ = s.f.Close()
	}
}

// replay opens the segments and makes the index of their changes, oldest first.
func (l *Log) replay(numbers []uint64) error {
	var open []*segment
	unreadable := map[uint64]*segment{}
	for _, number := range numbers {
		seg, err := l.openNumber(number)
		switch {
		case err != nil:
			return err
		case seg.failure != nil:
			unreadable[number] = seg
		default:
			open = append(open, seg)
		}
	}
	contents := make([]content, len(open))
	for i, seg := range open {
		var err error
		if contents[i], err = seg.load(); err != nil {
			return err
		}
	}
	wanted, listed, err := l.checkManifest(open, contents, unreadable)
	if err != nil {
		return err
	}
	for i, seg := range open {
		if !wanted(seg.number) {
			// It had drained, and its removal did not reach the disk.
			l.doomed = append(l.doomed, seg)
			continue
		}
		seg.unsynced = true // the process before may not have come to it
		l.segments = append(l.segments, seg)
		if c := &contents[i]; c.missing > 0 {
			l.store.lose(Loss{Client: l.client, Segment: seg.number, Offset: c.lostAt, Entries: c.missing, Reason: "altered, damaged or never written"})
		} else if c.torn {
			l.store.lose(Loss{Client: l.client, Segment: seg.number, Offset: seg.end, Torn: true, Reason: "cut off by the end of the process before, or damaged"})
		}
		for j := range contents[i].changes {
			l.apply(seg, &contents[i].changes[j])
		}
		contents[i] = content{}
	}
	for number, seg := range unreadable {
		l.setAside(number, seg, wanted(number), listed(number))
	}
	if n := len(l.segments); n > 0 {
		last := l.segments[n-1]
		if !last.closed && last.keyID == IDOfKey(l.store.opts.Keys[0]) {
			l.active = last
		}
	}
	if l.store.opts.ReadOnly {
		l.doomed = nil
	}
	return nil
}

// openNumber opens one segment. If that is not possible, the segment says why.
func (l *Log) openNumber(number uint64) (*segment, error) {
	name := segmentName(number)
	f, err := l.store.disk.Open(filepath.Join(l.dir, name))
	if err != nil {
		return nil, err
	}
	seg, err := openSegment(f, name, number, l.client, l.store.opts.Keys)
	if err == nil {
		return seg, nil
	}
	seg.failure = err
	return seg, f.Close()
}

// setAside puts a segment away that cannot be opened: for good if nothing is lost with it.
func (l *Log) setAside(number uint64, seg *segment, wanted, listed bool) {
	name := filepath.Join(l.dir, segmentName(number))
	if !wanted || errors.Is(seg.failure, errUnused) && !listed {
		if !l.store.opts.ReadOnly && l.store.disk.Remove(name) == nil {
			l.store.used.Add(-seg.size)
		}
		return
	}
	reason := "the whole segment: its header is damaged, or it is another's"
	if errors.Is(seg.failure, errUnknownKey) {
		reason = fmt.Sprintf("the whole segment: it is sealed under key %s, which is not given", seg.keyID)
	}
	if !l.store.opts.ReadOnly {
		_ = l.store.disk.Rename(name, name+damagedSuffix)
	}
	l.store.lose(Loss{Client: l.client, Segment: number, Reason: reason + "; it is kept as " + name + damagedSuffix})
}

// checkManifest compares the segments that are there with what the newest one says. It returns which are wanted, and which
// of those are known to have held something.
func (l *Log) checkManifest(open []*segment, contents []content, unreadable map[uint64]*segment) (wanted, listed func(uint64) bool, err error) {
	dropped := map[uint64]bool{}
	for i := range contents {
		for _, c := range contents[i].changes {
			if number, ok := droppedNumber(c.key); ok && c.kind == drop {
				dropped[number] = true
			}
		}
	}
	wanted = func(n uint64) bool { return !dropped[n] }
	known := map[uint64]bool{}
	listed = func(n uint64) bool { return known[n] }
	newest := len(open) - 1
	if newest < 0 || contents[newest].manifest == nil { // damaged, or a kill came before it: a lost segment is not noticed now
		return wanted, listed, nil
	}
	for _, entry := range contents[newest].manifest {
		if dropped[entry.number] {
			continue
		}
		known[entry.number] = true
		seg, is := unreadable[entry.number]
		if is && errors.Is(seg.failure, errUnknownKey) && seg.keyID == entry.key {
			return nil, nil, fmt.Errorf("%s: %w: segment %d needs key %s; give that key behind the new one until it has drained", l.dir, ErrWrongKey, entry.number, seg.keyID)
		}
		there := slices.IndexFunc(open, func(s *segment) bool { return s.number == entry.number })
		switch {
		case there >= 0 && open[there].frames < entry.frames:
			if contents[there].missing == 0 {
				contents[there].lostAt = open[there].end
			}
			contents[there].missing += int(entry.frames - open[there].frames)
		case there < 0 && !is && !l.isAside(entry.number):
			l.store.lose(Loss{Client: l.client, Segment: entry.number, Reason: "the whole segment: its file is gone"})
		}
	}
	last := open[newest].number
	// What is newer than the newest that can be opened is on no list.
	return func(n uint64) bool { return known[n] || n >= last }, listed, nil
}

// isAside reports whether the segment was put aside, and reported, before.
func (l *Log) isAside(number uint64) bool {
	f, err := l.store.disk.Open(filepath.Join(l.dir, segmentName(number)+damagedSuffix))
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}
