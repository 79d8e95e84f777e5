// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"maps"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Two sessions may have one handle: it is short. Then a record may be of either, which only the group roots can tell. So from when the second
// session is known on, the handle's records are all kept as candidates, for the groups of both to choose from. That takes more memory and time than
// the ordinary way; it happens about once in a million archives of a thousand sessions.

// share goes over to that.
func (v *Verifier) share(h *handle) {
	pool := map[uint64][]candidate{}
	for number, p := range h.pages {
		for _, seq := range p.open(number) {
			slot := seq % leavesAPage
			pool[seq] = append(pool[seq], candidate{leaf: p.leaf[slot], place: p.place[slot]})
			v.take(h, seq)
		}
	}
	for _, ss := range h.sessions {
		for seq, g := range ss.groups {
			i := g.index(seq)
			if g.have>>i&1 == 1 {
				pool[seq] = append(pool[seq], candidate{leaf: g.leaf[i], place: g.place[i]})
				g.have &^= 1 << i
			}
		}
	}
	for seq, list := range h.extras {
		pool[seq] = append(pool[seq], list...)
	}
	for seq, list := range h.voids {
		h.voided -= uint64(len(list))
		pool[seq] = append(pool[seq], list...)
	}
	for _, c := range h.conflicts {
		pool[c.seq] = append(pool[c.seq], c.candidate)
	}
	h.extras, h.voids, h.conflicts, h.against = pool, nil, nil, nil
}

// genuine returns the leaf that was verified for seq before the handle was shared, if it is still known.
func (h *handle) genuine(seq uint64) (candidate, bool) {
	if p, slot, here := h.leaf(seq); here {
		return candidate{leaf: p.leaf[slot], place: p.place[slot], done: true}, true
	}
	c, ok := h.kept[seq]
	return c, ok
}

// distinctPolicies returns what the sessions of a handle exclude, each once.
func (h *handle) distinctPolicies(v *Verifier) (list []*seal.Policy) {
	for _, ss := range h.sessions {
		if policy := v.policyOf(ss); !slices.Contains(list, policy) {
			list = append(list, policy)
		}
	}
	return list
}

// leafFor returns a record's leaf as a session computes it. Another session's must never do: it may leave out what this one does not.
func (v *Verifier) leafFor(c *candidate, ss *session) *seal.Hash {
	if i := slices.Index(ss.handle.policies, v.policyOf(ss)); i > 0 {
		return &c.others[i-1]
	}
	return &c.leaf
}

// addShared takes in a record of a shared handle. In a first pass its sessions exclude the same; where they do not, there is a second.
func (v *Verifier) addShared(h *handle, o *Observed, at place) {
	seq := o.ID.Seq
	c := candidate{place: at}
	if len(h.policies) == 0 {
		if h.sessions[0].policy == nil {
			h.assume(o, v.usual)
		}
		o.digest(v.policyOf(h.sessions[0]))
		c.leaf = o.leaf
	}
	for i, policy := range h.policies {
		o.digest(policy)
		if i == 0 {
			c.leaf = o.leaf
		} else {
			c.others = append(c.others, o.leaf)
		}
	}
	pool := h.extras[seq]
	same := func(other candidate) bool { return other.leaf == c.leaf && slices.Equal(other.others, c.others) }
	if genuine, known := h.genuine(seq); known && same(genuine) || slices.ContainsFunc(pool, same) {
		h.duplicates++
		return
	}
	if len(pool) >= 2*maxCandidates {
		v.conflict(h, conflict{seq: seq, candidate: c})
		return
	}
	h.extras[seq] = append(pool, c)
	for _, ss := range h.sessions {
		if g := ss.groups[seq]; g != nil {
			v.tryShared(g)
		}
	}
}

// sharedChoices returns the records that could be the leaf at index i of a group, with the leaf that the group's session computes.
func (v *Verifier) sharedChoices(g *group, i int) []candidate {
	h := g.session.handle
	var list []candidate
	if c, ok := h.genuine(g.seqs[i]); ok && g.fits(i, &c.leaf) {
		list = append(list, c)
	}
	for _, c := range h.extras[g.seqs[i]] {
		if c.leaf = *v.leafFor(&c, g.session); g.fits(i, &c.leaf) {
			list = append(list, c)
		}
	}
	return list
}

// tryShared verifies a group of a shared handle if its leaves are all there.
func (v *Verifier) tryShared(g *group) {
	choices := make([][]candidate, len(g.seqs))
	for i := range g.seqs {
		choices[i] = v.sharedChoices(g, i)
	}
	leaves, _ := g.combine(choices)
	if leaves == nil {
		return
	}
	h := g.session.handle
	for i, seq := range g.seqs {
		for j := range h.extras[seq] {
			if c := &h.extras[seq][j]; *v.leafFor(c, g.session) == leaves[i] {
				c.done = true
			}
		}
		delete(g.session.groups, seq)
	}
	g.session.verify(g.late, g.seqs)
}

// finishShared reports the records of a shared handle that are of none of its sessions. Those that a session has reported are marked.
func (v *Verifier) finishShared(h *handle, stream string) {
	for _, seq := range slices.Sorted(maps.Keys(h.extras)) {
		pool := h.extras[seq]
		for _, c := range pool {
			if c.done || c.told {
				continue
			}
			reason, owner := finding.NotBacked, stream
			void, settled := false, false
			for _, ss := range h.sessions {
				switch {
				case ss.void.Contains(seq):
					void = true
				case ss.settled.Contains(seq):
					settled = true
				}
			}
			for _, ss := range h.sessions {
				if ss.settled.Contains(seq) || reason.Code() == finding.Unsealed {
					continue
				}
				if fate := ss.fate(seq); fate.Code() == finding.Unsealed || !settled {
					reason, owner = fate, ss.stream.trust.Name
				}
			}
			if void && reason.Code() != finding.Unsealed {
				h.voided++
				continue
			}
			f := h.finding(reason, seq)
			f.Stream, f.Place = owner, v.where(c.place)
			v.findings.AddRecord(f)
		}
	}
}
