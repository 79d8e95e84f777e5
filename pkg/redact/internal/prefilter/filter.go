// SPDX-License-Identifier: Apache-2.0

// Package prefilter finds the places in a text that detectors are to look at, at the price of one table lookup a byte.
package prefilter

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// The filter finds the places where a trigger may begin: Shift-Or (Baeza-Yates and Gonnet, 1992) over the triggers'
// first four bytes, for some groups of triggers at once (search.go has the loop). Each byte costs one load, a shift and an or,
// whatever the number of triggers, and the table of 2 KiB stays in the first-level cache. What passes is compared with the
// group's triggers. An Aho-Corasick automaton, which would match exactly, takes a dependent load for each byte; it
// measured at 210 to 380 MB/s where this runs at 1 GB/s.
const (
	filterWidth  = 4
	filterGroups = 16
)

// Detector examines the text at i, where one of its triggers begins. rule is the trigger's. It returns where to go on: bytes
// before that are not offered to detectors again.
type Detector[C any] func(c C, rule uint16, i int) int

// Set is a set of bytes.
type Set = [256]bool

// Trigger is a literal, lower case, matched ignoring ASCII case, or a sequence of byte sets. What is behind the end of the text
// counts as NUL.
type Trigger[C any] struct {
	Lit    string
	Sets   []*Set
	Detect Detector[C]
	Rule   uint16
	// Boundary says that the first set is what may stand before: the detector is called a byte later, and also where the
	// text starts.
	Boundary bool
	// Free says that its detector takes time in proportion to the text, and so needs no limit. Extra is what a call takes besides
	// CostOfCall, in steps.
	Free  bool
	Extra int
	// Always says that it is wanted also in what a detector has consumed.
	Always bool
	// Note is what its detector notes in State.Saw, after which it is no longer wanted.
	Note uint16

	skip int // 1 with Boundary, or 0
	cost int // of a call, in steps
}

// glance is what head returns where a trigger may begin, in the bits of the mask, and the byte of a literal behind those, or 0: to tell most
// places apart without looking at the trigger.
type glance struct {
	head, mask uint32
	next       byte
}

// group is some triggers, and what they look like at a glance.
type group[C any] struct {
	triggers []*Trigger[C]
	glances  []glance
}

func (g *group[C]) add(t *Trigger[C], seen glance) {
	g.triggers = append(g.triggers, t)
	g.glances = append(g.glances, seen)
}

// Things seen in a text that ask for a decoded form of it, or for characters to be escaped. Once one of the first three is seen
// its triggers are no longer looked for.
const (
	SawPercent uint16 = 1 << iota
	SawBackslash
	SawSpecial // a byte that is no printable ASCII: whether SawUnusual and SawControl are there is known
	SawEntity  // a character reference
	SawUnusual // a byte that decoding would fold: beyond ASCII, or an ANSI sequence
	SawControl // characters that are escaped in the output
	SawByteList
	SawWritten         // control characters as other programs write them
	SawDoubled         // doubled quotes
	SawQuotedPrintable // escapes as in mail

	SawNotes = SawPercent | SawBackslash | SawSpecial
)

// State is how far a text has been searched.
type State struct {
	S   string
	Saw uint16
	// Resume is where detectors go on; what they consumed is not offered again.
	Resume int
	// Place is where the detector was called, or -1.
	Place int
	// Cut is where a match that a detector went on behind was cut short, or 0: it is gone on there.
	Cut int
	// FirstRun is where the first long run of token characters starts, at the earliest, and LastRun a place in the last one.
	FirstRun, LastRun int
	// Ahead is how many steps have been taken for what lies farther on in the text than the place that was examined.
	Ahead int
	// Budget is how many steps detectors may still take. A step is some ten nanoseconds: to look at some eight bytes, or to look
	// something up. What is decided by it is the same on every machine.
	Budget *int
}

// WorkFor returns how many steps may be taken for so many bytes of text. The work is compared with it all the way through a text: one made
// of triggers is given up where it shows to be, not when as much has been done for it as for all of an ordinary one.
func WorkFor(n int) int { return freeWork + n*workOf8Bytes/8 }

const (
	freeWork     = 3000 * CostOfCall // what a short text may hold, or a part of one
	workOf8Bytes = 10
)

// CostOfCall is what the call of a detector costs, in steps.
const CostOfCall = 4

// Filter finds triggers. It is safe for concurrent use.
type Filter[C any] struct {
	// In a mask, bit 16*k+g is clear if the byte may be byte k of a trigger of group g. There is one for every set of notes.
	masks  [SawNotes + 1][256]uint64
	groups [filterGroups][]*Trigger[C]
	by     [filterGroups][256]group[C] // those of a group that begin with a byte
	noted  [filterGroups][256]group[C] // those of them that are always wanted
	start  [256][]*Trigger[C]          // those that may begin before the text, by its first byte
	second [256]byteSet                // the second bytes that these take
	pairs  [256][256]uint16            // the groups with triggers that begin with two bytes: most of what passes a mask has none
	always uint64                      // the states of the groups with triggers that are always wanted
	exact  [filterGroups]bool          // whether what passes the mask is a match
}

// New makes a filter of the triggers.
func New[C any](triggers []Trigger[C]) *Filter[C] {
	f := &Filter[C]{}
	// Fixed sets first, then literals that end before the filter does, for they take any byte there, then the others in order, so that neighbours in the alphabet tend to share a group.
	triggers = slices.Clone(triggers)
	slices.SortStableFunc(triggers, func(a, b Trigger[C]) int {
		if (a.Sets == nil) != (b.Sets == nil) {
			if a.Sets != nil {
				return -1
			}
			return 1
		}
		return cmp.Or(min(len(a.Lit), filterWidth)-min(len(b.Lit), filterWidth), strings.Compare(a.Lit, b.Lit))
	})
	for k := range triggers {
		t := &triggers[k]
		if !t.Free {
			t.cost = CostOfCall + t.Extra
		}
		if t.Boundary {
			t.skip = 1
			for b, ok := range t.Sets[1] {
				if ok && t.Sets[0][0] {
					f.start[b] = append(f.start[b], t)
					for next := range 256 {
						if len(t.Sets) == 2 || t.Sets[2][next] {
							f.second[b][next/64] |= 1 << (next % 64)
						}
					}
				}
			}
		}
	}
	accept := f.group(triggers)
	for g, group := range f.groups {
		f.pair(g)
		f.exact[g] = len(group) == 1 && len(group[0].Sets) == filterWidth
		for _, t := range group {
			if t.Always {
				f.always |= 1 << (stateShift + g)
			}
			seen := t.glance()
			for b := range f.by[g] {
				if t.Sets != nil && t.Sets[0][b] || t.Sets == nil && ascii.ToLower(byte(b)) == t.Lit[0] {
					f.by[g][b].add(t, seen)
					if t.Always {
						f.noted[g][b].add(t, seen)
					}
				}
			}
		}
	}
	for saw := range f.masks {
		accept[shortGroup] = newByteSets()
		for _, t := range f.groups[shortGroup] {
			if int(t.Note)&saw == 0 {
				own := t.accepts()
				accept[shortGroup].add(&own)
			}
		}
		for b := range 256 {
			f.masks[saw][b] = maskOfByte(accept, byte(b))
		}
	}
	return f
}

// pair notes what the triggers of a group begin with.
func (f *Filter[C]) pair(g int) {
	for _, t := range f.groups[g] {
		own := t.accepts()
		for a := range f.pairs {
			if !own.accept[0].has(byte(a)) {
				continue
			}
			for b := range f.pairs[a] {
				if own.accept[1].has(byte(b)) {
					f.pairs[a][b] |= 1 << g
				}
			}
		}
	}
}

// maskOfByte returns what the groups take, as in filter.masks.
func maskOfByte(accept *[filterGroups]byteSets, b byte) (m uint64) {
	for g := range accept {
		for k := range filterWidth {
			ok := accept[g].accept[k].has(b)
			switch g {
			case runGroup:
				ok = ascii.Class[b]&ascii.Run != 0
			case numGroup:
				ok = ascii.Class[b]&(ascii.Digit|ascii.NumSep) != 0
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
	accept [filterWidth]byteSet
	sample [filterWidth]gramSet // in which of the sample the position takes the byte
}

func newByteSets() (s byteSets) {
	for k := range s.sample {
		s.sample[k] = make(gramSet, len(grams.weights))
	}
	return s
}

// byteSet is a set of bytes, a bit for each.
type byteSet [4]uint64

func (s *byteSet) has(b byte) bool { return s[b/64]&(1<<(b%64)) != 0 }

func (s *byteSets) add(t *byteSets) {
	for k := range s.accept {
		for i, x := range t.accept[k] {
			s.accept[k][i] |= x
		}
		s.sample[k].add(t.sample[k])
	}
}

// costWith estimates how often the sets, with those of t, let something pass: as often as in the sample, and a little if their bytes are
// frequent in it, for the texts that the sample does not know. A byte that does not occur in it counts as something. It stops when that is
// more than limit.
func (s *byteSets) costWith(t *byteSets, limit float64) float64 {
	passes, places := 0.0, [filterWidth]float64{}
	for i, weight := range grams.weights {
		x0, x1, x2, x3 := s.sample[0][i]|t.sample[0][i], s.sample[1][i]|t.sample[1][i], s.sample[2][i]|t.sample[2][i], s.sample[3][i]|t.sample[3][i]
		if all := x0 & x1 & x2 & x3; all != 0 {
			if passes += weight * float64(bits.OnesCount64(all)); passes > limit {
				return passes
			}
		}
		places[0] += weight * float64(bits.OnesCount64(x0))
		places[1] += weight * float64(bits.OnesCount64(x1))
		places[2] += weight * float64(bits.OnesCount64(x2))
		places[3] += weight * float64(bits.OnesCount64(x3))
	}
	p := grams.total
	for k := range s.accept {
		n := 0
		for i, x := range s.accept[k] {
			n += bits.OnesCount64(x | t.accept[k][i])
		}
		p *= min(places[k]/grams.total+0.2*float64(n)/float64(len(sampleText)), 1)
	}
	return passes + p/100
}

// fits returns the groups that the trigger may be in. Those of one or two bytes have one to themselves: with them in it, another would pass
// on much of the text. So have four digits.
func (t *Trigger[C]) fits() []int {
	switch {
	case len(t.Sets) == filterWidth && !slices.ContainsFunc(t.Sets, func(s *Set) bool { return *s != *Digits }):
		return []int{digitGroup}
	case len(t.Lit)+len(t.Sets) <= 2:
		return []int{shortGroup}
	}
	return freeGroups
}

// accepts returns the sets of bytes that the trigger's first four positions take; positions past its end take all.
func (t *Trigger[C]) accepts() byteSets {
	a := newByteSets()
	for k := range a.accept {
		for b := range 256 {
			ok := true
			switch {
			case k < len(t.Sets):
				ok = t.Sets[k][b]
			case k < len(t.Lit):
				ok = ascii.ToLower(byte(b)) == t.Lit[k]
			}
			if ok {
				a.accept[k][b/64] |= 1 << (b % 64)
				a.sample[k].add(grams.with[k][b])
			}
		}
	}
	return a
}

// glance returns what head shows of the trigger: the bytes that are the same wherever it begins.
func (t *Trigger[C]) glance() (g glance) {
	for k := range filterWidth {
		switch {
		case k < len(t.Lit):
			g.head |= uint32(t.Lit[k]) << (8 * k)
			g.mask |= 0xff << (8 * k)
		case k < len(t.Sets):
			common, any, same := byte(0), false, true
			for b, ok := range t.Sets[k] {
				if !ok {
					continue
				}
				folded := byte(b) | ' '
				same = same && (!any || folded == common)
				common, any = folded, true
			}
			if same && any {
				g.head |= uint32(common) << (8 * k)
				g.mask |= 0xff << (8 * k)
			}
		}
	}
	g.head = (g.head | caseBits) & g.mask
	if len(t.Lit) > filterWidth {
		g.next = t.Lit[filterWidth]
	}
	return g
}

func (t *Trigger[C]) matches(s string, i int) bool {
	if t.Sets == nil {
		return ascii.HasPrefixFold(s, i, t.Lit)
	}
	for k, set := range t.Sets {
		if !set[ascii.At(s, i+k)] {
			return false
		}
	}
	return true
}

// Digits are the bytes 0 to 9.
var Digits = Bytes("0123456789")

// Bytes is the set of the bytes of s.
func Bytes(s string) *Set {
	var t Set
	for i := range len(s) {
		t[s[i]] = true
	}
	return &t
}

// Class is the set of the bytes in the classes of package ascii.
func Class(mask uint16) *Set {
	var t Set
	for b := range t {
		t[b] = ascii.Class[b]&mask != 0
	}
	return &t
}

// Not is the set of the bytes that are not in t.
func Not(t *Set) *Set {
	var n Set
	for b := range n {
		n[b] = !t[b]
	}
	return &n
}
