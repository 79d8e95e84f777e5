// SPDX-License-Identifier: Apache-2.0

package seal

// What must hold between two seals of a stream that follow each other (docs/stamp-format.md, sections 6.1 and 8.1), for whoever verifies.

// Follows reports whether the note is authentic as the one after a seal whose text has the hash prev, and which names the key next and
// those anchors.
func (n *Note) Follows(prev Hash, next *PublicKey, anchors []Anchor) bool {
	if n.Seal.Prev != prev || !n.SignedBy(next) {
		return false
	}
	if !n.Seal.HasAnchor() {
		return true
	}
	for i := range anchors {
		if anchors[i].Number == n.Seal.Number {
			return n.AnchoredBy(&anchors[i].Key)
		}
	}
	return false
}

// GrowsFrom reports whether size and root may be those of the seal after one with the given ones: one block more if it covers records, and
// else the same.
func (s *Seal) GrowsFrom(size uint64, root *Hash) bool {
	if len(s.Covered) > 0 {
		return s.Size == size+1
	}
	return s.Size == size && s.Root == *root
}
