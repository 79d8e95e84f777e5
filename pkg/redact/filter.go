// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"slices"
	"strings"
)

// The prefilter finds the places where a trigger may begin: Shift-Or (Baeza-Yates and Gonnet, 1992) over the triggers'
// first four bytes, for fifteen groups of triggers at once (search.go has the loop). Each byte costs one load, a shift and an or,
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
	digits bool // four digits in a row
	custom int  // index+1 of a custom rule, or 0
	// What head returns where a literal may stand: to tell most places apart at a glance.
	head, headMask uint32
}

type filter struct {
	mask   [256]uint64 // bit 16*k+g is clear if the byte may be byte k of a trigger of group g
	groups [filterGroups][]trigger
	custom bool               // whether there are triggers of custom rules
	exact  [filterGroups]bool // whether what passes the mask is a match
}

// byteWeight estimates how often a byte occurs in logs, in thousandths: the cost of a position that accepts it.
var byteWeight = func() (w [256]float64) {
	for i := range w {
		w[i] = 0.05
	}
	for i := 0x21; i < 0x7f; i++ {
		w[i] = 3
	}
	for _, c := range "etaoinsrhldcum" {
		w[c] = 40
	}
	for _, c := range "fpgwybvk" {
		w[c] = 15
	}
	for _, c := range "0123456789" {
		w[c] = 20
	}
	w[' '] = 110
	w['.'], w['-'], w['/'], w[':'], w['='] = 20, 20, 20, 20, 10
	return w
}()

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
	for b := range 256 {
		var m uint64
		for g := range accept {
			for k := range filterWidth {
				if g != runGroup && !accept[g][k][b] || g == runGroup && class[b]&isRun == 0 {
					m |= 1 << (filterGroups*k + g)
				}
			}
		}
		f.mask[b] = m
	}
	return f
}

// byteSets are the bytes that each of the first positions takes.
type byteSets [filterWidth][256]bool

func (s *byteSets) add(t *byteSets) {
	for k := range s {
		for b, ok := range t[k] {
			s[k][b] = s[k][b] || ok
		}
	}
}

// cost estimates how often the sets let something pass.
func (s *byteSets) cost() float64 {
	p := 1.0
	for k := range s {
		var sum float64
		for b, ok := range s[k] {
			if ok {
				sum += byteWeight[b]
			}
		}
		p *= min(sum/1000, 1)
	}
	return p
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
	for range 3 {
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
	case runGroup:
		return false
	}
	return len(t.lit)+len(t.sets) > 2 && !t.digits
}

// accepts returns the sets of bytes that the trigger's first four positions take; positions past its end take all.
func (t *trigger) accepts() (a byteSets) {
	for k := range a {
		for b := range 256 {
			switch {
			case t.sets != nil:
				a[k][b] = k >= len(t.sets) || t.sets[k][b]
			case k >= len(t.lit):
				a[k][b] = true
			default:
				a[k][b] = lower(byte(b)) == t.lit[k]
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
