// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"maps"
	"slices"
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
	h.extras, h.voids, h.conflicts = pool, nil, nil
	for seq := range pool {
		for i := range pool[seq] {
			v.observations++
			pool[seq][i].observation = v.observations
		}
	}
}

// genuine returns the leaf that was verified for seq before the handle was shared, if it is still known.
func (h *handle) genuine(seq uint64) (candidate, bool) {
	if p, slot, here := h.leaf(seq); here {
		return candidate{leaf: p.leaf[slot], place: p.place[slot], done: true}, true
	}
	c, ok := h.kept[seq]
	return c, ok
}

// addShared takes in a record of a shared handle.
func (v *Verifier) addShared(h *handle, o *Observed, at place) {
	seq := o.ID.Seq
	pool := h.extras[seq]
	genuine, known := h.genuine(seq)
	v.observations++
	var fresh []candidate
	policies := h.policies
	if len(policies) == 0 {
		for _, ss := range h.sessions {
			h.blind = h.blind || ss.policy == nil
			policies = append(policies, v.policyOf(ss))
		}
	}
	for _, policy := range policies {
		o.digest(policy)
		same := func(c candidate) bool { return c.leaf == o.leaf }
		if known && same(genuine) || slices.ContainsFunc(pool, same) {
			h.duplicates++
			return
		}
		if !slices.ContainsFunc(fresh, same) {
			fresh = append(fresh, candidate{leaf: o.leaf, place: at, observation: v.observations})
		}
	}
	if len(pool) >= maxCandidates*len(policies) {
		v.conflict(h, conflict{seq: seq, candidate: fresh[0]})
		return
	}
	h.extras[seq] = append(pool, fresh...)
	for _, ss := range h.sessions {
		if g := ss.groups[seq]; g != nil {
			v.tryShared(g)
		}
	}
}

// sharedChoices returns the records that could be the leaf at index i of a group.
func (g *group) sharedChoices(i int) []candidate {
	h := g.session.handle
	var list []candidate
	if c, ok := h.genuine(g.seqs[i]); ok && g.fits(i, &c.leaf) {
		list = append(list, c)
	}
	for _, c := range h.extras[g.seqs[i]] {
		if g.fits(i, &c.leaf) {
			list = append(list, c)
		}
	}
	return list
}

// tryShared verifies a group of a shared handle if its leaves are all there.
func (v *Verifier) tryShared(g *group) {
	choices := make([][]candidate, len(g.seqs))
	for i := range g.seqs {
		choices[i] = g.sharedChoices(i)
	}
	leaves, _ := g.combine(choices)
	if leaves == nil {
		return
	}
	h := g.session.handle
	for i, seq := range g.seqs {
		for j := range h.extras[seq] {
			if c := &h.extras[seq][j]; c.leaf == leaves[i] {
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
		said := map[uint64]bool{} // one record is several candidates where policies differ
		for _, c := range pool {
			said[c.observation] = said[c.observation] || c.done || c.told
		}
		for _, c := range pool {
			if said[c.observation] {
				continue
			}
			said[c.observation] = true
			f := h.finding(Finding{Verdict: Conflict, Stream: stream, Place: v.where(c.place), Message: "has the id of another record that says something else, and no seal backs this one"}, seq)
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
				if ss.settled.Contains(seq) {
					continue
				}
				if verdict, message := ss.fate(seq); verdict == Unsealed || !settled {
					f.Verdict, f.Message, f.Stream = verdict, message, ss.stream.trust.Name
				}
			}
			if void {
				h.voided++
				continue
			}
			v.findings.record(f)
		}
	}
}
