// SPDX-License-Identifier: Apache-2.0

package record

import (
	"iter"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// shared is the [keeper] of a handle that several sessions have: it is short. Then a record may be of either, which only the group roots can tell. So
// from when the second session is known on, the records are all kept as candidates, for the groups of all to choose from. That takes
// more memory and time than the ordinary way; it happens about once in a million archives of a thousand sessions.
type shared struct {
	*handle
	pool  map[uint64][]claim
	again map[uint64][]*lateSeal // of records that were verified before the handle was shared: the seals of other sessions that verify them
}

// claim is a record that may be of any of the sessions.
type claim struct {
	candidate
	others   []seal.Hash // the leaf as it is with each but the first of handle.policies
	backers  []*lateSeal // of the groups that it verifies in; nil for one of a seal that is not late
	reported bool        // there is a finding on it
}

func (c *claim) equal(other *claim) bool {
	return c.leaf == other.leaf && slices.Equal(c.others, other.others)
}

// share goes over to a shared keeper, with all that the single one has.
func (s *single) share() *shared {
	pool := map[uint64][]claim{}
	add := func(seq uint64, list ...candidate) {
		for _, c := range list {
			pool[seq] = append(pool[seq], claim{candidate: c})
		}
	}
	for seq, c := range s.leaves.open() {
		add(seq, c)
		s.leaves.remove(seq)
	}
	for _, a := range s.accounts {
		for seq, g := range a.groups {
			if i := g.index(seq); g.have>>i&1 == 1 {
				add(seq, g.found[i])
				g.have &^= 1 << i
			}
		}
	}
	for seq, list := range s.extras {
		add(seq, list...)
	}
	for seq, list := range s.voids {
		s.voided -= uint64(len(list))
		add(seq, list...)
	}
	for _, c := range s.conflicts {
		add(c.seq, c.candidate)
	}
	s.conflicts, s.against = nil, nil
	return &shared{handle: s.handle, pool: pool}
}

// add takes in a record. In a first pass the sessions exclude the same; where they do not, there is a second.
func (s *shared) add(seq uint64, r *canonical.Record, d *Digest, at place) {
	c := claim{candidate: candidate{place: at}}
	if len(s.policies) == 0 {
		a := s.accounts[0]
		if a.policy == nil {
			s.assumed.note(r, s.records.policies.usual)
		}
		c.leaf = *d.under(s.policyOf(a), r)
	}
	for i, policy := range s.policies {
		if leaf := d.under(policy, r); i == 0 {
			c.leaf = *leaf
		} else {
			c.others = append(c.others, *leaf)
		}
	}
	s.addClaim(seq, c)
}

// resume takes in a leaf that one of the sessions has computed. Under another's policy nobody can say what it is, and so not whether that one has
// brought the record already.
func (s *shared) resume(a *account, seq uint64, leaf *seal.Hash, at place) bool {
	c := claim{candidate: candidate{place: at}}
	if len(s.policies) > 1 {
		c.others = make([]seal.Hash, len(s.policies)-1)
	}
	*s.leafFor(&c, a) = *leaf
	if slices.ContainsFunc(s.pool[seq], func(other claim) bool { return other.equal(&c) }) {
		return false
	}
	s.addClaim(seq, c)
	return true
}

func (s *shared) addClaim(seq uint64, c claim) {
	pool := s.pool[seq]
	genuine, known := s.leaves.getVerified(seq)
	if known && genuine.leaf == c.leaf && len(c.others) == 0 || slices.ContainsFunc(pool, func(other claim) bool { return other.equal(&c) }) {
		s.duplicates++
		return
	}
	if len(pool) >= 2*maxCandidates {
		s.addConflict(conflict{seq: seq, candidate: c.candidate})
		return
	}
	s.pool[seq] = append(pool, c)
	for _, a := range s.accounts {
		if g := a.groups[seq]; g != nil {
			s.tryGroup(g)
		}
	}
}

// leafFor returns a record's leaf as a session computes it. Another session's must never do: it may leave out what this one does not.
func (s *shared) leafFor(c *claim, a *account) *seal.Hash {
	if i := slices.Index(s.policies, s.policyOf(a)); i > 0 {
		return &c.others[i-1]
	}
	return &c.leaf
}

func (s *shared) void(seal.Range) {} // another session may have use for them; finish looks

func (s *shared) cover(g *group) { s.tryGroup(g.keep()) }

// choices returns the records that could be the leaf at index i of a group, with the leaf that the group's session computes.
func (s *shared) choices(g *group, i int) []candidate {
	var list []candidate
	if c, ok := s.leaves.getVerified(g.seqs[i]); ok && g.fits(i, &c.leaf) {
		list = append(list, c)
	}
	for _, c := range s.pool[g.seqs[i]] {
		if leaf := *s.leafFor(&c, g.account); g.fits(i, &leaf) {
			list = append(list, candidate{leaf, c.place})
		}
	}
	return list
}

// tryGroup verifies a group if its leaves are all there. Section 8.3, first paragraph: a record that verifies in one session may verify in another too.
func (s *shared) tryGroup(g *group) {
	choices := make([][]candidate, len(g.seqs))
	for i := range g.seqs {
		choices[i] = s.choices(g, i)
	}
	picked := g.combine(choices)
	if picked == nil {
		return
	}
	for i, seq := range g.seqs {
		waited := false
		for j := range s.pool[seq] {
			if c := &s.pool[seq][j]; *s.leafFor(c, g.account) == picked[i].leaf {
				c.backers = append(c.backers, g.late)
				waited = true
			}
		}
		if !waited {
			if s.again == nil {
				s.again = map[uint64][]*lateSeal{}
			}
			s.again[seq] = append(s.again[seq], g.late)
		}
	}
	g.settle()
}

// repeats returns how often records were counted as verified beyond the first time, since they verify in several sessions. It is to be called once
// it is known which seals are late.
func (s *shared) repeats() (n uint64) {
	count := func(backers []*lateSeal, others uint64) {
		for _, late := range backers {
			if late == nil || !late.stands {
				others++
			}
		}
		if others > 1 {
			n += others - 1
		}
	}
	for _, pool := range s.pool {
		for i := range pool {
			count(pool[i].backers, 0)
		}
	}
	for seq, backers := range s.again {
		if s.accounts[0].isLate(seq) {
			count(backers, 0)
		} else {
			count(backers, 1)
		}
	}
	return n
}

func (s *shared) open(a *account) iter.Seq2[uint64, seal.Hash] {
	return func(yield func(uint64, seal.Hash) bool) {
		for _, seq := range sortedKeys(s.pool) {
			for _, c := range s.pool[seq] {
				if len(c.backers) == 0 && !yield(seq, *s.leafFor(&c, a)) {
					return
				}
			}
		}
	}
}

// claimants returns the record that a session has to answer for: one that could be the leaf, else one that no other session has use for. Section 8.3,
// first paragraph: a record answers for one session only.
func (s *shared) claimants(g *group, i int) (list []candidate, fits bool) {
	pool := s.pool[g.seqs[i]]
	best := -1
	for j := range pool {
		if c := &pool[j]; len(c.backers) == 0 && !c.reported && (best < 0 || g.fits(i, s.leafFor(c, g.account))) {
			best = j
		}
	}
	fits = len(s.choices(g, i)) > 0
	if best < 0 {
		return nil, fits
	}
	pool[best].reported = true
	return []candidate{pool[best].candidate}, fits
}

// finish reports the records that are of none of the sessions. Section 8.3, first paragraph: the best that a record is in one of them.
func (s *shared) finish() {
	for _, seq := range sortedKeys(s.pool) {
		for _, c := range s.pool[seq] {
			if len(c.backers) > 0 || c.reported {
				continue
			}
			reason, stream, void := s.best(seq)
			if void && reason.Code() != finding.Unsealed {
				s.voided++
				continue
			}
			s.reportOpen(reason, seq, stream, c.place)
		}
	}
}

// best returns the mildest that a record with this id is in one of the sessions, of which stream, and whether the id is void in one.
func (s *shared) best(seq uint64) (reason finding.Reason, stream string, void bool) {
	reason, stream = finding.NotBacked, s.stream()
	settled := false
	for _, a := range s.accounts {
		switch a.State(seq) {
		case session.Void:
			void = true
		case session.Covered, session.Before:
			settled = true
		}
	}
	for _, a := range s.accounts {
		if a.State(seq) != session.Open || reason.Code() == finding.Unsealed {
			continue
		}
		if fate := a.Fate(seq); fate.Code() == finding.Unsealed || !settled {
			reason, stream = fate, a.Stream()
		}
	}
	return reason, stream, void
}
