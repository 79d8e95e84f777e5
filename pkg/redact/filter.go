// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"math/bits"
	"slices"
	"strings"
)

// The prefilter finds the places where a trigger may begin: Shift-Or (Baeza-Yates and Gonnet, 1992) over the triggers'
// first four bytes, for fourteen groups of triggers at once (search.go has the loop). Each byte costs one load, a shift and an or,
// whatever the number of triggers, and the table of 2 KiB stays in the first-level cache. What passes is compared with the
// group's triggers. An Aho-Corasick automaton, which would match exactly, takes a dependent load for each byte; it
// measured at 210 to 380 MB/s where this runs at 1 GB/s.
const (
	filterWidth  = 4
	filterGroups = 16
)

// detector examines s at i, where one of its triggers begins, and adds spans. It returns where to go on: bytes before
// that are not offered to detectors again.
type detector func(c *scan, i int) int

// trigger is a literal, lower case, matched ignoring ASCII case, or a sequence of byte sets.
type trigger struct {
	lit    string
	sets   []*[256]bool
	detect detector
	digits bool  // four digits in a row
	linear bool  // its detector takes time in proportion to the text, and so needs no limit
	note   uint8 // what its detector notes, after which it is no longer wanted
	custom int   // index+1 of a custom rule, or 0
	// What head returns where a literal may stand: to tell most places apart at a glance.
	head, headMask uint32
}

type filter struct {
	// In a mask, bit 16*k+g is clear if the byte may be byte k of a trigger of group g. There is one for every set of notes.
	masks  [sawNotes + 1][256]uint64
	groups [filterGroups][]trigger
	short  [256][]trigger     // those of shortGroup that begin with a byte
	custom bool               // whether there are triggers of custom rules
	exact  [filterGroups]bool // whether what passes the mask is a match
}

func newFilter(triggers []trigger) *filter {
	f := &filter{}
	// Fixed sets first, then literals in order, so that neighbours in the alphabet tend to share a group.
	triggers = slices.Clone(triggers)
	slices.SortStableFunc(triggers, func(a, b trigger) int {
		if (a.sets == nil) != (b.sets == nil) {
			if a.sets != nil {
				return -1
			}
			return 1
		}
		return strings.Compare(a.lit, b.lit)
	})
	for k := range triggers {
		f.custom = f.custom || triggers[k].custom > 0
		if t := &triggers[k]; t.lit != "" {
			t.headMask = 1<<(8*min(len(t.lit), 4)) - 1
			t.head = head(t.lit, 0) & t.headMask
		}
	}
	accept := f.group(triggers)
	for g, group := range f.groups {
		f.exact[g] = len(group) == 1 && len(group[0].sets) == filterWidth
	}
	for b := range f.short {
		for _, t := range f.groups[shortGroup] {
			if t.sets != nil && t.sets[0][b] || t.sets == nil && lower(byte(b)) == t.lit[0] {
				f.short[b] = append(f.short[b], t)
			}
		}
	}
	for saw := range f.masks {
		accept[shortGroup] = byteSets{}
		for _, t := range f.groups[shortGroup] {
			if int(t.note)&saw == 0 {
				own := t.accepts()
				accept[shortGroup].add(&own)
			}
		}
		for b := range 256 {
			f.masks[saw][b] = maskOfByte(&accept, byte(b))
		}
	}
	return f
}

// maskOfByte returns what the groups take, as in filter.masks.
func maskOfByte(accept *[filterGroups]byteSets, b byte) (m uint64) {
	for g := range accept {
		for k := range filterWidth {
			ok := accept[g].accept[k][b]
			switch g {
			case runGroup:
				ok = class[b]&isRun != 0
			case numGroup:
				ok = class[b]&(isDigit|isNumSep) != 0
			}
			if !ok {
				m |= 1 << (filterGroups*k + g)
			}
		}
	}
	return m
}

// byteSets are the bytes that each of the first positions takes.
type byteSets struct {
	accept [filterWidth][256]bool
	sample [filterWidth]placeSet // where in the sample text the position takes the byte
}

func (s *byteSets) add(t *byteSets) {
	for k := range s.accept {
		for b, ok := range t.accept[k] {
			s.accept[k][b] = s.accept[k][b] || ok
		}
		s.sample[k].add(&t.sample[k])
	}
}

// cost estimates how often the sets let something pass: as often as in the sample text, and a little if their bytes are frequent in
// it, for the texts that the sample does not know.
func (s *byteSets) cost() (c float64) {
	for i := range s.sample[0] {
		c += float64(bits.OnesCount64(s.sample[0][i] & s.sample[1][i] & s.sample[2][i] & s.sample[3][i]))
	}
	p := float64(len(sampleText))
	for k := range s.accept {
		var sum float64
		for b, ok := range s.accept[k] {
			if ok {
				sum += sampleBytes[b]
			}
		}
		p *= min(sum, 1)
	}
	return c + p/10
}

// group shares the triggers out among the groups, each to the one that it makes the least worse, and returns what the groups take.
// Then each is moved to where it is better off, now that the others are there.
func (f *filter) group(triggers []trigger) (accept [filterGroups]byteSets) {
	own := make([]byteSets, len(triggers))
	in := make([]int, len(triggers))
	costs := [filterGroups]float64{}
	without := func(g, t int) (s byteSets) {
		for k := range triggers {
			if k != t && in[k] == g {
				s.add(&own[k])
			}
		}
		return s
	}
	for t := range triggers {
		own[t], in[t] = triggers[t].accepts(), -1
	}
	for range 6 {
		for t := range triggers {
			if g := in[t]; g >= 0 {
				accept[g] = without(g, t)
				costs[g] = accept[g].cost()
			}
			best, bestCost := -1, 0.0
			for g := range accept {
				if !triggers[t].fits(g) {
					continue
				}
				merged := accept[g]
				merged.add(&own[t])
				if c := merged.cost() - costs[g]; best < 0 || c < bestCost {
					best, bestCost = g, c
				}
			}
			in[t] = best
			accept[best].add(&own[t])
			costs[best] = accept[best].cost()
		}
	}
	for t := range triggers {
		f.groups[in[t]] = append(f.groups[in[t]], triggers[t])
	}
	return accept
}

// fits reports whether the trigger may be in the group. Those of one or two bytes have one to themselves: with them in it, another
// would pass on much of the text. So have four digits.
func (t *trigger) fits(group int) bool {
	switch group {
	case shortGroup:
		return len(t.lit)+len(t.sets) <= 2 && !t.digits
	case digitGroup:
		return t.digits
	case runGroup, numGroup:
		return false
	}
	return len(t.lit)+len(t.sets) > 2 && !t.digits
}

// accepts returns the sets of bytes that the trigger's first four positions take; positions past its end take all.
func (t *trigger) accepts() (a byteSets) {
	for k := range a.accept {
		for b := range 256 {
			ok := true
			switch {
			case k < len(t.sets):
				ok = t.sets[k][b]
			case k < len(t.lit):
				ok = lower(byte(b)) == t.lit[k]
			}
			if a.accept[k][b] = ok; ok {
				a.sample[k].add(&samplePlaces[k][b])
			}
		}
	}
	return a
}

func (t *trigger) matches(s string, i int) bool {
	if t.sets == nil {
		return foldPrefix(s, i, t.lit)
	}
	if len(s)-i < len(t.sets) {
		return false
	}
	for k, set := range t.sets {
		if !set[s[i+k]] {
			return false
		}
	}
	return true
}
