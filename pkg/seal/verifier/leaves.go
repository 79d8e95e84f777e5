// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"math/bits"

	"github.com/logseal/logseal/pkg/seal"
)

const (
	leavesAPage = 16

	// maxDone is how many pages of verified leaves are kept to tell late duplicates from forgeries: those of about a quarter of a
	// million records, in 11 MB. What comes again after more than that costs a second pass over the archive.
	maxDone = 16384

	// maxCandidates bounds how many records with one id but other content are held for a seal to choose from, and with it the work
	// on each of them.
	maxCandidates = 1024
)

// place is a Place in eight bytes: the file's index and the line.
type place uint64

const lineBits = 40

// page holds the leaves of sixteen consecutive seqs.
type page struct {
	have   uint16 // a leaf is here
	done   uint16 // and it is verified; it stays only to compare duplicates with
	queued bool   // in leafStore.doneQueue
	leaf   [leavesAPage]seal.Hash
	place  [leavesAPage]place
}

// candidate is one of several records that have one id.
type candidate struct {
	leaf  seal.Hash
	place place

	// Where sessions share the handle:
	others []seal.Hash // the leaf as it is with each but the first of handle.policies
	done   bool        // a seal backs it
	told   bool        // there is a finding on it
}

type pageKey struct {
	handle *handle
	number uint64
}

// handle is all that is known of the records whose ids begin with one handle. There is a session for it once a seal of one is
// authentic; that two share it is rare, but possible.
type handle struct {
	name     string
	sessions []*session
	former   *stream // a session of it had the handle, and ended before a checkpoint

	pages    map[uint64]*page
	last     *page // the page used last
	lastPage uint64

	extras    map[uint64][]candidate // further records of a seq that is not settled yet, or of an open group
	voids     map[uint64][]candidate // records whose id the session declared void
	malformed map[uint64]place       // records that have this id and no meaning
	conflicts []conflict
	against   map[conflictKey]bool // what is in conflicts

	records, duplicates, voided uint64
	from, to                    uint64 // times in nanoseconds, 0 while there is none

	policies []*seal.Policy // in a second pass: what its sessions exclude, where that differs
	blind    bool           // records were digested before the session's policy was known, under the usual one
	named    bool           // and one of these has what that leaves out
	recheck  seal.Ranges    // came again when their leaf was gone already: for a second pass
	watch    seal.Ranges    // in a second pass: keep the leaves of these
	kept     map[uint64]candidate
}

// conflict is a record that another one with the same id stands against.
type conflict struct {
	seq uint64
	candidate
	against place // of the other one
	backed  bool  // and a seal backs that one
}

type conflictKey struct {
	seq  uint64
	leaf seal.Hash
}

// doneQueue holds the pages with verified leaves, the oldest first.
type doneQueue struct {
	ring  []pageKey
	first int
	used  int
}

// assume notes that a record is digested under the usual policy, for want of a better one.
func (h *handle) assume(o *Observed, usual *seal.Policy) {
	h.blind, h.named = true, h.named || o.LeavesOut(usual)
}

// wrong reports whether that was wrong for records of a session with this policy.
func (h *handle) wrong(policy, usual *seal.Policy) bool {
	return h.blind && policy != usual && (h.named || !policy.Plain())
}

// shared reports whether a record with this handle may be of either of several sessions, or of one that is still to come.
func (h *handle) shared() bool { return len(h.sessions) > 1 || len(h.policies) > 1 }

// addVoid takes in a record with a void id. It is kept to tell copies, and should another session turn out to have the handle.
func (h *handle) addVoid(seq uint64, c candidate) {
	list := h.voids[seq]
	for i := range list {
		if list[i].leaf == c.leaf {
			h.duplicates++
			return
		}
	}
	h.voided++
	if len(list) >= maxCandidates {
		return
	}
	if h.voids == nil {
		h.voids = map[uint64][]candidate{}
	}
	h.voids[seq] = append(list, c)
}

func (h *handle) page(number uint64) *page {
	if h.last != nil && h.lastPage == number {
		return h.last
	}
	p := h.pages[number]
	if p != nil {
		h.last, h.lastPage = p, number
	}
	return p
}

// leaf returns the leaf of seq, if one is here.
func (h *handle) leaf(seq uint64) (p *page, slot int, ok bool) {
	p = h.page(seq / leavesAPage)
	slot = int(seq % leavesAPage)
	return p, slot, p != nil && p.have>>slot&1 == 1
}

func (v *Verifier) put(h *handle, seq uint64, leaf *seal.Hash, at place) (*page, int) {
	number := seq / leavesAPage
	p := h.page(number)
	if p == nil {
		if n := len(v.freePages); n > 0 {
			p = v.freePages[n-1]
			v.freePages = v.freePages[:n-1]
		} else {
			p = new(page)
		}
		h.pages[number] = p
		h.last, h.lastPage = p, number
	}
	slot := int(seq % leavesAPage)
	p.have |= 1 << slot
	p.done &^= 1 << slot
	p.leaf[slot] = *leaf
	p.place[slot] = at
	return p, slot
}

// take removes a leaf.
func (v *Verifier) take(h *handle, seq uint64) {
	p, slot, ok := h.leaf(seq)
	if !ok {
		return
	}
	p.have &^= 1 << slot
	p.done &^= 1 << slot
	if p.have == 0 && !p.queued {
		v.drop(h, seq/leavesAPage, p)
	}
}

func (v *Verifier) drop(h *handle, number uint64, p *page) {
	delete(h.pages, number)
	if h.last == p {
		h.last = nil
	}
	*p = page{}
	if len(v.freePages) < 1024 {
		v.freePages = append(v.freePages, p)
	}
}

// finish marks a leaf as verified: it is not needed any more, but kept for a while.
func (v *Verifier) finish(h *handle, seq uint64, p *page, slot int) {
	p.done |= 1 << slot
	if h.watch != nil && h.watch.Contains(seq) {
		if h.kept == nil {
			h.kept = map[uint64]candidate{}
		}
		h.kept[seq] = candidate{leaf: p.leaf[slot], place: p.place[slot], done: true}
	}
	if p.queued {
		return
	}
	p.queued = true
	q := &v.done
	if q.ring == nil {
		q.ring = make([]pageKey, maxDone)
	}
	if q.used == maxDone {
		oldest := q.ring[q.first]
		q.first = (q.first + 1) % maxDone
		q.used--
		v.evict(oldest)
	}
	q.ring[(q.first+q.used)%maxDone] = pageKey{h, seq / leavesAPage}
	q.used++
}

// evict forgets the verified leaves of a page. What is open in it stays, until a seal settles that too.
func (v *Verifier) evict(key pageKey) {
	p := key.handle.page(key.number)
	if p == nil {
		return
	}
	p.queued = false
	p.have &^= p.done
	p.done = 0
	if p.have == 0 {
		v.drop(key.handle, key.number, p)
	}
}

// open returns the seqs of a page whose leaves are not verified.
func (p *page) open(number uint64) []uint64 {
	var seqs []uint64
	for rest := p.have &^ p.done; rest != 0; rest &= rest - 1 {
		seqs = append(seqs, number*leavesAPage+uint64(bits.TrailingZeros16(rest)))
	}
	return seqs
}
