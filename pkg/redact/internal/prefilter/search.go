// SPDX-License-Identifier: Apache-2.0

package prefilter

import (
	"math/bits"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// The search is the loop that sees every byte. Two groups of the filter have their own meaning in it.
const (
	shortGroup = 0 // triggers of one or two bytes
	runGroup   = 1 // no triggers: tells whether a byte belongs to a run of token characters, whatever its position
	digitGroup = 2 // four digits in a row, by far the most frequent trigger
	numGroup   = 3 // no triggers: tells whether a byte may belong to a number
	firstFree  = 4 // this and the following ones have the other triggers

	stepBytes  = 2 * filterWidth
	stateShift = 64 - filterGroups // the highest bits of a state tell which groups have a match
	runState   = 1 << (stateShift + runGroup)
	digitState = 1 << (stateShift + digitGroup)
	numState   = 1 << (stateShift + numGroup)
	noMatch    = (1<<filterGroups - 1) << stateShift
	noTriggers = (1 | 1<<filterGroups | 1<<(2*filterGroups) | 1<<(3*filterGroups)) * (1<<runGroup | 1<<numGroup)
)

// freeGroups are the groups of triggers that have a choice.
var freeGroups = func() (all []int) {
	for g := firstFree; g < filterGroups; g++ {
		all = append(all, g)
	}
	return all
}()

// Run offers every trigger in the text to its detector, from left to right, and notes where long runs of token characters may be.
// c is what the detectors get.
func (f *Filter[C]) Run(st *State, c C) {
	budget := *st.Budget
	if st.S != "" {
		f.begin(st, c)
	}
	for at := (found{before: ^uint64(0), after: ^uint64(0)}); ; at.step += stepBytes {
		at = f.search(st, at.step, at.after)
		if at.step+stepBytes > len(st.S) {
			f.tail(st, c, at.step, at.after)
			return
		}
		if at.step+filterWidth < st.Resume && at.match&f.always == f.always {
			continue // consumed, and nothing to note
		}
		if at.match|digitState >= noMatch && !longNumber(st.S, at.step) {
			continue // dates, times, sizes
		}
		state := f.half(st, c, at.step, at.before)
		f.half(st, c, at.step+filterWidth, state)
		if over := budget - *st.Budget - st.Ahead - WorkFor(max(at.step+stepBytes, st.Resume)); over > 0 || *st.Budget < 0 {
			*st.Budget = min(*st.Budget, -over)
			return // the text is withheld
		}
	}
}

// Looks returns how many steps of the text have in them what may be a trigger.
func (f *Filter[C]) Looks(text string) (n int) {
	st := State{S: text}
	for at := (found{before: ^uint64(0), after: ^uint64(0)}); ; at.step += stepBytes {
		at = f.search(&st, at.step, at.after)
		if at.step+stepBytes > len(text) {
			return n
		}
		if at.match|digitState < noMatch || longNumber(text, at.step) {
			n++
		}
	}
}

// begin offers the triggers that begin before the text.
func (f *Filter[C]) begin(st *State, c C) {
	first := st.S[0]
	if !f.second[first].has(ascii.At(st.S, 1)) {
		return
	}
	starts := f.start[first]
	for k := range starts {
		if starts[k].matches(st.S, -1) {
			f.offer(st, c, starts[k], 0)
		}
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
func (f *Filter[C]) search(state *State, i int, st uint64) found {
	s, mask := state.S, &f.masks[state.Saw&SawNotes]
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
			state.longRun(i)
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
func (f *Filter[C]) half(state *State, c C, i int, st uint64) uint64 {
	w, mask := state.S[i:i+filterWidth], &f.masks[state.Saw&SawNotes]
	s0 := st<<filterGroups | mask[w[0]]
	s1 := s0<<filterGroups | mask[w[1]]
	s2 := s1<<filterGroups | mask[w[2]]
	st = s2<<filterGroups | mask[w[3]]
	f.hits(state, c, i-filterWidth+1, ^(s0>>48 | s1>>48<<16 | s2>>48<<32 | st>>48<<48))
	return st
}

// tail offers the triggers that begin in the last bytes, from i on, where there is no whole step. NUL stands for what is not
// there.
func (f *Filter[C]) tail(state *State, c C, i int, st uint64) {
	s, mask := state.S, &f.masks[state.Saw&SawNotes]
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
		before = before<<filterGroups | mask[ascii.At(s, k)]
		f.hits(state, c, k-filterWidth+1, ^before>>stateShift)
	}
}

// hits offers the triggers of groups to their detectors: bit 16*k+g is set if group g has a match at i+k.
func (f *Filter[C]) hits(state *State, c C, i int, groups uint64) {
	for groups &^= noTriggers; groups != 0; {
		k := bits.TrailingZeros64(groups) / filterGroups
		own := uint16(groups >> (k * filterGroups))
		groups &^= (1<<filterGroups - 1) << (k * filterGroups)
		at := i + k
		if at < 0 || at >= len(state.S) {
			continue
		}
		for own &= f.pairs[state.S[at]][ascii.At(state.S, at+1)]; own != 0; own &= own - 1 {
			if g := bits.TrailingZeros16(own); at >= state.Resume || f.always>>(stateShift+g)&1 != 0 {
				f.hit(state, c, at, g)
			}
		}
	}
}

// hit offers the triggers of a group to their detectors.
func (f *Filter[C]) hit(state *State, c C, i, g int) {
	group := &f.by[g][state.S[i]]
	if i < state.Resume {
		group = &f.noted[g][state.S[i]]
	}
	x, next := head(state.S, i), ascii.ToLower(ascii.At(state.S, i+filterWidth))
	for k, seen := range group.glances {
		if x&seen.mask != seen.head || seen.next != 0 && seen.next != next {
			continue
		}
		if t := group.triggers[k]; f.exact[g] || t.matches(state.S, i) {
			f.offer(state, c, t, i+t.skip)
		}
	}
}

// offer calls the detector of a trigger whose first byte is at i. What asks for a decoded form or an escape is noted also in what
// a detector has consumed: that need not be redacted. So are the literals of custom rules.
func (f *Filter[C]) offer(state *State, c C, t *Trigger[C], i int) {
	if i-t.skip < state.Resume && !t.Always && !(t.skip == 1 && i == 0) || t.Note&state.Saw != 0 {
		return
	}
	if *state.Budget -= t.cost; *state.Budget < 0 {
		state.Resume = len(state.S)
		return
	}
	state.Place = i
	next := t.Detect(c, t.Rule, i)
	if state.Cut > 0 {
		next, state.Cut = min(next, state.Cut), 0
	}
	if next > state.Resume {
		state.Resume = next
	}
}

// longRun notes that there are nothing but token characters in the step of the search at i and in the half step before. A run
// of MinRun characters has such a place, wherever it starts.
func (s *State) longRun(i int) {
	if s.LastRun == 0 {
		// It starts after the first half of the step before, or the search would have been here then.
		s.FirstRun = max(0, i-stepBytes-filterWidth+1)
	}
	s.LastRun = i + stepBytes
}

// MinRun is how many token characters in a row are a long run.
const MinRun = 20

// Runs calls visit for every run of at least MinRun token characters, until it returns false. It looks at the byte where a run
// that starts here would have to be at MinRun: if that is none, no run starts here, and most bytes are never looked at.
func (s *State) Runs(visit func(start, end int) bool) {
	for i := s.FirstRun; i < s.LastRun && i+MinRun <= len(s.S); {
		j := i + MinRun - 1
		for j >= i && ascii.Class[s.S[j]]&ascii.Run != 0 {
			j--
		}
		if j >= i {
			i = j + 1
			continue
		}
		end := ascii.Span(s.S, i+MinRun, ascii.Run)
		if !visit(i, end) {
			return
		}
		i = end + 1
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
