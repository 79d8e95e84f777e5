// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	leavesAPage = 16

	// maxDone is how many pages of verified leaves are kept to tell copies from forgeries: those of a quarter of a million records.
	maxDone = 16384

	// maxExtras bounds how many records with one id and other content wait for a seal to choose from.
	maxExtras = 1024

	// maxLostExtras bounds how many further records of a seq, and of how many seqs, are kept of a handle for seals that are missing and may still come.
	maxLostExtras = 64

	// maxHandles bounds the handles that no authentic seal knows, and maxBlind the bytes of their records that are kept whole, because
	// it is not known yet which of their attributes count.
	maxHandles = 16384
	maxBlind   = 16 << 20

	// maxRanges bounds the sets of numbers that are kept of a session: whoever has a host's keys can make them as long as he likes.
	maxRanges = 4096

	maxMalformed = 1024 // a handle
)

// elsewhen is where the genuine one of two records is: of a record that has passed only its leaf is known.
var elsewhen = finding.Place{File: "another time"}

// page holds the leaves of sixteen consecutive seqs.
type page struct {
	handle *handle
	number uint64

	have   uint16 // a leaf is here
	done   uint16 // and it was judged; it stays only to compare copies with
	told   uint16 // and there is a finding on its not being sealed
	hole   uint16 // of told: for seals are missing that may have settled it
	lost   uint16 // of done: there is a finding on its not being sealed, because of seals that may still come
	queued bool   // in Watcher.done
	held   bool   // a state held leaves that wait here, when the watcher was started with it

	at         time.Duration // since when leaves wait here
	prev, next *page         // in the order of at: those of the handle in which leaves wait
	leaf       [leavesAPage]seal.Hash
}

func (p *page) waiting() uint16 { return p.have &^ p.done }

// handle is what is known of the records whose ids begin with one handle.
type handle struct {
	name    string
	session *session // nil while no authentic seal of it has come

	pages    map[uint64]*page
	last     *page // the one used last
	oldest   *page // in which leaves wait
	newest   *page
	waiting  int                    // pages in which leaves wait
	pending  int                    // leaves that wait, further ones included
	extras   map[uint64][]seal.Hash // further records of a seq that is not settled yet, or of an open group
	rivals   map[uint64]uint64      // of extras: how many of a seq are in rival, since no seal tells which is genuine
	rival    contributions
	broken   map[uint64]bool // seqs of malformed records
	skipped  seal.Ranges     // passed without being looked at
	unsealed contributions   // on leaves that are told,
	holes    contributions   // and on those of holes

	unsaved   bool          // the last state does not hold a leaf that waits,
	unsavedAt time.Duration // since then

	lost  contributions // on the leaves that are lost
	losts int           // pages that hold some

	// While there is no session.
	born       time.Duration
	from       Peer // of the first record
	senders    []sender
	blind      []blindRecord
	blindBytes int
	assumed    bool // leaves are in pages, as if the session excluded what is usual
	named      bool // and one of these has what that leaves out
	orphans    contributions
}

// sender is a client of whom records of a session came that is not known yet, and the number of the first.
type sender struct {
	Peer
	seq uint64
}

// maxSenders bounds the clients that are remembered of a session that is not known.
const maxSenders = 8

// note remembers from whom a record came, for [Watcher.bind] once it is known of which stream it is.
func (h *handle) note(from Peer, seq uint64) {
	if len(h.senders) < maxSenders && !slices.ContainsFunc(h.senders, func(s sender) bool { return s.Identity == from.Identity }) {
		h.senders = append(h.senders, sender{from, seq})
	}
}

// blindRecord is a record whose session's policy is not known.
type blindRecord struct {
	seq uint64
	canonical.Record
}

// handleOf finds or makes the handle of a record.
func (w *Watcher) handleOf(name string, from Peer) *handle {
	if w.lastHandle != nil && w.lastHandle.name == name {
		return w.lastHandle
	}
	h := w.handles[name]
	if h == nil {
		h = &handle{name: string(append([]byte(nil), name...)), born: w.clock, from: from}
		w.handles[h.name] = h
		w.strangers.add(h)
		if len(w.strangers.handles) > maxHandles {
			w.dropStranger()
		}
	}
	w.lastHandle = h
	return h
}

func (h *handle) page(number uint64) *page {
	if h.last != nil && h.last.number == number {
		return h.last
	}
	p := h.pages[number]
	if p != nil {
		h.last = p
	}
	return p
}

// leaf returns the leaf of seq, if one is here.
func (h *handle) leaf(seq uint64) (p *page, slot int, ok bool) {
	p = h.page(seq / leavesAPage)
	slot = int(seq % leavesAPage)
	return p, slot, p != nil && p.have>>slot&1 == 1
}

// put keeps a leaf that waits.
func (w *Watcher) put(h *handle, seq uint64, leaf *seal.Hash) {
	number := seq / leavesAPage
	p := h.page(number)
	if p == nil {
		if n := len(w.freePages); n > 0 {
			p = w.freePages[n-1]
			w.freePages = w.freePages[:n-1]
		} else {
			p = new(page)
		}
		p.handle, p.number = h, number
		if h.pages == nil {
			h.pages = map[uint64]*page{}
		}
		h.pages[number], h.last = p, p
	}
	if p.waiting() == 0 {
		p.at, p.held = w.clock, false
		if !h.unsaved {
			h.unsaved, h.unsavedAt = true, w.clock
		}
		h.link(p)
		w.pages++
	}
	slot := int(seq % leavesAPage)
	p.have |= 1 << slot
	p.done &^= 1 << slot
	p.leaf[slot] = *leaf
	h.pending++
	w.pending++
	if w.pending > w.config.MaxPending || w.pages > w.maxPages {
		w.evict()
	}
}

// link puts a page at the end of those in which leaves wait, and unlink takes it out.
func (h *handle) link(p *page) {
	p.prev, p.next = h.newest, nil
	if h.newest != nil {
		h.newest.next = p
	} else {
		h.oldest = p
	}
	h.newest = p
	h.waiting++
}

func (h *handle) unlink(p *page) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		h.oldest = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		h.newest = p.prev
	}
	p.prev, p.next = nil, nil
	h.waiting--
}

// settleLeaf ends the waiting of a leaf: it was judged, and stays to compare copies with, or goes.
func (w *Watcher) settleLeaf(p *page, slot int, keep bool) {
	h, bit := p.handle, uint16(1)<<slot
	if p.told&bit != 0 {
		w.untell(p, slot)
	}
	waited := p.waiting()&bit != 0
	if waited {
		h.pending--
		w.pending--
	}
	if keep {
		p.done |= bit
	} else {
		p.have &^= bit
		p.done &^= bit
	}
	if waited && p.waiting() == 0 {
		h.unlink(p)
		w.pages--
	}
	switch {
	case keep:
		w.keepDone(p)
	case p.have == 0 && !p.queued:
		w.dropPage(p)
	}
}

// untell takes a leaf out of the finding on its not being sealed.
func (w *Watcher) untell(p *page, slot int) {
	h, bit := p.handle, uint16(1)<<slot
	if p.hole&bit != 0 {
		w.takeBack(&h.holes, 1)
	} else {
		w.takeBack(&h.unsealed, 1)
	}
	p.told &^= bit
	p.hole &^= bit
	h.session.stream.dirty = true
}

func (w *Watcher) dropPage(p *page) {
	h := p.handle
	delete(h.pages, p.number)
	if h.last == p {
		h.last = nil
	}
	w.forgetLost(p)
	*p = page{}
	if len(w.freePages) < 1024 {
		w.freePages = append(w.freePages, p)
	}
}

// keepDone keeps a page with verified leaves for a while.
func (w *Watcher) keepDone(p *page) {
	if p.queued {
		return
	}
	p.queued = true
	if len(w.done) < maxDone {
		w.done = append(w.done, p)
		return
	}
	old := w.done[w.doneAt]
	w.done[w.doneAt] = p
	w.doneAt = (w.doneAt + 1) % maxDone
	old.queued = false
	old.have &^= old.done
	old.done = 0
	w.forgetLost(old)
	if old.have == 0 {
		w.dropPage(old)
	}
}

// lose notes that a leaf, which was judged, is in the finding h.lost.
func (p *page) lose(slot int) {
	if p.lost == 0 {
		p.handle.losts++
	}
	p.lost |= 1 << slot
}

// find takes a leaf out of the finding h.lost, if it is in it.
func (w *Watcher) find(p *page, slot int) {
	bit := uint16(1) << slot
	if p.lost&bit == 0 {
		return
	}
	if p.lost &^= bit; p.lost == 0 {
		p.handle.losts--
	}
	w.takeBack(&p.handle.lost, 1)
}

// forgetLost leaves what is lost on a page in the finding for good.
func (w *Watcher) forgetLost(p *page) {
	if p.lost != 0 {
		p.seqs(p.lost, func(seq uint64, _ int) { w.dropExtras(p.handle, seq) })
		p.handle.losts--
		p.lost = 0
	}
}

// eachLost calls f with each leaf that is in the finding h.lost, in the order of their seqs.
func (h *handle) eachLost(f func(p *page, seq uint64, slot int)) {
	if h.losts == 0 {
		return
	}
	for _, number := range slices.Sorted(maps.Keys(h.pages)) {
		p := h.pages[number]
		p.seqs(p.lost, func(seq uint64, slot int) { f(p, seq, slot) })
	}
}

// seqs calls f with each seq of a page whose bit is set.
func (p *page) seqs(bitset uint16, f func(seq uint64, slot int)) {
	for rest := bitset; rest != 0; rest &= rest - 1 {
		slot := bits.TrailingZeros16(rest)
		f(p.number*leavesAPage+uint64(slot), slot)
	}
}

// addExtra keeps a further record of a seq, and reports whether it is a new one.
func (w *Watcher) addExtra(h *handle, seq uint64, leaf *seal.Hash, from Peer) bool {
	list := h.extras[seq]
	if slices.Contains(list, *leaf) {
		w.duplicates++
		return false
	}
	if len(list) >= maxExtras {
		w.add(finding.TooMany, h.on(seq, seq, from))
		return false
	}
	if h.extras == nil {
		h.extras = map[uint64][]seal.Hash{}
	}
	h.extras[seq] = append(list, *leaf)
	h.pending++
	w.pending++
	return true
}

// rivalry reports a further record of a seq that no seal has settled.
func (w *Watcher) rivalry(h *handle, seq uint64, from Peer) {
	if h.rivals == nil {
		h.rivals = map[uint64]uint64{}
	}
	h.rivals[seq]++
	if h.session != nil {
		h.session.stream.dirty = true
	}
	h.rival.add(w.add(finding.NotSealedYet, h.on(seq, seq, from)), 1)
}

// endRivalry withdraws that: a seal tells.
func (w *Watcher) endRivalry(h *handle, seq uint64) {
	if n := h.rivals[seq]; n > 0 {
		w.takeBack(&h.rival, n)
		delete(h.rivals, seq)
	}
}

func (w *Watcher) dropExtras(h *handle, seq uint64) {
	if n := len(h.extras[seq]); n > 0 {
		delete(h.extras, seq)
		delete(h.rivals, seq)
		h.pending -= n
		w.pending -= n
	}
}

// on is a finding's subject: records of the handle.
func (h *handle) on(first, last uint64, from Peer) subject {
	s := subject{handle: h.name, first: first, last: last, from: from}
	if h.session != nil {
		s.stream = h.session.stream
	} else {
		s.sub = from.key()
	}
	return s
}

// hold keeps a record until a seal settles it, and reports whether it is the first of its seq.
func (w *Watcher) hold(h *handle, seq uint64, leaf *seal.Hash, from Peer) bool {
	p, slot, ok := h.leaf(seq)
	switch {
	case !ok:
		w.put(h, seq, leaf)
	case p.leaf[slot] == *leaf:
		w.duplicates++
	case w.addExtra(h, seq, leaf, from):
		w.rivalry(h, seq, from)
	}
	return !ok
}

// record takes in a record of a session.
func (w *Watcher) record(ss *session, seq uint64, leaf *seal.Hash, from Peer) {
	h := ss.handle
	if n := len(ss.settled); n == 0 || seq > ss.settled[n-1].Last || !ss.settled.Contains(seq) {
		fate := ss.fate(seq)
		if fate == "" {
			w.hold(h, seq, leaf, from)
			return
		}
		switch p, slot, ok := h.leaf(seq); {
		case !ok:
			w.put(h, seq, leaf)
			if p, slot, ok = h.leaf(seq); ok { // put may have needed room
				w.doom(p, slot, fate, from)
			}
		case p.leaf[slot] == *leaf:
			w.duplicates++
		case p.lost>>slot&1 == 1 && len(h.extras) < maxLostExtras && len(h.extras[seq]) < maxLostExtras: // either may be the one that the seal backs, if it comes
			if w.addExtra(h, seq, leaf, from) {
				w.rivalry(h, seq, from)
			}
		default:
			w.add(finding.NotSealedYet, h.on(seq, seq, from))
		}
		return
	}
	if g := ss.group(seq); g != nil {
		w.offer(g, seq, leaf, from)
		return
	}
	p, slot, ok := h.leaf(seq)
	switch {
	case ok && p.leaf[slot] == *leaf:
		w.duplicates++
	case ss.void.Contains(seq):
		w.add(finding.VoidID, h.on(seq, seq, from))
		if !ok {
			w.put(h, seq, leaf)
			if p, slot, ok = h.leaf(seq); ok { // put may have needed room
				w.settleLeaf(p, slot, true)
			}
		}
	case !ok:
		w.add(finding.CameAgain, h.on(seq, seq, from))
	default:
		s := h.on(seq, seq, from)
		s.detail.Other = elsewhen
		w.add(finding.OtherBacked, s)
	}
}

// doom reports a record that no seal can settle any more, but for seals that are missing.
func (w *Watcher) doom(p *page, slot int, fate finding.Reason, from Peer) {
	h, seq := p.handle, p.number*leavesAPage+uint64(slot)
	w.settleLeaf(p, slot, true)
	lost := fate == finding.SealMissing || fate == finding.NotWatched
	if !lost || len(h.extras) > maxLostExtras || len(h.extras[seq]) > maxLostExtras {
		w.dropExtras(h, seq)
	}
	if w.config.Partial && fate.Code() == finding.Inserted {
		return
	}
	c := w.add(fate, h.on(seq, seq, from))
	if lost {
		h.session.stream.dirty = true
		h.lost.add(c, 1)
		p.lose(slot)
	}
}

// evict drops the oldest records of the handles that have most of them, until there is room again: for some more than one, so that handles are
// looked through seldom.
func (w *Watcher) evict() {
	room := func(n int) int { return n - n/64 }
	for w.pending > room(w.config.MaxPending) || w.pages > room(w.maxPages) {
		most := 0
		for _, h := range w.handles {
			most = max(most, h.waiting)
		}
		if most == 0 {
			return
		}
		for _, h := range w.handles {
			if 2*h.waiting >= most {
				surplus := max((w.pending-room(w.config.MaxPending))/leavesAPage, w.pages-room(w.maxPages))
				w.evictFrom(h, max(1, min(h.waiting/8, surplus)))
			}
		}
	}
}

// evictFrom drops the oldest pages of a handle.
func (w *Watcher) evictFrom(h *handle, pages int) {
	for range pages {
		p := h.oldest
		if p == nil {
			break
		}
		p.seqs(p.waiting(), func(seq uint64, slot int) {
			w.dropExtras(h, seq)
			h.skipped = bounded(h.skipped.Add(seal.Range{First: seq, Last: seq}))
			w.add(finding.BeyondLimit, h.on(seq, seq, Peer{}))
			w.settleLeaf(p, slot, false)
		})
	}
}

// bounded keeps a set small: of its lower half, what lies between is then in it too.
func bounded(rs seal.Ranges) seal.Ranges {
	if len(rs) <= maxRanges {
		return rs
	}
	half := len(rs) / 2
	rs[half].First = rs[0].First
	return slices.Delete(rs, 0, half)
}
