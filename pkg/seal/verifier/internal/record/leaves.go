// SPDX-License-Identifier: Apache-2.0

package record

import (
	"iter"
	"maps"
	"math/bits"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
)

const (
	leavesAPage = 16

	// maxVerified is how many pages of verified leaves are kept to tell late duplicates from forgeries: those of about a quarter of a
	// million records, in 11 MB. What comes again after more than that costs a second pass over the archive.
	maxVerified = 16384

	maxFreePages = 1024
)

// candidate is a record that has an id: its leaf, and where it is.
type candidate struct {
	leaf  seal.Hash
	place place
}

// leaves holds the leaves of one handle's records by their seq: open until a seal settles the seq, then verified, for a while.
type leaves struct {
	pages      *pages
	byNumber   map[uint64]*page
	last       *page // the page used last
	lastNumber uint64

	watch seal.Ranges // what is verified of these is kept for good
	kept  map[uint64]candidate
}

// page holds the leaves of sixteen consecutive seqs.
type page struct {
	have     uint16 // a leaf is here
	verified uint16 // and it is verified; it stays only to compare duplicates with
	queued   bool   // in pages.verified
	leaf     [leavesAPage]seal.Hash
	place    [leavesAPage]place
}

// pages are the pages of all handles: those that are free, and those with verified leaves, the oldest first.
type pages struct {
	free  []*page
	ring  []pageKey
	first int
	used  int
}

type pageKey struct {
	leaves *leaves
	number uint64
}

func newLeaves(p *pages) leaves { return leaves{pages: p, byNumber: map[uint64]*page{}} }

func (l *leaves) page(number uint64) *page {
	if l.last != nil && l.lastNumber == number {
		return l.last
	}
	p := l.byNumber[number]
	if p != nil {
		l.last, l.lastNumber = p, number
	}
	return p
}

// get returns where the leaf of seq is, and whether there is one.
func (l *leaves) get(seq uint64) (p *page, slot int, ok bool) {
	p = l.page(seq / leavesAPage)
	slot = int(seq % leavesAPage)
	return p, slot, p != nil && p.have>>slot&1 == 1
}

// getOpen is get for a leaf that is not verified.
func (l *leaves) getOpen(seq uint64) (p *page, slot int, ok bool) {
	p, slot, ok = l.get(seq)
	return p, slot, ok && p.verified>>slot&1 == 0
}

// getVerified returns the leaf that was verified for seq, if it is still known.
func (l *leaves) getVerified(seq uint64) (candidate, bool) {
	if p, slot, here := l.get(seq); here {
		return p.candidate(slot), true
	}
	c, ok := l.kept[seq]
	return c, ok
}

func (p *page) candidate(slot int) candidate { return candidate{p.leaf[slot], p.place[slot]} }

// put keeps a leaf, open.
func (l *leaves) put(seq uint64, leaf *seal.Hash, at place) (*page, int) {
	number := seq / leavesAPage
	p := l.page(number)
	if p == nil {
		p = l.pages.take()
		l.byNumber[number] = p
		l.last, l.lastNumber = p, number
	}
	slot := int(seq % leavesAPage)
	p.have |= 1 << slot
	p.verified &^= 1 << slot
	p.leaf[slot] = *leaf
	p.place[slot] = at
	return p, slot
}

// remove forgets a leaf.
func (l *leaves) remove(seq uint64) {
	p, slot, ok := l.get(seq)
	if !ok {
		return
	}
	p.have &^= 1 << slot
	p.verified &^= 1 << slot
	if p.have == 0 && !p.queued {
		l.removePage(seq/leavesAPage, p)
	}
}

func (l *leaves) removePage(number uint64, p *page) {
	delete(l.byNumber, number)
	if l.last == p {
		l.last = nil
	}
	l.pages.release(p)
}

// markVerified marks a leaf as verified: it is not needed any more, but kept for a while.
func (l *leaves) markVerified(seq uint64, p *page, slot int) {
	p.verified |= 1 << slot
	if l.watch != nil && l.watch.Contains(seq) {
		if l.kept == nil {
			l.kept = map[uint64]candidate{}
		}
		l.kept[seq] = p.candidate(slot)
	}
	if !p.queued {
		p.queued = true
		l.pages.queue(pageKey{l, seq / leavesAPage})
	}
}

// forgetVerified drops the verified leaves of a page. What is open in it stays, until a seal settles that too.
func (l *leaves) forgetVerified(number uint64) {
	p := l.page(number)
	if p == nil {
		return
	}
	p.queued = false
	p.have &^= p.verified
	p.verified = 0
	if p.have == 0 {
		l.removePage(number, p)
	}
}

// openIn lists the seqs of a range whose leaves are open, ascending.
func (l *leaves) openIn(r seal.Range) []uint64 {
	var seqs []uint64
	if r.Len() <= uint64(len(l.byNumber))*leavesAPage {
		for seq := r.First; seq <= r.Last; seq++ {
			if _, _, ok := l.getOpen(seq); ok {
				seqs = append(seqs, seq)
			}
		}
		return seqs
	}
	// A range may be as long as a number; there are never more records than were read.
	for seq := range l.open() {
		if r.First <= seq && seq <= r.Last {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// open returns all open leaves by their seq, ascending. They may be removed meanwhile.
func (l *leaves) open() iter.Seq2[uint64, candidate] {
	return func(yield func(uint64, candidate) bool) {
		for _, number := range slices.Sorted(maps.Keys(l.byNumber)) {
			p := l.byNumber[number]
			for rest := p.have &^ p.verified; rest != 0; rest &= rest - 1 {
				slot := bits.TrailingZeros16(rest)
				if !yield(number*leavesAPage+uint64(slot), p.candidate(slot)) {
					return
				}
			}
		}
	}
}

func (p *pages) take() *page {
	n := len(p.free)
	if n == 0 {
		return new(page)
	}
	free := p.free[n-1]
	p.free = p.free[:n-1]
	return free
}

func (p *pages) release(free *page) {
	*free = page{}
	if len(p.free) < maxFreePages {
		p.free = append(p.free, free)
	}
}

// queue remembers a page with verified leaves, and makes room for it.
func (p *pages) queue(key pageKey) {
	if p.ring == nil {
		p.ring = make([]pageKey, maxVerified)
	}
	if p.used == maxVerified {
		oldest := p.ring[p.first]
		p.first = (p.first + 1) % maxVerified
		p.used--
		oldest.leaves.forgetVerified(oldest.number)
	}
	p.ring[(p.first+p.used)%maxVerified] = key
	p.used++
}
