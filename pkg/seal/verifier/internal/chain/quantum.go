// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"maps"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// postQuantum is what a chain knows of the ML-DSA-44 signatures of its anchors. Section 8.1, "post-quantum".
type postQuantum struct {
	namedBy map[uint64]uint64 // of each anchor to come: the number of the lowest seal that names it as the first one does
	held    map[uint64]uint64 // the same of each anchor whose signatures hold
	owed    map[uint64]owed   // anchors that are genuine by what lies above them, and whose own signatures do not hold in any copy yet
}

type owed struct {
	key seal.AnchorKey
	by  uint64
}

func (q *postQuantum) named(anchor, by uint64) {
	if q.namedBy == nil {
		q.namedBy, q.held, q.owed = map[uint64]uint64{}, map[uint64]uint64{}, map[uint64]owed{}
	}
	for _, m := range []map[uint64]uint64{q.namedBy, q.held} {
		if before, ok := m[anchor]; ok && by < before {
			m[anchor] = by
		}
	}
	if _, held := q.held[anchor]; !held {
		if _, ok := q.namedBy[anchor]; !ok {
			q.namedBy[anchor] = by
		}
	}
}

// recordAnchor notes that a genuine seal is an anchor that is signed with the key, or the keys, that were first named for it.
func (c *Chain) recordAnchor(n *Note) bool {
	number := n.Seal.Number
	key, ok := c.anchors[number]
	if !ok || !n.Seal.HasAnchor() {
		return false
	}
	by, named := c.quantum.namedBy[number]
	delete(c.quantum.namedBy, number)
	holds := n.anchorHolds(&key)
	switch {
	case !named || !key.Hybrid():
	case holds:
		c.quantum.held[number] = by
	default:
		c.quantum.owed[number] = owed{key, by}
	}
	return holds
}

// recordCopy notes that a copy of a genuine anchor carries the signatures that others lack.
func (c *Chain) recordCopy(n *Note) {
	number := n.Seal.Number
	if o, ok := c.quantum.owed[number]; ok && n.anchorHolds(&o.key) {
		c.quantum.held[number] = o.by
		delete(c.quantum.owed, number)
	}
}

// PostQuantum returns the seal up to which the proof does not rest on Ed25519: the highest anchor of a row of anchors from the trust line on, each named by a
// seal that the one before vouches for. Where there is none, why says why.
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
	for _, number := range slices.Sorted(maps.Keys(c.quantum.held)) {
		if number < first.end() && c.quantum.held[number] <= until {
			until = number
		}
	}
	return until, ""
}

// finishOwed reports the anchors that are not signed as they were announced: somebody cut a signature off, or forged what was left. Section 8.1, rule 2.
func (c *Chain) finishOwed() {
	for _, number := range slices.Sorted(maps.Keys(c.quantum.owed)) {
		c.Contradict(number, finding.AnchorUnsigned)
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
	key, named := c.anchors[s.Number]
	asked := named && key.Hybrid() || s.Number == 0 && c.config.Trust.PostQuantum != seal.Hash{}
	switch {
	case len(s.MLDSA) == 0 && !asked:
		return finding.UnknownKey
	case len(s.MLDSA) == 0:
		return finding.MLDSAMissing
	case asked && s.Number == 0 && seal.MLDSAHash(s.MLDSA) != c.config.Trust.PostQuantum:
		return finding.MLDSAOtherKey
	case asked && s.Number > 0 && seal.HybridAnchor(&s.OwnAnchor, s.MLDSA) != key:
		return finding.MLDSAOtherKey
	case !n.SignedPostQuantum():
		return finding.MLDSAMissing
	}
	return finding.UnknownKey
}
