// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"slices"

	"github.com/logseal/logseal/pkg/seal"
)

// start is a seal that was not reached through the one before: an anchor, by its anchor signature, or a seal below one, by its text. All that
// vouches for it is the anchor's key. Should the seal before it turn up, its own signature must hold too: in one of its copies, since anybody
// can spoil the signatures of a copy. Section 8.1, rule 2, second paragraph.
type start struct {
	copies map[seal.Hash]*Note // by the whole, while key is not known
	key    seal.PublicKey      // its own, as the seal before it names it; zero while that is missing
	until  uint64              // the anchor that vouches for it
}

// contradicted reports whether the seal before is known, and names a key that none of the copies is signed with.
func (s *start) contradicted() bool { return s.key != seal.PublicKey{} }

// addStart notes a waiting seal that is reached other than through the one before, and the anchor that vouches for it. Section 8.1, rule 2.
func (c *Chain) addStart(n *Note, until uint64) {
	s := &start{until: until, copies: map[seal.Hash]*Note{}}
	c.starts[n.Seal.Number] = s
	for _, other := range c.copiesOf(n) {
		c.addCopy(s, other)
	}
}

// addCopy takes in a copy of a start. All are kept that there are: how many of them are spoiled is up to whoever spoils them.
// Section 8.1, first paragraph.
func (c *Chain) addCopy(s *start, n *Note) {
	switch {
	case s.contradicted():
		if n.ownHolds(&s.key) {
			delete(c.starts, n.Seal.Number)
		}
	case s.copies[n.whole] == nil:
		s.copies[n.whole] = n
		c.config.Memory.hold(n)
	}
}

// learnKey notes the key of the seal after a genuine one that was not reached through it. Section 8.1, rule 2, second paragraph, and rule 4.
func (c *Chain) learnKey(before *seal.Seal, mark *sealMark) {
	mark.key = before.Next
	c.judgeRivals(before.Number+1, &mark.key)
	s := c.starts[before.Number+1]
	if s == nil || s.contradicted() {
		return
	}
	s.key = before.Next
	proven := false
	for _, n := range s.copies {
		c.config.Memory.release(n)
		proven = proven || n.ownHolds(&s.key)
	}
	s.copies = nil
	if proven { // the seal before it vouches for it, as for any other
		delete(c.starts, before.Number+1)
	}
}

// contradictedStarts returns the numbers of the seals that are not signed with their own key, though that is known: BROKEN_CHAIN. Section 8.1,
// rule 2, second paragraph.
func (c *Chain) contradictedStarts() (numbers []uint64) {
	for number, s := range c.starts {
		if s.contradicted() {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}
