// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// maxCombinations bounds the work on a group whose ids several records claim.
const maxCombinations = 256

// group is a run of leaves under one root of a seal that did not verify when the seal came: leaves are missing, so far or for good, or wrong.
// Groups that verify at once are never made.
type group struct {
	session *session
	gap     *gap // if a seal below an anchor covers it
	doubt   bool
	lenient bool // what is not here may have come in a time that was not watched
	overdue bool // what is not here is missing
	dropped bool
	size    uint8
	first   uint64
	rest    []uint64 // the seqs, unless they follow each other
	root    seal.Hash
	prefix  []byte // two bytes a leaf; nil in a block of doubt
	born    time.Duration

	told       contributions
	prev, next *group // in the order of born, in one of the queues
}

func (g *group) seq(i int) uint64 {
	if g.rest != nil {
		return g.rest[i]
	}
	return g.first + uint64(i)
}

// seqs returns all of them.
func (g *group) seqs() (list seal.Ranges) {
	for i := range int(g.size) {
		list = list.Add(seal.Range{First: g.seq(i), Last: g.seq(i)})
	}
	return list
}

func (g *group) index(seq uint64) int {
	if g.rest != nil {
		return slices.Index(g.rest, seq)
	}
	if seq >= g.first && seq < g.first+uint64(g.size) {
		return int(seq - g.first)
	}
	return -1
}

// eachPage calls f with the number of each page that holds one of the group's seqs.
func (g *group) eachPage(f func(number uint64)) {
	last := ^uint64(0)
	for i := range int(g.size) {
		if number := g.seq(i) / leavesAPage; number != last {
			f(number)
			last = number
		}
	}
}

// groupQueue holds groups, the oldest first.
type groupQueue struct {
	first, last *group
	leaves      int
}

func (q *groupQueue) push(g *group) {
	g.prev, g.next = q.last, nil
	if q.last != nil {
		q.last.next = g
	} else {
		q.first = g
	}
	q.last = g
	q.leaves += int(g.size)
}

func (q *groupQueue) remove(g *group) {
	if g.prev != nil {
		g.prev.next = g.next
	} else {
		q.first = g.next
	}
	if g.next != nil {
		g.next.prev = g.prev
	} else {
		q.last = g.prev
	}
	g.prev, g.next = nil, nil
	q.leaves -= int(g.size)
}

func (w *Watcher) queueOf(g *group) *groupQueue {
	if g.overdue {
		return &w.overdue
	}
	return &w.expected
}

// group returns the open group that a seq is in.
func (ss *session) group(seq uint64) *group {
	if ss.open == 0 {
		return nil
	}
	for _, g := range ss.groups[seq/leavesAPage] {
		if g.index(seq) >= 0 {
			return g
		}
	}
	return nil
}

// settle takes in what an authentic seal covers and voids.
func (w *Watcher) settle(ss *session, s *seal.Seal, late *gap, lenient bool) {
	if ss.settled.Overlaps(s.Covered) || ss.settled.Overlaps(s.Void) {
		if !ss.forgetful {
			w.broken(ss.stream, s.Number, 0, finding.SettledTwice)
		}
		return
	}
	for _, r := range s.Void {
		ss.void = bounded(ss.void.Add(r))
		ss.settled = ss.settled.Add(r)
	}
	w.dropVoid(ss, s.Void)
	var (
		seqs   [seal.GroupSize]uint64
		n      int
		index  int // of the group
		size   = s.GroupSize()
		prefix = s.Prefixes
	)
	flush := func() {
		g := group{session: ss, gap: late, doubt: s.Doubt, lenient: lenient, size: uint8(n), first: seqs[0], root: s.Groups[index]}
		if prefix != nil {
			g.prefix, prefix = prefix[:2*n], prefix[2*n:]
		}
		w.cover(&g, seqs[:n])
		index, n = index+1, 0
	}
	for _, r := range s.Covered {
		ss.settled = ss.settled.Add(r)
		for seq := r.First; seq <= r.Last; seq++ {
			seqs[n] = seq
			if n++; n == size {
				flush()
			}
		}
	}
	if n > 0 {
		flush()
	}
	if len(ss.settled) > maxRanges {
		ss.settled, ss.forgetful = bounded(ss.settled), true
	}
}

// dropVoid reports the records of void seqs that are here: nothing can be said of them.
func (w *Watcher) dropVoid(ss *session, void seal.Ranges) {
	h := ss.handle
	drop := func(seq uint64) {
		if p, slot, ok := h.leaf(seq); ok && (p.waiting()|p.lost)>>slot&1 == 1 {
			s := h.on(seq, seq, Peer{})
			s.count = 1 + uint64(len(h.extras[seq]))
			w.add(finding.VoidID, s)
			w.endRivalry(h, seq)
			w.dropExtras(h, seq)
			w.find(p, slot)
			w.settleLeaf(p, slot, true)
		}
	}
	if void.Len() <= uint64(h.pending) {
		for _, r := range void {
			for seq := r.First; seq <= r.Last; seq++ {
				drop(seq)
			}
		}
		return
	}
	// A range may be as long as a number; there are never more records than are kept.
	for p := h.oldest; p != nil; {
		next := p.next
		p.seqs(p.waiting(), func(seq uint64, _ int) {
			if void.Contains(seq) {
				drop(seq)
			}
		})
		p = next
	}
	h.eachLost(func(_ *page, seq uint64, _ int) {
		if void.Contains(seq) {
			drop(seq)
		}
	})
}

// cover checks the leaves of one group, and keeps the group when that cannot be done yet.
func (w *Watcher) cover(g *group, seqs []uint64) {
	var (
		leaves [seal.GroupSize]seal.Hash
		h      = g.session.handle
		all    = true
	)
	for i, seq := range seqs {
		w.endRivalry(h, seq)
		p, slot, ok := h.leaf(seq)
		if !ok {
			all = false
			continue
		}
		leaves[i] = p.leaf[slot]
		w.find(p, slot)
		if p.told>>slot&1 == 1 {
			w.untell(p, slot)
		}
	}
	if all && len(h.extras) == 0 && seal.Root(leaves[:len(seqs)]) == g.root {
		w.verified(g, seqs)
		return
	}
	kept := *g
	g = &kept
	if seqs[len(seqs)-1]-seqs[0] != uint64(len(seqs)-1) {
		g.rest = slices.Clone(seqs)
	}
	g.prefix = slices.Clone(g.prefix)
	g.born = w.clock
	w.enter(g)
	w.try(g)
	w.roomForGroups()
}

// enter takes up an open group.
func (w *Watcher) enter(g *group) {
	ss := g.session
	if ss.groups == nil {
		ss.groups = map[uint64][]*group{}
	}
	g.eachPage(func(number uint64) { ss.groups[number] = append(ss.groups[number], g) })
	ss.open++
	w.queueOf(g).push(g)
}

// roomForGroups bounds the leaves of groups that are open.
func (w *Watcher) roomForGroups() {
	for w.expected.leaves+w.overdue.leaves > w.config.MaxPending {
		g := w.overdue.first
		if g == nil {
			g = w.expected.first
		}
		w.giveUp(g)
	}
}

// giveUp forgets a group. What has not come by then is UNCHECKED.
func (w *Watcher) giveUp(g *group) {
	if !g.overdue {
		g.lenient = true
		w.due(g)
	}
	if !g.dropped { // it may have verified
		w.dropGroup(g)
	}
}

// dropGroup forgets a group that is open. Findings that it has part in stay.
func (w *Watcher) dropGroup(g *group) {
	w.queueOf(g).remove(g)
	w.unlist(g)
	h := g.session.handle
	for i := range int(g.size) {
		seq := g.seq(i)
		w.dropExtras(h, seq)
		if p, slot, ok := h.leaf(seq); ok && p.waiting()>>slot&1 == 1 {
			w.settleLeaf(p, slot, false)
		}
	}
}

func (w *Watcher) unlist(g *group) {
	ss := g.session
	g.eachPage(func(number uint64) {
		list := slices.DeleteFunc(ss.groups[number], func(other *group) bool { return other == g })
		if len(list) == 0 {
			delete(ss.groups, number)
		} else {
			ss.groups[number] = list
		}
	})
	ss.open--
	g.dropped = true
}

// verified counts the records of a group as verified, or as late.
func (w *Watcher) verified(g *group, seqs []uint64) {
	h := g.session.handle
	for _, seq := range seqs {
		p, slot, _ := h.leaf(seq)
		w.lagSum += w.clock - p.at
		w.lagCount++
		w.settleLeaf(p, slot, true)
		if g.gap != nil && !g.gap.closed {
			w.late(g.gap, h, seq)
		}
	}
	w.verifiedCount += uint64(len(seqs))
}

// offer gives a group a record that came after its seal.
func (w *Watcher) offer(g *group, seq uint64, leaf *seal.Hash, from Peer) {
	h := g.session.handle
	p, slot, ok := h.leaf(seq)
	switch {
	case !ok:
		w.put(h, seq, leaf)
		if !g.overdue && g.fits(g.index(seq), leaf) && !g.complete() {
			return // as little can be said as before it came
		}
	case p.leaf[slot] == *leaf:
		w.duplicates++
		return
	case !w.addExtra(h, seq, leaf, from):
		return
	}
	if !g.dropped { // put may have needed room
		w.try(g)
	}
}

// complete reports whether a record of each seq is here.
func (g *group) complete() bool {
	h := g.session.handle
	if g.rest == nil {
		for first, last := g.first, g.first+uint64(g.size)-1; first <= last; first = (first/leavesAPage + 1) * leavesAPage {
			n := min(last, first|(leavesAPage-1)) - first + 1
			wanted := uint16(1<<n-1) << (first % leavesAPage)
			if p := h.page(first / leavesAPage); p == nil || p.have&wanted != wanted {
				return false
			}
		}
		return true
	}
	for _, seq := range g.rest {
		if _, _, here := h.leaf(seq); !here {
			return false
		}
	}
	return true
}

// candidates returns the records with the id at index i, to be read only.
func (g *group) candidates(i int) []seal.Hash {
	h, seq := g.session.handle, g.seq(i)
	p, slot, ok := h.leaf(seq)
	switch extras := h.extras[seq]; {
	case !ok:
		return nil
	case len(extras) == 0:
		return p.leaf[slot : slot+1 : slot+1]
	default:
		return append([]seal.Hash{p.leaf[slot]}, extras...)
	}
}

// fitting returns those of the candidates at index i that fit.
func (g *group) fitting(i int, candidates []seal.Hash) []seal.Hash {
	for n := range candidates {
		if !g.fits(i, &candidates[n]) {
			return slices.DeleteFunc(slices.Clone(candidates), func(leaf seal.Hash) bool { return !g.fits(i, &leaf) })
		}
	}
	return candidates
}

// fits reports whether a leaf may be the one at index i. It may be another even so, unless it is a group of one.
func (g *group) fits(i int, leaf *seal.Hash) bool {
	if g.doubt {
		return *leaf == g.root
	}
	return leaf[0] == g.prefix[2*i] && leaf[1] == g.prefix[2*i+1]
}

// try verifies a group if its leaves are all there, and otherwise says what is wrong with it so far.
func (w *Watcher) try(g *group) {
	var choices [seal.GroupSize][]seal.Hash
	all := true
	for i := range int(g.size) {
		list := g.candidates(i)
		all = all && len(list) > 0
		choices[i] = g.fitting(i, list)
	}
	if leaves := g.combine(choices[:g.size]); leaves != nil {
		w.confirm(g, leaves)
		return
	}
	w.review(g, choices[:g.size], all)
}

// combine looks for the one choice for each leaf that gives the group's root, nil if there is none.
func (g *group) combine(choices [][]seal.Hash) []seal.Hash {
	combinations := 1
	for i := range choices {
		if combinations *= len(choices[i]); combinations == 0 || combinations > maxCombinations {
			return nil
		}
	}
	leaves := make([]seal.Hash, len(choices))
	for n := range combinations {
		rest := n
		for i := range choices {
			leaves[i] = choices[i][rest%len(choices[i])]
			rest /= len(choices[i])
		}
		if seal.Root(leaves) == g.root {
			return leaves
		}
	}
	return nil
}

// confirm ends a group that verifies with these leaves.
func (w *Watcher) confirm(g *group, leaves []seal.Hash) {
	w.unsay(g)
	w.queueOf(g).remove(g)
	w.unlist(g)
	h := g.session.handle
	seqs := make([]uint64, len(leaves))
	for i := range leaves {
		seqs[i] = g.seq(i)
		for _, other := range g.candidates(i) {
			if other != leaves[i] { // who else has the id is not genuine
				s := h.on(seqs[i], seqs[i], Peer{})
				s.count = 1
				s.detail.Other = elsewhen
				w.add(finding.OtherBacked, s)
			}
		}
		w.dropExtras(h, seqs[i])
		p, slot, _ := h.leaf(seqs[i])
		p.leaf[slot] = leaves[i]
	}
	w.verified(g, seqs)
}

// unsay withdraws what a group has added to findings.
func (w *Watcher) unsay(g *group) {
	g.session.stream.dirty = true
	w.takeAllBack(&g.told)
}

// due says that what a group lacks is not to be waited for any longer.
func (w *Watcher) due(g *group) {
	w.expected.remove(g)
	g.overdue = true
	w.overdue.push(g)
	g.lenient = g.lenient || w.blindSince(g.born)
	w.try(g)
}

// review says what is wrong with a group that does not verify. Its choices are the candidates that fit.
func (w *Watcher) review(g *group, choices [][]seal.Hash, all bool) {
	w.unsay(g)
	h := g.session.handle
	var (
		wrong     bool           // a record is not genuine, or not here
		unchecked finding.Reason // why it is not known whether one was here
	)
	for i, fit := range choices {
		seq := g.seq(i)
		candidates := uint64(len(g.candidates(i)))
		if candidates > 1 {
			g.tell(w, finding.NoneBacked, seq, candidates-1)
		}
		switch {
		case len(fit) > 0: // it may be right
		case candidates > 0:
			wrong = true
			g.tell(w, g.session.differs(), seq, 1)
		case !g.overdue || h.broken[seq]: // it may come; or it is here, and said to be malformed
			wrong = true
		case h.skipped.Contains(seq): // said already
			unchecked = finding.NotLookedAt
		case g.lenient:
			unchecked = finding.NotWatched
			g.tell(w, unchecked, seq, 1)
		case g.doubt:
			g.tell(w, finding.OnItsWay, seq, 1)
		case !w.config.Partial:
			wrong = true
			g.tell(w, finding.RecordMissing, seq, 1)
		}
	}
	switch {
	case wrong: // one finding says so
	case unchecked != "":
		w.tellRest(g, choices, unchecked)
	case all: // each may be right, and not all are
		w.tellRest(g, choices, finding.GroupDiffers)
	}
}

// tellRest adds the records of a group that may be right to a finding.
func (w *Watcher) tellRest(g *group, choices [][]seal.Hash, reason finding.Reason) {
	for i, fit := range choices {
		if len(fit) > 0 {
			g.tell(w, reason, g.seq(i), 1)
		}
	}
}

// differs says why a record does not match what its session has sealed.
func (ss *session) differs() finding.Reason {
	if ss.policy == nil {
		return finding.PolicyUnknown
	}
	return finding.DigestDiffers
}

// tell adds to a finding, for as long as the group is as it is.
func (g *group) tell(w *Watcher, reason finding.Reason, seq, n uint64) {
	s := g.session.handle.on(seq, seq, Peer{})
	s.stream = g.session.stream
	s.sub = ""
	s.count = n
	if reason == finding.GroupDiffers {
		s.detail.N = uint64(g.size)
		s.detail.Group = seal.ID{Handle: s.handle, Seq: g.seq(0)}.String() + " to " + seal.ID{Handle: s.handle, Seq: g.seq(int(g.size) - 1)}.String()
	}
	g.told.add(w.add(reason, s), n)
}

// judgeGroups reports what has not come in time.
func (w *Watcher) judgeGroups() {
	for g := w.expected.first; g != nil && g.born+w.config.LateAfter <= w.clock; g = w.expected.first {
		w.due(g)
	}
}
