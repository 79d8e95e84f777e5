// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// group is a run of leaves under one root of a seal that did not verify when the seal came: leaves are missing, so far or
// for good, or wrong. Groups that verify are never made.
type group struct {
	session *session
	number  uint64 // of the seal
	late    *lateSeal
	doubt   bool
	root    seal.Hash
	seqs    []uint64
	leaf    []seal.Hash
	place   []place
	have    uint16 // by index in seqs
	prefix  []byte // two bytes a leaf; nil in a block of doubt
}

// maxCombinations bounds the work on a group whose ids several records claim.
const maxCombinations = 256

// settle takes in what an authentic seal covers and voids.
func (v *Verifier) settle(ss *session, s *seal.Seal, late *lateSeal) {
	if ss.settled.Overlaps(s.Covered) || ss.settled.Overlaps(s.Void) {
		ss.stream.broken(s.Number, finding.SettledTwice)
		return
	}
	for _, r := range s.Void {
		ss.void = ss.void.Add(r)
		ss.settled = ss.settled.Add(r)
		v.dropVoid(ss.handle, r)
	}
	var (
		seqs   [seal.GroupSize]uint64
		n      int
		index  int // of the group
		size   = s.GroupSize()
		prefix = s.Prefixes
	)
	flush := func() {
		var p []byte
		if prefix != nil {
			p, prefix = prefix[:2*n], prefix[2*n:]
		}
		v.cover(ss, s, late, seqs[:n], &s.Groups[index], p)
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
}

// dropVoid puts the records of void seqs aside: nothing can be said of them.
func (v *Verifier) dropVoid(h *handle, r seal.Range) {
	drop := func(seq uint64) {
		if p, slot, ok := h.leaf(seq); ok && p.done>>slot&1 == 0 {
			h.addVoid(seq, candidate{leaf: p.leaf[slot], place: p.place[slot]})
			for _, c := range h.extras[seq] {
				h.addVoid(seq, c)
			}
			delete(h.extras, seq)
			v.take(h, seq)
		}
	}
	if r.Len() <= uint64(len(h.pages))*leavesAPage {
		for seq := r.First; seq <= r.Last; seq++ {
			drop(seq)
		}
		return
	}
	// A range may be as long as a number; there are never more records than were read.
	var seqs []uint64
	for number, p := range h.pages {
		for _, seq := range p.open(number) {
			if r.First <= seq && seq <= r.Last {
				seqs = append(seqs, seq)
			}
		}
	}
	for _, seq := range seqs {
		drop(seq)
	}
}

// cover checks the leaves of one group, and keeps the group when that cannot be done yet.
func (v *Verifier) cover(ss *session, s *seal.Seal, late *lateSeal, seqs []uint64, root *seal.Hash, prefix []byte) {
	var (
		leaves [seal.GroupSize]seal.Hash
		pages  [seal.GroupSize]*page
		slots  [seal.GroupSize]int
		h      = ss.handle
		have   uint16
	)
	for i, seq := range seqs {
		p, slot, ok := h.leaf(seq)
		if ok && p.done>>slot&1 == 0 { // what is verified is another session's
			leaves[i], pages[i], slots[i] = p.leaf[slot], p, slot
			have |= 1 << i
		}
	}
	all := uint16(1)<<len(seqs) - 1
	if have == all && len(h.extras) == 0 && seal.Root(leaves[:len(seqs)]) == *root {
		for i, seq := range seqs {
			v.finish(h, seq, pages[i], slots[i])
		}
		ss.verify(late, seqs)
		return
	}
	g := &group{
		session: ss, number: s.Number, late: late, doubt: s.Doubt, root: *root,
		seqs: append([]uint64(nil), seqs...), leaf: append([]seal.Hash(nil), leaves[:len(seqs)]...),
		place: make([]place, len(seqs)), have: have, prefix: append([]byte(nil), prefix...),
	}
	for i, seq := range seqs {
		ss.groups[seq] = g
		if have>>i&1 == 1 {
			g.place[i] = pages[i].place[slots[i]]
			v.take(h, seq)
		}
	}
	if h.shared() {
		v.tryShared(g)
	} else {
		v.try(g)
	}
}

// verify counts records as verified, or as late.
func (s *session) verify(late *lateSeal, seqs []uint64) {
	s.verified += uint64(len(seqs))
	if late != nil {
		for _, seq := range seqs {
			late.verified = late.verified.Add(seal.Range{First: seq, Last: seq})
		}
	}
}

// offer gives a group a record that came after its seal.
func (v *Verifier) offer(g *group, seq uint64, leaf *seal.Hash, at place) {
	h := g.session.handle
	i := g.index(seq)
	switch {
	case g.have>>i&1 == 0:
		g.have |= 1 << i
		g.leaf[i], g.place[i] = *leaf, at
		v.try(g)
	case g.leaf[i] == *leaf:
		h.duplicates++
	default:
		if v.addExtra(h, seq, leaf, at, g.place[i]) {
			v.try(g)
		}
	}
}

func (g *group) index(seq uint64) int {
	for i, s := range g.seqs {
		if s == seq {
			return i
		}
	}
	panic("seal: a seq is registered with a group that it is not in")
}

// addExtra keeps a further record of a seq, and reports whether it is a new candidate.
func (v *Verifier) addExtra(h *handle, seq uint64, leaf *seal.Hash, at, first place) bool {
	list := h.extras[seq]
	for i := range list {
		if list[i].leaf == *leaf {
			h.duplicates++
			return false
		}
	}
	if len(list) >= maxCandidates {
		v.conflict(h, conflict{seq: seq, candidate: candidate{leaf: *leaf, place: at}, against: first})
		return false
	}
	if h.extras == nil {
		h.extras = map[uint64][]candidate{}
	}
	h.extras[seq] = append(list, candidate{leaf: *leaf, place: at})
	return true
}

// choices returns the records that could be the leaf at index i, without those that the seal's short digest rules out.
func (g *group) choices(i int) []candidate {
	var list []candidate
	for _, c := range append([]candidate{{leaf: g.leaf[i], place: g.place[i]}}, g.session.handle.extras[g.seqs[i]]...) {
		if g.fits(i, &c.leaf) {
			list = append(list, c)
		}
	}
	return list
}

// fits reports whether a leaf may be the one at index i. It may be another even so, unless it is a group of one.
func (g *group) fits(i int, leaf *seal.Hash) bool {
	if g.doubt {
		return *leaf == g.root
	}
	return leaf[0] == g.prefix[2*i] && leaf[1] == g.prefix[2*i+1]
}

// try verifies a group if its leaves are all there.
func (v *Verifier) try(g *group) {
	if g.have != uint16(1)<<len(g.seqs)-1 {
		return
	}
	choices := make([][]candidate, len(g.seqs))
	for i := range g.seqs {
		choices[i] = g.choices(i)
	}
	leaves, places := g.combine(choices)
	if leaves == nil {
		return
	}
	h := g.session.handle
	for i, seq := range g.seqs {
		// Who else has the id is not genuine.
		for _, c := range append([]candidate{{leaf: g.leaf[i], place: g.place[i]}}, h.extras[seq]...) {
			if c.leaf != leaves[i] {
				v.conflict(h, conflict{seq: seq, candidate: c, against: places[i], backed: true})
			}
		}
		delete(h.extras, seq)
		p, slot := v.put(h, seq, &leaves[i], places[i])
		v.finish(h, seq, p, slot)
		delete(g.session.groups, seq)
	}
	g.session.verify(g.late, g.seqs)
}

// combine looks for the one choice for each leaf that gives the group's root, nil if there is none.
func (g *group) combine(choices [][]candidate) ([]seal.Hash, []place) {
	combinations := 1
	for i := range choices {
		if combinations *= len(choices[i]); combinations == 0 || combinations > maxCombinations {
			return nil, nil
		}
	}
	leaves, places := make([]seal.Hash, len(choices)), make([]place, len(choices))
	for n := range combinations {
		rest := n
		for i := range choices {
			pick := choices[i][rest%len(choices[i])]
			rest /= len(choices[i])
			leaves[i], places[i] = pick.leaf, pick.place
		}
		if seal.Root(leaves) == g.root {
			return leaves, places
		}
	}
	return nil, nil
}
