// SPDX-License-Identifier: Apache-2.0

package prefilter

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// The triggers are shared out among the groups so that ordinary lines pass with a look at few places. All ways to do so are too many to
// try, and a good one takes minutes to find: so it is found beforehand, and kept in [grouping] (`make generate`). A trigger that is not in
// it, such as a custom rule's, is put where it makes the least worse.

// group shares the triggers out among the groups and returns what the groups take.
func (f *Filter[C]) group(triggers []Trigger[C]) *[filterGroups]byteSets {
	s := newSharing()
	own := make([]byteSets, len(triggers))
	put := func(t, g int) {
		s.accept[g].add(&own[t])
		f.groups[g] = append(f.groups[g], &triggers[t])
	}
	var others []int
	for t := range triggers {
		own[t] = triggers[t].accepts()
		fits := triggers[t].fits()
		if g, ok := grouping[triggers[t].key()]; ok && slices.Contains(fits, g) {
			put(t, g)
		} else if len(fits) == 1 {
			put(t, fits[0])
		} else {
			others = append(others, t)
		}
	}
	s.count()
	for _, t := range others {
		g := s.cheapest(&own[t])
		put(t, g)
		s.costs[g] = s.accept[g].costWith(&s.accept[g], math.Inf(1))
	}
	return &s.accept
}

// key names what the trigger's first bytes are. Triggers with the same belong into one group.
func (t *Trigger[C]) key() string {
	if t.Sets == nil {
		return t.Lit[:min(len(t.Lit), filterWidth)]
	}
	h := fnv.New32a()
	a := t.accepts()
	for _, set := range a.accept {
		_, _ = fmt.Fprint(h, set)
	}
	return fmt.Sprintf("sets %08x", h.Sum32())
}

const (
	attempts  = 300_000
	strangers = 3   // triggers that are taken out besides
	leeway    = 0.1 // how much worse a way may be, at first, to be gone on from
	inertia   = 0.1 // how much worse the grouping that is there may be, and stay
)

// ShareOut finds a grouping of the triggers, by large neighbourhood search (Shaw, 1998): something in the sample that passes for no reason
// is picked, the triggers that let it pass are taken out of their groups, and each is put where it makes the least worse. That again and
// again, with the best way kept, and at first also some that are a little worse. Chance is the same every time, and so is what is found.
func ShareOut[C any](triggers []Trigger[C]) map[string]int {
	takes := map[string]byteSets{}
	fixed := newSharing()
	for t := range triggers {
		own := triggers[t].accepts()
		if fits := triggers[t].fits(); len(fits) == 1 {
			fixed.accept[fits[0]].add(&own)
		} else {
			takes[triggers[t].key()] = own
		}
	}
	keys := slices.Sorted(maps.Keys(takes))
	best := fixed
	for _, k := range keys {
		best.own = append(best.own, takes[k])
		best.in = append(best.in, -1)
	}
	best.count()
	committed := best.clone()
	for t := range best.in {
		best.put(t, best.cheapest(&best.own[t]))
	}
	current, trial := best.clone(), best.clone()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range attempts {
		out := current.culprits(r)
		for range strangers {
			out = append(out, r.IntN(len(keys)))
		}
		trial.copy(current)
		trial.takeOut(out)
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		for _, t := range out {
			if trial.in[t] < 0 {
				trial.put(t, trial.cheapest(&trial.own[t]))
			}
		}
		cost := trial.cost()
		if cost < best.cost() {
			best.copy(trial)
		}
		if cost < best.cost()*(1+leeway*(1-float64(n)/attempts)) {
			current, trial = trial, current
		}
	}
	// The grouping that is there stays unless this one is much better: with one trigger more, chance takes another way, which may lead to less
	// for the lines that are most frequent.
	for t, k := range keys {
		if g, ok := grouping[k]; ok {
			committed.put(t, g)
		}
	}
	for t, g := range committed.in {
		if g < 0 {
			committed.put(t, committed.cheapest(&committed.own[t]))
		}
	}
	if committed.cost() <= best.cost()*(1+inertia) {
		best = committed
	}
	found := map[string]int{}
	for t, k := range keys {
		found[k] = best.in[t]
	}
	return found
}

// sharing is a way to share triggers out among groups.
type sharing struct {
	own    []byteSets // what each trigger takes that has a choice
	in     []int      // its group, or -1
	accept [filterGroups]byteSets
	costs  [filterGroups]float64
}

func newSharing() *sharing {
	s := &sharing{}
	for g := range s.accept {
		s.accept[g] = newByteSets()
	}
	return s
}

// count counts what all groups cost.
func (s *sharing) count() {
	for g := range s.accept {
		s.costs[g] = s.accept[g].costWith(&s.accept[g], math.Inf(1))
	}
}

func (s *sharing) clone() *sharing {
	c := newSharing()
	c.own, c.in = s.own, make([]int, len(s.in))
	c.copy(s)
	return c
}

func (s *sharing) copy(from *sharing) {
	copy(s.in, from.in)
	s.costs = from.costs
	for g := range s.accept {
		s.accept[g].accept = from.accept[g].accept
		for k := range s.accept[g].sample {
			copy(s.accept[g].sample[k], from.accept[g].sample[k])
		}
	}
}

func (s *sharing) cost() (sum float64) {
	for _, c := range s.costs {
		sum += c
	}
	return sum
}

// culprits returns the triggers that let something pass in one group.
func (s *sharing) culprits(r *rand.Rand) (out []int) {
	g := firstFree + r.IntN(filterGroups-firstFree)
	if r.IntN(2) == 0 {
		g = s.dearest()
	}
	a := &s.accept[g]
	words := len(grams.weights)
	for n, from := 0, r.IntN(words); n < words; n++ {
		i := (from + n) % words
		all := a.sample[0][i] & a.sample[1][i] & a.sample[2][i] & a.sample[3][i]
		if all == 0 {
			continue
		}
		for skip := r.IntN(bits.OnesCount64(all)); skip > 0; skip-- {
			all &= all - 1
		}
		one := all & -all
		for t, in := range s.in {
			if in == g && (s.own[t].sample[0][i]|s.own[t].sample[1][i]|s.own[t].sample[2][i]|s.own[t].sample[3][i])&one != 0 {
				out = append(out, t)
			}
		}
		break
	}
	return out
}

// dearest returns the group that costs most of those that triggers have a choice of.
func (s *sharing) dearest() int {
	dearest := firstFree
	for g := dearest; g < filterGroups; g++ {
		if s.costs[g] > s.costs[dearest] {
			dearest = g
		}
	}
	return dearest
}

// cheapest returns which of the groups that triggers have a choice of one that takes these bytes makes the least worse.
func (s *sharing) cheapest(own *byteSets) int {
	best, bestCost := firstFree, math.Inf(1)
	for g := firstFree; g < filterGroups; g++ {
		if c := s.accept[g].costWith(own, bestCost+s.costs[g]) - s.costs[g]; c < bestCost {
			best, bestCost = g, c
		}
	}
	return best
}

// takeOut takes triggers out of their groups.
func (s *sharing) takeOut(triggers []int) {
	var changed [filterGroups]bool
	for _, t := range triggers {
		if s.in[t] >= 0 {
			changed[s.in[t]] = true
			s.in[t] = -1
		}
	}
	for g := range s.accept {
		if !changed[g] {
			continue
		}
		a := &s.accept[g]
		a.accept = [filterWidth]byteSet{}
		for k := range a.sample {
			clear(a.sample[k])
		}
		for t, in := range s.in {
			if in == g {
				a.add(&s.own[t])
			}
		}
		s.costs[g] = a.costWith(a, math.Inf(1))
	}
}

func (s *sharing) put(t, to int) {
	s.in[t] = to
	s.accept[to].add(&s.own[t])
	s.costs[to] = s.accept[to].costWith(&s.accept[to], math.Inf(1))
}
