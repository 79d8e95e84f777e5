// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"maps"
	"slices"
	"strconv"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// jump goes on from the lowest anchor above the chain's head that waits and is ripe (docs/stamp-format.md, section 8.1, rule 2), and reports whether there is one.
func (w *Watcher) jump(st *stream, ripe func(*note) bool) bool {
	for _, number := range slices.Sorted(maps.Keys(st.held)) {
		key, ok := st.anchors[number]
		if !ok || number <= st.head.number+1 {
			continue
		}
		for _, n := range st.held[number] {
			if ripe(n) && n.ClaimsOwnSignature() && n.AnchoredBy(&key) {
				w.leap(st, n, key)
				return true
			}
		}
	}
	return false
}

// leap goes on from an anchor, and takes in the seals below it that its prev leads down to.
func (w *Watcher) leap(st *stream, anchor *note, key seal.AnchorKey) {
	low := st.head
	way := []*note{anchor} // down
	copies := [][]*note{st.copiesOf(anchor)}
	for {
		above := way[len(way)-1]
		var below *note
		if above.Seal.Number-1 > low.number {
			for _, n := range st.held[above.Seal.Number-1] {
				if n.hash == above.Seal.Prev {
					below = n
				}
			}
		}
		if below == nil {
			break
		}
		way = append(way, below)
		copies = append(copies, st.copiesOf(below))
	}
	slices.Reverse(way)
	slices.Reverse(copies)
	g := &gap{low: low, upper: way[0], copies: copies[0], anchor: anchor.Seal.Number, unwatched: w.config.Partial || st.resumed}
	w.openGap(st, g)
	st.tree = nil
	for i, n := range way {
		m := mark{n.Seal.Number, n.hash, key, true}
		switch {
		case i > 0:
			m = mark{n.Seal.Number, n.hash, seal.Ed25519Anchor(&way[i-1].Seal.Next), false}
			if !signed(copies[i], m.key.Ed25519()) {
				w.broken(st, n.Seal.Number, 0, finding.KeyNotNamed)
			}
		case n != anchor:
			m.key = seal.AnchorKey{} // not known
		}
		if n != anchor && !g.unwatched {
			w.owe(st, n, copies[i])
		}
		before := st.head
		w.release(st, n, m)
		w.resume(st, n)
		st.head = tipOf(n)
		w.sealed(st, n)
		ss := w.follow(st, n.Seal)
		if i > 0 {
			w.checkPair(st, before, n.Seal)
		}
		late := g
		if n == anchor || g.unwatched {
			late = nil
		}
		w.obey(st, ss, n.Seal, late, g.unwatched)
	}
	w.fill(st, g)
	w.retell(st)
}

// copiesOf returns the seals that wait and differ from one in no more than their signatures.
func (st *stream) copiesOf(n *note) (list []*note) {
	for _, other := range st.held[n.Seal.Number] {
		if other.hash == n.hash {
			list = append(list, other)
		}
	}
	return list
}

// signed reports whether one of a seal's copies is signed with a key.
func signed(copies []*note, key *seal.PublicKey) bool {
	return slices.ContainsFunc(copies, func(n *note) bool { return n.SignedBy(key) })
}

// openGap notes the seals that are missing below an anchor, if any are, and reports them.
func (w *Watcher) openGap(st *stream, g *gap) {
	if len(st.gaps) >= maxGaps {
		st.gaps = slices.Delete(st.gaps, 0, 1)
	}
	st.gaps = append(st.gaps, g)
	first, last := g.low.number+1, g.upper.Seal.Number-1
	if first > last {
		return
	}
	lacking := seal.Range{First: first, Last: last}
	s := st.seals(first, last)
	s.from = g.upper.from
	if g.unwatched {
		st.unwatched = few(st.unwatched.Add(lacking))
		w.add(finding.NotWatched, s)
		return
	}
	st.missing = few(st.missing.Add(lacking))
	g.cause = w.add(finding.SealGap, s)
}

// few keeps a set of numbers small: the highest, and what is below them as one range.
func few(rs seal.Ranges) seal.Ranges {
	if len(rs) <= maxNumbers {
		return rs
	}
	rs[1].First = rs[0].First
	return slices.Delete(rs, 0, 1)
}

// late counts a verified record that only an anchor vouches for.
func (w *Watcher) late(g *gap, h *handle, seq uint64) {
	s := h.on(seq, seq, g.upper.from)
	first := g.upper.Seal.Number
	s.detail = finding.Detail{Seals: finding.Seal(first), By: g.anchor}
	s.sub = strconv.FormatUint(first, 10)
	s.count = 1
	g.lates.add(w.add(finding.AnchorAlone, s), 1)
	h.session.stream.dirty = true
}

// fill takes in seals of a gap that have come after all.
func (w *Watcher) fill(st *stream, g *gap) {
	filled := false
	for w.fillUp(st, g) || w.fillDown(st, g) {
		filled = true
	}
	if g.low.number+1 == g.upper.Seal.Number {
		w.close(st, g)
	}
	if filled {
		w.reconsider(st)
		w.retell(st)
	}
}

// fillUp looks for the seal after the last one below the gap.
func (w *Watcher) fillUp(st *stream, g *gap) bool {
	if g.low.number+1 >= g.upper.Seal.Number {
		return false
	}
	for _, n := range st.held[g.low.number+1] {
		if !n.follows(g.low) {
			continue
		}
		before := g.low
		w.release(st, n, mark{n.Seal.Number, n.hash, seal.Ed25519Anchor(&before.next), false})
		g.low = tipOf(n)
		w.filled(st, g, n)
		ss := w.follow(st, n.Seal)
		w.checkPair(st, before, n.Seal)
		w.obey(st, ss, n.Seal, nil, g.unwatched)
		return true
	}
	return false
}

// fillDown looks for the seal that the first one above the gap names.
func (w *Watcher) fillDown(st *stream, g *gap) bool {
	number := g.upper.Seal.Number - 1
	if number <= g.low.number {
		return false
	}
	for _, n := range st.held[number] {
		if n.hash != g.upper.Seal.Prev {
			continue
		}
		copies := st.copiesOf(n)
		above, signedAbove := g.upper, signed(g.copies, &n.Seal.Next)
		w.release(st, n, mark{number, n.hash, seal.AnchorKey{}, true})
		g.upper, g.copies = n, copies
		w.filled(st, g, n)
		if !g.unwatched {
			w.owe(st, n, copies)
		}
		ss := w.follow(st, n.Seal)
		if !signedAbove {
			w.broken(st, above.Seal.Number, 0, finding.KeyNotNamed)
		}
		w.checkPair(st, tipOf(n), above.Seal)
		late := g
		if g.unwatched {
			late = nil
		}
		w.obey(st, ss, n.Seal, late, g.unwatched)
		return true
	}
	return false
}

// filled notes that a missing seal has come.
func (w *Watcher) filled(st *stream, g *gap, n *note) {
	r := seal.Range{First: n.Seal.Number, Last: n.Seal.Number}
	st.missing, st.unwatched = st.missing.Remove(r), st.unwatched.Remove(r)
	w.retract(g.cause, 1)
	w.sealCount++
	st.dirty = true
	w.bind(st, n.from, st.seals(n.Seal.Number, n.Seal.Number))
}

// close ends a gap of which no seal is missing any more. The seals above it must go on from those below, with their own signatures: else whoever has an
// anchor's key could rewrite all that lies between.
func (w *Watcher) close(st *stream, g *gap) {
	s := g.upper.Seal
	switch {
	case s.Prev != g.low.hash:
		fork := st.seals(g.low.number, g.low.number)
		fork.detail.By = s.Number
		w.once(finding.OtherBefore, fork)
		return
	case !signed(g.copies, &g.low.next):
		w.broken(st, s.Number, 0, finding.KeyNotNamed)
		return
	}
	g.closed = true
	w.checkPair(st, g.low, s)
	w.takeAllBack(&g.lates)
	st.gaps = slices.DeleteFunc(st.gaps, func(other *gap) bool { return other == g })
}
