// SPDX-License-Identifier: Apache-2.0

package seal

// group is a run of leaves under one root of a seal that did not verify when the seal came: leaves are missing, so far or
// for good, or wrong. Groups that verify are never made.
type group struct {
	session *session
	number  uint64 // of the seal
	late    *lateSeal
	doubt   bool
	root    Hash
	seqs    []uint64
	leaf    []Hash
	place   []place
	have    uint16 // by index in seqs
	prefix  []byte // two bytes a leaf; nil in a block of doubt
}

// maxCombinations bounds the work on a group whose ids several records claim.
const maxCombinations = 256

// settle takes in what an authentic seal covers and voids.
func (v *Verifier) settle(s *session, seal *Seal, late *lateSeal) {
	if s.settled.Overlaps(seal.Covered) || s.settled.Overlaps(seal.Void) {
		v.broken(s.stream, seal.Number, "settles records that an earlier seal has settled already; it is not followed in that")
		return
	}
	for _, r := range seal.Void {
		s.void = s.void.Add(r)
		s.settled = s.settled.Add(r)
		v.dropVoid(s.handle, r)
	}
	var (
		seqs   [GroupSize]uint64
		n      int
		index  int // of the group
		size   = seal.GroupSize()
		prefix = seal.Prefixes
	)
	flush := func() {
		var p []byte
		if prefix != nil {
			p, prefix = prefix[:2*n], prefix[2*n:]
		}
		v.cover(s, seal, late, seqs[:n], &seal.Groups[index], p)
		index, n = index+1, 0
	}
	for _, r := range seal.Covered {
		s.settled = s.settled.Add(r)
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

// dropVoid forgets the records of void seqs: nothing can be said of them.
func (v *Verifier) dropVoid(h *handle, r Range) {
	drop := func(seq uint64) {
		if p, slot, ok := h.leaf(seq); ok && p.done>>slot&1 == 0 {
			h.voided += 1 + uint64(len(h.extras[seq]))
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
func (v *Verifier) cover(s *session, seal *Seal, late *lateSeal, seqs []uint64, root *Hash, prefix []byte) {
	var (
		leaves [GroupSize]Hash
		pages  [GroupSize]*page
		slots  [GroupSize]int
		h      = s.handle
		have   uint16
	)
	for i, seq := range seqs {
		p, slot, ok := h.leaf(seq)
		if ok && p.done>>slot&1 == 0 {
			leaves[i], pages[i], slots[i] = p.leaf[slot], p, slot
			have |= 1 << i
		}
	}
	all := uint16(1)<<len(seqs) - 1
	if have == all && len(h.extras) == 0 && Root(leaves[:len(seqs)]) == *root {
		for i, seq := range seqs {
			v.finish(h, seq, pages[i], slots[i])
		}
		s.verify(late, seqs)
		return
	}
	g := &group{
		session: s, number: seal.Number, late: late, doubt: seal.Doubt, root: *root,
		seqs: append([]uint64(nil), seqs...), leaf: append([]Hash(nil), leaves[:len(seqs)]...),
		place: make([]place, len(seqs)), have: have, prefix: append([]byte(nil), prefix...),
	}
	for i, seq := range seqs {
		s.groups[seq] = g
		if have>>i&1 == 1 {
			g.place[i] = pages[i].place[slots[i]]
			v.take(h, seq)
		} else if list := h.extras[seq]; len(list) > 0 { // two sessions share the handle, and the leaf that is here is the other's
			g.have |= 1 << i
			g.leaf[i], g.place[i] = list[0].leaf, list[0].place
			h.extras[seq] = list[1:]
		}
	}
	v.try(g)
}

// verify counts records as verified, or as late.
func (s *session) verify(late *lateSeal, seqs []uint64) {
	s.verified += uint64(len(seqs))
	if late != nil {
		for _, seq := range seqs {
			late.verified = late.verified.Add(Range{seq, seq})
		}
	}
}

// offer gives a group a record that came after its seal.
func (v *Verifier) offer(g *group, seq uint64, leaf *Hash, at place) {
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
func (v *Verifier) addExtra(h *handle, seq uint64, leaf *Hash, at, first place) bool {
	list := h.extras[seq]
	for i := range list {
		if list[i].leaf == *leaf {
			h.duplicates++
			return false
		}
	}
	if len(list) >= maxCandidates {
		v.conflict(h, conflict{seq: seq, candidate: candidate{*leaf, at}, against: first})
		return false
	}
	if h.extras == nil {
		h.extras = map[uint64][]candidate{}
	}
	h.extras[seq] = append(list, candidate{*leaf, at})
	return true
}

// choices returns the records that could be the leaf at index i, without those that the seal's short digest rules out.
func (g *group) choices(i int) []candidate {
	var list []candidate
	for _, c := range append([]candidate{{g.leaf[i], g.place[i]}}, g.session.handle.extras[g.seqs[i]]...) {
		if g.fits(i, &c.leaf) {
			list = append(list, c)
		}
	}
	return list
}

// fits reports whether a leaf may be the one at index i. It may be another even so, unless it is a group of one.
func (g *group) fits(i int, leaf *Hash) bool {
	if g.doubt {
		return *leaf == g.root
	}
	return leaf[0] == g.prefix[2*i] && leaf[1] == g.prefix[2*i+1]
}

// try verifies a group if its leaves are all there.
func (v *Verifier) try(g *group) bool {
	if g.have != uint16(1)<<len(g.seqs)-1 {
		return false
	}
	h := g.session.handle
	choices := make([][]candidate, len(g.seqs))
	combinations := 1
	for i := range g.seqs {
		if choices[i] = g.choices(i); len(choices[i]) == 0 {
			return false
		}
		if combinations *= len(choices[i]); combinations > maxCombinations {
			return false
		}
	}
	leaves := make([]Hash, len(g.seqs))
	for n := range combinations {
		picked := n
		for i := range leaves {
			leaves[i] = choices[i][picked%len(choices[i])].leaf
			picked /= len(choices[i])
		}
		if Root(leaves) != g.root {
			continue
		}
		picked = n
		for i, seq := range g.seqs {
			winner := choices[i][picked%len(choices[i])]
			picked /= len(choices[i])
			v.win(g, i, winner)
			p, slot := v.put(h, seq, &winner.leaf, winner.place)
			v.finish(h, seq, p, slot)
			delete(g.session.groups, seq)
		}
		g.session.verify(g.late, g.seqs)
		return true
	}
	return false
}

// win settles who of several records with one id is the genuine one. Where sessions share the handle, each loser may yet be
// the other session's.
func (v *Verifier) win(g *group, i int, winner candidate) {
	h, seq := g.session.handle, g.seqs[i]
	losers := append([]candidate{{g.leaf[i], g.place[i]}}, h.extras[seq]...)
	delete(h.extras, seq)
	for _, c := range losers {
		switch {
		case c.leaf == winner.leaf:
		case len(h.sessions) > 1:
			v.addExtra(h, seq, &c.leaf, c.place, winner.place)
		default:
			v.conflict(h, conflict{seq: seq, candidate: c, against: winner.place, backed: true})
		}
	}
}
