// SPDX-License-Identifier: Apache-2.0

// Package prefilter finds the places in a text that detectors are to look at, at the price of one table lookup a byte.
package prefilter

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// The filter finds the places where a trigger may begin: Shift-Or (Baeza-Yates and Gonnet, 1992) over the triggers'
// first four bytes, for fourteen groups of triggers at once (search.go has the loop). Each byte costs one load, a shift and an or,
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
	// Free says that its detector takes time in proportion to the text, and so needs no limit.
	Free bool
	// Always says that it is wanted also in what a detector has consumed.
	Always bool
	// Note is what its detector notes in State.Saw, after which it is no longer wanted.
	Note uint16

	digits bool // four digits in a row
	skip   int  // 1 with Boundary, or 0
}

// glance is what head returns where a trigger may begin, in the bits of the mask: to tell most places apart without looking at the
// trigger.
type glance struct{ head, mask uint32 }

// group is some triggers, and what they look like at a glance.
type group[C any] struct {
	triggers []Trigger[C]
	glances  []glance
}

func (g *group[C]) add(t *Trigger[C]) {
	g.triggers = append(g.triggers, *t)
	g.glances = append(g.glances, t.glance())
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
	// FirstRun is where the first long run of token characters starts, at the earliest, and LastRun a place in the last one.
	FirstRun, LastRun int
	// Budget is how many steps detectors may still take. A step is some ten nanoseconds: to look at some eight bytes, or to look
	// something up. What is decided by it is the same on every machine.
	Budget *int
}

// CostOfCall is what the call of a detector costs, in steps.
const CostOfCall = 4

// Filter finds triggers. It is safe for concurrent use.
type Filter[C any] struct {
	// In a mask, bit 16*k+g is clear if the byte may be byte k of a trigger of group g. There is one for every set of notes.
	masks  [SawNotes + 1][256]uint64
	groups [filterGroups]group[C]
	short  [256]group[C]      // those of shortGroup that begin with a byte
	start  [256][]Trigger[C]  // those that may begin before the text, by its first byte
	always uint64             // the states of the groups with triggers that are always wanted
	exact  [filterGroups]bool // whether what passes the mask is a match
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
		t.digits = len(t.Sets) == filterWidth && !slices.ContainsFunc(t.Sets, func(s *Set) bool { return *s != *Digits })
		if t.Boundary {
			t.skip = 1
			for b, ok := range t.Sets[1] {
				if ok && t.Sets[0][0] {
					f.start[b] = append(f.start[b], *t)
				}
			}
		}
	}
	accept := f.group(triggers)
	for g, group := range f.groups {
		if slices.ContainsFunc(group.triggers, func(t Trigger[C]) bool { return t.Always }) {
			f.always |= 1 << (stateShift + g)
		}
		f.exact[g] = len(group.triggers) == 1 && len(group.triggers[0].Sets) == filterWidth
	}
	for b := range f.short {
		for k := range f.groups[shortGroup].triggers {
			t := &f.groups[shortGroup].triggers[k]
			if t.Sets != nil && t.Sets[0][b] || t.Sets == nil && ascii.ToLower(byte(b)) == t.Lit[0] {
				f.short[b].add(t)
			}
		}
	}
	for saw := range f.masks {
		accept[shortGroup] = newByteSets()
		for _, t := range f.groups[shortGroup].triggers {
			if int(t.Note)&saw == 0 {
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

// group shares the triggers out among the groups and returns what the groups take.
func (f *Filter[C]) group(triggers []Trigger[C]) [filterGroups]byteSets {
	own := make([]byteSets, len(triggers))
	for t := range triggers {
		own[t] = triggers[t].accepts()
	}
	in := remembered(own, func() []int { return shareOut(triggers, own) })
	var accept [filterGroups]byteSets
	for g := range accept {
		accept[g] = newByteSets()
	}
	for t, g := range in {
		f.groups[g].add(&triggers[t])
		accept[g].add(&own[t])
	}
	return accept
}

// Several processors of one collector mostly have the same triggers: which groups they are shared out among takes longest to find out.
var (
	groupingsMu sync.Mutex
	groupingsOf = map[[sha256.Size]byte][]int{}
)

// remembered returns what find returns for triggers that take the same.
func remembered(own []byteSets, find func() []int) []int {
	h := sha256.New()
	for i := range own {
		for _, a := range own[i].accept {
			for _, x := range a {
				_ = binary.Write(h, binary.LittleEndian, x)
			}
		}
	}
	key := [sha256.Size]byte(h.Sum(nil))
	groupingsMu.Lock()
	defer groupingsMu.Unlock()
	if in, ok := groupingsOf[key]; ok {
		return in
	}
	in := find()
	groupingsOf[key] = in
	return in
}

const (
	retries = 80
	// seed is always the same, and so is the filter. How good a grouping is found is luck: of forty seeds this one's lets the fewest
	// steps of access-log lines pass. Look for another when triggers have changed and BenchmarkScan is slower.
	seed     = 52
	maxMove  = 8
	nextMove = 1 // rounds of moves after the first time
)

// shareOut returns the group of each trigger. Each is put where it makes the least worse, and moved to where it is better off, now that
// the others are there. When none is better off elsewhere, two groups are taken apart and their triggers put anew, and that again, and the
// best grouping counts.
func shareOut[C any](triggers []Trigger[C], own []byteSets) []int {
	s := sharing{in: make([]int, len(own)), own: own}
	none := newByteSets()
	for g := range s.accept {
		s.accept[g] = newByteSets()
		s.costs[g] = none.costWith(&none, math.Inf(1))
	}
	fits := make([][]int, len(own)) // the groups that a trigger may be in
	for t := range own {
		s.in[t] = -1
		for g := range filterGroups {
			if triggers[t].fits(g) {
				fits[t] = append(fits[t], g)
			}
		}
	}
	s.settle(fits, maxMove)
	best, bestCost := slices.Clone(s.in), s.cost()
	r := rand.New(rand.NewPCG(1, seed))
	for n := range retries {
		one, other := r.IntN(filterGroups), r.IntN(filterGroups)
		if n%2 == 0 {
			one = s.dearest()
		}
		var apart []int
		for t, g := range s.in {
			if (g == one || g == other) && len(fits[t]) > 1 {
				apart = append(apart, t)
			}
		}
		for _, t := range apart {
			s.take(t)
		}
		for _, k := range r.Perm(len(apart)) {
			s.put(apart[k], s.cheapest(apart[k], fits[apart[k]]))
		}
		s.settle(fits, nextMove)
		if cost := s.cost(); cost < bestCost {
			bestCost = cost
			copy(best, s.in)
		} else {
			for t, g := range best {
				if s.in[t] != g {
					s.move(t, g)
				}
			}
		}
	}
	return best
}

// sharing is a way to share triggers out among groups.
type sharing struct {
	own    []byteSets // what each trigger takes
	in     []int      // its group, or -1
	accept [filterGroups]byteSets
	costs  [filterGroups]float64
}

func (s *sharing) cost() (sum float64) {
	for _, c := range s.costs {
		sum += c
	}
	return sum
}

// dearest returns the group that costs most of those that triggers have a choice of.
func (s *sharing) dearest() int {
	dearest := numGroup + 1
	for g := dearest; g < filterGroups; g++ {
		if s.costs[g] > s.costs[dearest] {
			dearest = g
		}
	}
	return dearest
}

// settle moves each trigger to the group in which it costs the least, until all are there, in so many rounds at most.
func (s *sharing) settle(fits [][]int, rounds int) {
	for moved, n := true, 0; moved && n < rounds; n++ {
		moved = false
		for t := range s.in {
			if len(fits[t]) == 1 && s.in[t] == fits[t][0] {
				continue
			}
			from := s.in[t]
			s.take(t)
			best := s.cheapest(t, fits[t])
			s.put(t, best)
			moved = moved || best != from
		}
	}
}

// cheapest returns which of the groups a trigger that is in none makes the least worse.
func (s *sharing) cheapest(t int, groups []int) int {
	best, bestCost := groups[0], math.Inf(1)
	for _, g := range groups {
		if c := s.accept[g].costWith(&s.own[t], bestCost+s.costs[g]) - s.costs[g]; c < bestCost {
			best, bestCost = g, c
		}
	}
	return best
}

func (s *sharing) move(t, to int) {
	s.take(t)
	s.put(t, to)
}

// take takes a trigger out of its group, if it is in one.
func (s *sharing) take(t int) {
	from := s.in[t]
	if s.in[t] = -1; from < 0 {
		return
	}
	a := &s.accept[from]
	a.accept = [filterWidth]byteSet{}
	for k := range a.sample {
		clear(a.sample[k])
	}
	for other, g := range s.in {
		if g == from {
			a.add(&s.own[other])
		}
	}
	s.costs[from] = a.costWith(a, math.Inf(1))
}

func (s *sharing) put(t, to int) {
	s.in[t] = to
	s.accept[to].add(&s.own[t])
	s.costs[to] = s.accept[to].costWith(&s.accept[to], math.Inf(1))
}

// fits reports whether the trigger may be in the group. Those of one or two bytes have one to themselves: with them in it, another
// would pass on much of the text. So have four digits.
func (t *Trigger[C]) fits(group int) bool {
	switch group {
	case shortGroup:
		return len(t.Lit)+len(t.Sets) <= 2 && !t.digits
	case digitGroup:
		return t.digits
	case runGroup, numGroup:
		return false
	}
	return len(t.Lit)+len(t.Sets) > 2 && !t.digits
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
