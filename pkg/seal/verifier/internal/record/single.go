// SPDX-License-Identifier: Apache-2.0

package record

import (
	"iter"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// single is the [keeper] of a handle that one session has, or none as far as is known yet. A record's leaf waits in the handle's leaves until
// its seal comes, or goes to the group that waits for it.
type single struct {
	*handle
	extras map[uint64][]candidate // further records of a seq that is not settled yet, or of a group that does not verify
	voids  map[uint64][]candidate // records whose id the session declared void
}

func (s *single) add(seq uint64, r *canonical.Record, d *Digest, at place) {
	switch {
	case len(s.accounts) > 0:
		a := s.accounts[0]
		s.addTo(a, seq, s.digestFor(a, r, d), at)
	case s.ended:
		s.reportOpen(finding.RecordBefore, seq, s.former, at)
	default:
		s.hold(seq, s.digestFor(nil, r, d), at)
	}
}

func (s *single) resume(a *account, seq uint64, leaf *seal.Hash, at place) bool {
	s.addTo(a, seq, leaf, at)
	return true
}

// addTo judges a record by what its session has made of the id so far. Section 8.3.
func (s *single) addTo(a *account, seq uint64, leaf *seal.Hash, at place) {
	switch a.State(seq) {
	case session.Open:
		s.hold(seq, leaf, at)
	case session.Before:
		s.reportOpen(finding.RecordBefore, seq, a.Stream(), at)
	case session.Void:
		s.addVoid(seq, candidate{*leaf, at})
	case session.Covered:
		if g := a.groups[seq]; g != nil {
			s.addToGroup(g, seq, leaf, at)
		} else {
			s.addAgain(seq, leaf, at)
		}
	}
}

// hold keeps a record until a seal settles it.
func (s *single) hold(seq uint64, leaf *seal.Hash, at place) {
	p, slot, ok := s.leaves.get(seq)
	switch {
	case !ok:
		s.leaves.put(seq, leaf, at)
	case p.leaf[slot] == *leaf:
		s.duplicates++
	default:
		s.addExtra(seq, candidate{*leaf, at}, p.place[slot])
	}
}

// addAgain judges a record whose id has been verified for another one before. Section 8.3, "several records with one id".
func (s *single) addAgain(seq uint64, leaf *seal.Hash, at place) {
	genuine, ok := s.leaves.getVerified(seq)
	switch {
	case !ok:
		s.recheck = s.recheck.Add(seal.Range{First: seq, Last: seq})
		s.records.again = true
	case genuine.leaf == *leaf:
		s.duplicates++
	default:
		s.addConflict(conflict{seq: seq, candidate: candidate{*leaf, at}, against: genuine.place, backed: true})
	}
}

// addToGroup gives a group a record that came after its seal.
func (s *single) addToGroup(g *group, seq uint64, leaf *seal.Hash, at place) {
	i := g.index(seq)
	switch {
	case g.have>>i&1 == 0:
		g.have |= 1 << i
		g.found[i] = candidate{*leaf, at}
		s.tryGroup(g)
	case g.found[i].leaf == *leaf:
		s.duplicates++
	case s.addExtra(seq, candidate{*leaf, at}, g.found[i].place):
		s.tryGroup(g)
	}
}

// addExtra keeps a further record of a seq, and reports whether it is a new candidate.
func (s *single) addExtra(seq uint64, c candidate, first place) bool {
	list := s.extras[seq]
	for i := range list {
		if list[i].leaf == c.leaf {
			s.duplicates++
			return false
		}
	}
	if len(list) >= maxCandidates {
		s.addConflict(conflict{seq: seq, candidate: c, against: first})
		return false
	}
	if s.extras == nil {
		s.extras = map[uint64][]candidate{}
	}
	s.extras[seq] = append(list, c)
	return true
}

// void puts the records of void ids aside. Section 8.3, "void".
func (s *single) void(r seal.Range) {
	for _, seq := range s.leaves.openIn(r) {
		p, slot, _ := s.leaves.get(seq)
		s.addVoid(seq, p.candidate(slot))
		for _, c := range s.extras[seq] {
			s.addVoid(seq, c)
		}
		delete(s.extras, seq)
		s.leaves.remove(seq)
	}
}

// addVoid takes in a record with a void id. It is kept to tell copies, and should another session turn out to have the handle.
func (s *single) addVoid(seq uint64, c candidate) {
	list := s.voids[seq]
	for i := range list {
		if list[i].leaf == c.leaf {
			s.duplicates++
			return
		}
	}
	s.voided++
	if len(list) >= maxCandidates {
		return
	}
	if s.voids == nil {
		s.voids = map[uint64][]candidate{}
	}
	s.voids[seq] = append(list, c)
}

// cover verifies a group whose leaves have come before its seal, which are most, at once. Section 8.3, "in a block".
func (s *single) cover(g *group) {
	var (
		leaves [seal.GroupSize]seal.Hash
		in     [seal.GroupSize]*page
		slots  [seal.GroupSize]int
	)
	for i, seq := range g.seqs {
		if p, slot, ok := s.leaves.getOpen(seq); ok {
			leaves[i], in[i], slots[i] = p.leaf[slot], p, slot
			g.have |= 1 << i
		}
	}
	if g.complete() && len(s.extras) == 0 && seal.Root(leaves[:len(g.seqs)]) == g.root {
		for i, seq := range g.seqs {
			s.leaves.markVerified(seq, in[i], slots[i])
		}
		g.account.verify(g)
		return
	}
	g = g.keep()
	for i, seq := range g.seqs {
		if g.have>>i&1 == 1 {
			g.found[i] = in[i].candidate(slots[i])
			s.leaves.remove(seq)
		}
	}
	s.tryGroup(g)
}

// all returns the records that have the id at index i of a group.
func (s *single) all(g *group, i int) []candidate {
	if g.have>>i&1 == 0 {
		return nil
	}
	return append([]candidate{g.found[i]}, s.extras[g.seqs[i]]...)
}

// choices returns the records that could be the leaf at index i, without those that the seal's short digest rules out.
func (s *single) choices(g *group, i int) []candidate {
	var list []candidate
	for _, c := range s.all(g, i) {
		if g.fits(i, &c.leaf) {
			list = append(list, c)
		}
	}
	return list
}

// tryGroup verifies a group if its leaves are all there. Section 8.3, "in a block".
func (s *single) tryGroup(g *group) {
	if !g.complete() {
		return
	}
	choices := make([][]candidate, len(g.seqs))
	for i := range g.seqs {
		choices[i] = s.choices(g, i)
	}
	picked := g.combine(choices)
	if picked == nil {
		return
	}
	for i, seq := range g.seqs {
		// Who else has the id is not genuine.
		for _, c := range s.all(g, i) {
			if c.leaf != picked[i].leaf {
				s.addConflict(conflict{seq: seq, candidate: c, against: picked[i].place, backed: true})
			}
		}
		delete(s.extras, seq)
		p, slot := s.leaves.put(seq, &picked[i].leaf, picked[i].place)
		s.leaves.markVerified(seq, p, slot)
	}
	g.settle()
}

func (s *single) open(*account) iter.Seq2[uint64, seal.Hash] {
	return func(yield func(uint64, seal.Hash) bool) {
		for seq, c := range s.leaves.open() {
			if !yield(seq, c.leaf) {
				return
			}
		}
	}
}

func (s *single) claimants(g *group, i int) (list []candidate, fits bool) {
	list, fits = s.all(g, i), len(s.choices(g, i)) > 0
	if len(list) > 0 {
		delete(s.extras, g.seqs[i])
	}
	return list, fits
}

// finish reports the records that no seal settled. Section 8.3, "neither covered nor void" and "no such session".
func (s *single) finish() {
	for seq, c := range s.leaves.open() {
		reason := finding.SessionUnknown
		if len(s.accounts) > 0 {
			reason = s.accounts[0].Fate(seq)
		}
		s.reportOpen(reason, seq, s.stream(), c.place)
	}
	for _, seq := range sortedKeys(s.extras) {
		for _, c := range s.extras[seq] {
			s.report(finding.NotSealedYet, seq, s.stream(), c.place, finding.Detail{})
		}
	}
}
