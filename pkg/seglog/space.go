// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// spare is a file whose blocks are allocated and that no segment uses. A log keeps one back for what must be written on a
// full disk; another, if there is one, is a drained segment that spares the next one its allocation.
type spare struct {
	name string
	f    file
	size int64
}

const spareName = "spare-"

// reserve is how large the spare file is that is kept back. A stamp that stops, or starts, stores the seals of all records that waited for one in
// one entry: 3 KB for every 1,024 of them.
const reserve = 4 * minSegment

// Room that bulk writes leave to others: of the disk, and of the bound.
const (
	minHeadroom = 1 << 20
	maxHeadroom = 64 << 20
)

func headroom(total int64) int64 { return min(max(total/16, minHeadroom), maxHeadroom) }

// allocate makes a spare file of at least minimal bytes, of want if there is the space.
func (l *Log) allocate(want, minimal int64, bulk bool) (spare, error) {
	for size := want; ; size = max(size/2, minimal) {
		sp, err := l.allocateSize(size, bulk)
		if !errors.Is(err, ErrFull) || size == minimal {
			return sp, err
		}
	}
}

func (l *Log) allocateSize(size int64, bulk bool) (spare, error) {
	s := l.store
	if bound := s.opts.MaxBytes; bound > 0 {
		if bulk {
			bound -= headroom(bound)
		}
		if s.used.Load()+size > bound {
			return spare{}, ErrFull
		}
	}
	if bulk {
		free, total, err := s.disk.Free(l.dir)
		if err == nil && free-size < headroom(total) {
			return spare{}, ErrFull
		}
	}
	l.spareNumber++
	name := fmt.Sprintf("%s%d", spareName, l.spareNumber)
	f, err := s.disk.Create(filepath.Join(l.dir, name), size)
	if errors.Is(err, errDiskFull) {
		return spare{}, ErrFull
	}
	if err != nil {
		return spare{}, err
	}
	s.used.Add(size)
	return spare{name, f, size}, nil
}

// kept returns which spare file is the reserve: the smallest that is large enough for it, or else the largest. It is -1 if there is none.
func (l *Log) kept() int {
	best := -1
	for i, sp := range l.spares {
		switch {
		case best < 0,
			sp.size >= reserve && (sp.size < l.spares[best].size || l.spares[best].size < reserve),
			sp.size < reserve && sp.size > l.spares[best].size:
			best = i
		}
	}
	return best
}

// takeSpare returns a spare file of at least minimal bytes: for bulk writes the largest besides the reserve, and else the smallest, which leaves
// the reserve to what needs it.
func (l *Log) takeSpare(minimal int64, bulk bool) (spare, bool) {
	best, kept := -1, l.kept()
	for i, sp := range l.spares {
		if sp.size < minimal || bulk && i == kept {
			continue
		}
		if best < 0 || (sp.size > l.spares[best].size) == bulk {
			best = i
		}
	}
	if best < 0 {
		return spare{}, false
	}
	sp := l.spares[best]
	l.spares = slices.Delete(l.spares, best, best+1)
	return sp, true
}

// discard gives the space of a spare file back.
func (l *Log) discard(i int) {
	l.remove(l.spares[i].name, l.spares[i].f, l.spares[i].size)
	l.spares = slices.Delete(l.spares, i, i+1)
}

// ensureSpare keeps the reserve: a spare file in which small writes find room, and one more while nothing is written yet.
func (l *Log) ensureSpare() error {
	need := 1
	if l.active == nil {
		need = 2
	}
	if i := l.kept(); i < 0 || l.spares[i].size < reserve {
		if sp, err := l.allocateSize(reserve, false); err == nil { // else a small one is better than none
			l.spares = append(l.spares, sp)
		}
	}
	for len(l.spares) < need {
		sp, err := l.allocate(l.segmentSize, minSegment, false)
		if err != nil {
			return err
		}
		l.spares = append(l.spares, sp)
	}
	return nil
}

// file returns a file for the next segment.
func (l *Log) file(minimal int64, bulk bool) (spare, error) {
	want := max(l.segmentSize, minimal)
	if !bulk {
		if sp, ok := l.takeSpare(minimal, false); ok {
			return sp, nil
		}
		return l.allocate(want, minimal, false)
	}
	if err := l.ensureSpare(); err != nil {
		return spare{}, err
	}
	if sp, ok := l.takeSpare(minimal, true); ok {
		return sp, nil
	}
	return l.allocate(want, minimal, true)
}

// destroy is the last step of a segment's end: it erases the key, and gives the space back or
// keeps the file for the next segment.
func (l *Log) destroy(doomed []*segment) {
	for _, seg := range doomed {
		err := seg.erase()
		if l.store.opts.Sync != SyncNever {
			// Or the salt would be written over in memory only, and a file that a loss of power leaves under its next name would have this segment's header.
			err = errors.Join(err, seg.f.Sync())
		}
		fits := seg.size >= l.segmentSize && seg.size <= 2*l.segmentSize && len(l.spares) < 2
		if err == nil && !seg.bad && (fits || len(l.spares) == 0) {
			l.spareNumber++
			name := fmt.Sprintf("%s%d", spareName, l.spareNumber)
			if l.store.disk.Rename(filepath.Join(l.dir, seg.name), filepath.Join(l.dir, name)) == nil {
				l.spares = append(l.spares, spare{name, seg.f, seg.size})
				continue
			}
		}
		l.remove(seg.name, seg.f, seg.size)
	}
}

func (l *Log) remove(name string, f file, size int64) {
	_ = f.Close()
	if l.store.disk.Remove(filepath.Join(l.dir, name)) == nil {
		l.store.used.Add(-size)
	}
}

// resize lets segments grow while they fill quickly, and shrink when they do not: small ones give their space back early,
// large ones cost less.
func (l *Log) resize(now time.Time) {
	const quick, slow = 2 * time.Second, time.Minute
	if !l.lastRoll.IsZero() {
		switch took := now.Sub(l.lastRoll); {
		case took < quick:
			l.segmentSize *= 2
		case took > slow:
			l.segmentSize /= 2
		}
	}
	l.lastRoll = now
	bound := int64(maxSegment)
	if _, total, err := l.store.disk.Free(l.dir); err == nil {
		bound = min(bound, total/24)
	}
	if l.store.opts.MaxBytes > 0 {
		bound = min(bound, l.store.opts.MaxBytes/24)
	}
	l.segmentSize = max(min(l.segmentSize, bound&^(minSegment-1)), minSegment)
	// A spare that became too small to be of use is replaced by what is freed next.
	for i := len(l.spares) - 1; i >= 0; i-- {
		if i != l.kept() && l.spares[i].size*4 < l.segmentSize {
			l.discard(i)
		}
	}
}

func isSpare(name string) bool { return strings.HasPrefix(name, spareName) }
