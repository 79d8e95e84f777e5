// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"maps"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// postQuantum is what a chain knows of the ML-DSA-44 signatures of its anchors. Section 8.1, "post-quantum", and rule 5.
type postQuantum struct {
	held map[uint64]uint64  // the anchors whose signatures hold: the number of the lowest seal that names each
	owed map[uint64][]*Note // anchors that are genuine by what lies above them, and whose own signatures are not known to hold: their copies
}

// named notes that a seal names an anchor, and none below it is known to.
func (q *postQuantum) named(anchor, by uint64) {
	if _, ok := q.held[anchor]; ok {
		q.held[anchor] = by
	}
}

// recordAnchor notes whether a genuine seal is an anchor that is signed with the keys that are first named for it, in one of the copies. It owes
// that if a later anchor leads down to it: rule 5.
func (c *Chain) recordAnchor(n *Note, copies []*Note, owes bool) {
	if !n.Seal.HasAnchor() {
		return
	}
	if c.quantum.held == nil {
		c.quantum.held, c.quantum.owed = map[uint64]uint64{}, map[uint64][]*Note{}
	}
	c.quantum.owed[n.Seal.Number] = copies
	c.settleOwed(n.Seal.Number)
	if !owes {
		delete(c.quantum.owed, n.Seal.Number)
	}
}

// recordCopy notes that a copy of a genuine anchor may carry the signatures that others lack.
func (c *Chain) recordCopy(n *Note) {
	number := n.Seal.Number
	if copies, ok := c.quantum.owed[number]; ok {
		c.quantum.owed[number] = append(copies, n)
		c.settleOwed(number)
	}
}

// settleOwed looks whether a copy of an anchor carries the signatures that it owes. In a stream without ML-DSA keys it owes none.
func (c *Chain) settleOwed(number uint64) {
	named, ok := c.anchors[number]
	switch {
	case !ok:
	case !named.key.Hybrid():
		delete(c.quantum.owed, number)
	case slices.ContainsFunc(c.quantum.owed[number], func(n *Note) bool { return n.anchorHolds(&named.key) }):
		c.quantum.held[number] = named.by
		delete(c.quantum.owed, number)
	}
}

// PostQuantum returns the seal up to which the proof does not rest on Ed25519: the highest anchor of a row of anchors from the trust line on, each named by a
// seal that the one before vouches for, and below what is missing or late. Where there is none, why says why.
func (c *Chain) PostQuantum() (until uint64, why finding.Reason) {
	first := c.runs[0]
	switch {
	case c.given && c.Tip().PostQuantum():
		until = first.first // who gives the seal vouches for it
	case !c.given && c.config.Trust.PostQuantum != (seal.Hash{}):
		// Seal 0 carries that key, or none were genuine, whatever a later one looks like.
	case !c.Tip().PostQuantum():
		return 0, finding.NoMLDSAKeys
	default:
		return 0, finding.LineWithoutMLDSA
	}
	limit := first.end()
	for number, s := range c.starts {
		if s.contradicted() && number < s.until {
			limit = min(limit, number)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(c.quantum.held)) {
		if number < limit && c.quantum.held[number] <= until {
			until = number
		}
	}
	return until, ""
}

// finishOwed reports the anchors that are not signed as they were announced: somebody cut a signature off, or forged what was left. Section 8.1, rule 5.
func (c *Chain) finishOwed() {
	for _, number := range slices.Sorted(maps.Keys(c.quantum.owed)) {
		c.settleOwed(number)
		if _, named := c.anchors[number]; named && c.quantum.owed[number] != nil {
			c.Contradict(number, finding.AnchorUnsigned)
		}
	}
}

// FinishPostQuantum reports the seals that only Ed25519 vouches for.
func (c *Chain) FinishPostQuantum() {
	until, why := c.PostQuantum()
	switch last := c.last.Number; {
	case why != "":
		c.report(why, finding.Detail{})
	case last > until && last-until < seal.AnchorEvery && len(c.runs) == 1:
		c.report(finding.NewerThanAnchor, finding.Detail{Seals: finding.Seals{Any: true, First: until + 1, Last: last}})
	case last > until:
		c.report(finding.Ed25519Alone, finding.Detail{Seals: finding.Seals{Any: true, First: until + 1, Last: last}})
	}
}

// whyUnauthenticated says why no key vouches for a seal.
func (c *Chain) whyUnauthenticated(n *Note) finding.Reason {
	s := n.Seal
	named, ok := c.anchors[s.Number]
	asked := ok && named.key.Hybrid() || s.Number == 0 && c.config.Trust.PostQuantum != seal.Hash{}
	switch {
	case len(s.MLDSA) == 0 && !asked:
		return finding.UnknownKey
	case len(s.MLDSA) == 0:
		return finding.MLDSAMissing
	case asked && s.Number == 0 && seal.MLDSAHash(s.MLDSA) != c.config.Trust.PostQuantum:
		return finding.MLDSAOtherKey
	case asked && s.Number > 0 && seal.HybridAnchor(&s.OwnAnchor, s.MLDSA) != named.key:
		return finding.MLDSAOtherKey
	case !n.SignedPostQuantum():
		return finding.MLDSAMissing
	}
	return finding.UnknownKey
}
