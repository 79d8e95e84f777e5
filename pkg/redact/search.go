// SPDX-License-Identifier: Apache-2.0

package redact

import "math/bits"

// The search is the loop that sees every byte. Two groups of the filter have their own meaning in it.
const (
	shortGroup = 0 // triggers of one or two bytes
	runGroup   = 1 // no triggers: tells whether a byte belongs to a run of token characters, whatever its position
	digitGroup = 2 // four digits in a row, by far the most frequent trigger
	numGroup   = 3 // no triggers: tells whether a byte may belong to a number

	stepBytes  = 2 * filterWidth
	stateShift = 64 - filterGroups // the highest bits of a state tell which groups have a match
	shortState = 1 << (stateShift + shortGroup)
	runState   = 1 << (stateShift + runGroup)
	digitState = 1 << (stateShift + digitGroup)
	numState   = 1 << (stateShift + numGroup)
	noMatch    = (1<<filterGroups - 1) << stateShift
	noTriggers = (1 | 1<<filterGroups | 1<<(2*filterGroups) | 1<<(3*filterGroups)) * (1<<runGroup | 1<<numGroup)
)

// run offers every trigger in c.s to its detector, from left to right, and notes where long runs of token characters may be.
func (f *filter) run(c *scan) {
	for at := (found{before: ^uint64(0), after: ^uint64(0)}); ; at.step += stepBytes {
		at = f.search(c, at.step, at.after)
		if at.step+stepBytes > len(c.s) {
			f.tail(c, at.step, at.after)
			return
		}
		if at.step+filterWidth < c.resume && !f.custom && at.match&shortState != 0 {
			continue // consumed, and nothing to note
		}
		if at.match|digitState >= noMatch && !longNumber(c.s, at.step) {
			continue // dates, times, sizes
		}
		st := f.half(c, at.step, at.before)
		f.half(c, at.step+filterWidth, st)
	}
}

// found is a step of eight bytes in which the first bytes of a trigger are complete: the states before and after it, and of the
// states in it those bits that are set in all.
type found struct {
	step                 int
	before, after, match uint64
}

// search returns the next such step, from i on, or where there is no whole step left. It is a loop of its own, without calls, so
// that all that it uses stays in registers.
func (f *filter) search(c *scan, i int, st uint64) found {
	s, mask := c.s, &f.masks[c.saw&sawNotes]
	for ; i+stepBytes <= len(s); i += stepBytes {
		w := s[i : i+stepBytes]
		before := st
		st = st<<filterGroups | mask[w[0]]
		match := st
		st = st<<filterGroups | mask[w[1]]
		match &= st
		st = st<<filterGroups | mask[w[2]]
		match &= st
		st = st<<filterGroups | mask[w[3]]
		match &= st
		// The state after the second four bytes holds nothing of those before them. Computed so, a step need not wait for the
		// one before.
		m := mask[w[4]]
		match &= st<<filterGroups | m
		m = m<<filterGroups | mask[w[5]]
		match &= st<<(2*filterGroups) | m
		m = m<<filterGroups | mask[w[6]]
		match &= st<<(3*filterGroups) | m
		m = m<<filterGroups | mask[w[7]]
		match &= m
		if (before|st|m)&runState == 0 {
			c.longRun(i)
		}
		// A number, of which the shortest has eleven bytes, fills the four before the step or its last four, if its four digits end
		// in it.
		match |= (before & m & numState) >> (numGroup - digitGroup)
		st = m
		if match |= runState | numState; match < noMatch {
			return found{i, before, st, match}
		}
	}
	return found{step: i, after: st}
}

// half offers the triggers of which one of the four bytes from i on is the fourth. It returns the state after them.
func (f *filter) half(c *scan, i int, st uint64) uint64 {
	w, mask := c.s[i:i+filterWidth], &f.masks[c.saw&sawNotes]
	s0 := st<<filterGroups | mask[w[0]]
	s1 := s0<<filterGroups | mask[w[1]]
	s2 := s1<<filterGroups | mask[w[2]]
	st = s2<<filterGroups | mask[w[3]]
	f.hits(c, i-filterWidth+1, ^(s0>>48 | s1>>48<<16 | s2>>48<<32 | st>>48<<48))
	return st
}

// tail offers the triggers that begin in the last bytes, from i on, where there is no whole step. NUL stands for what is not
// there.
func (f *filter) tail(c *scan, i int, st uint64) {
	s, mask := c.s, &f.masks[c.saw&sawNotes]
	before, match := st, ^uint64(0)
	for k := i; k < len(s); k++ {
		st = st<<filterGroups | mask[s[k]]
		match &= st
	}
	for range filterWidth - 1 {
		st = st<<filterGroups | mask[0]
		match &= st
	}
	if match|runState|numState >= noMatch {
		return
	}
	for k := i; k < len(s)+filterWidth-1; k++ {
		before = before<<filterGroups | mask[at(s, k)]
		f.hits(c, k-filterWidth+1, ^before>>stateShift)
	}
}

// hits offers the triggers of groups to their detectors: bit 16*k+g is set if group g has a match at i+k.
func (f *filter) hits(c *scan, i int, groups uint64) {
	for groups &^= noTriggers; groups != 0; groups &= groups - 1 {
		n := bits.TrailingZeros64(groups)
		if at, g := i+n/filterGroups, n%filterGroups; (at >= c.resume || f.custom || g == shortGroup) && at < len(c.s) {
			f.hit(c, at, g)
		}
	}
}

// hit offers the triggers of a group to their detectors. Custom rules' triggers, and what asks for a view or an escape, are noted also
// in what a detector has consumed: that need not be redacted.
func (f *filter) hit(c *scan, i, g int) {
	group := f.groups[g]
	if g == shortGroup {
		group = f.short[c.s[i]]
	}
	x := head(c.s, i)
	for k := range group {
		t := &group[k]
		switch {
		case x&t.headMask != t.head:
			continue
		case f.exact[g]:
		case t.sets != nil && !t.sets[0][c.s[i]] || !t.matches(c.s, i):
			continue
		}
		if t.custom > 0 {
			c.customHits[t.custom-1] = true
			continue
		}
		if i < c.resume && t.note == 0 || t.note&c.saw != 0 {
			continue
		}
		if !t.linear {
			c.w.work--
		}
		if c.w.work < 0 {
			c.resume = len(c.s)
			continue
		}
		if next := t.detect(c, i); next > c.resume {
			c.resume = next
		}
	}
}

// caseBits are where upper and lower case of ASCII differ.
const caseBits = 0x20202020

// head returns the four bytes at i as a number, with the letters' case taken off.
func head(s string, i int) (x uint32) {
	if len(s)-i >= 4 {
		return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24 | caseBits
	}
	for k := i; k < len(s); k++ {
		x |= uint32(s[k]) << (8 * (k - i))
	}
	return x | caseBits
}
