// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"maps"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Genuine is a seal that is authentic, and its standing.
type Genuine struct {
	Seal *seal.Seal

	// Before and After are the genuine seals next to it that it was reached from; nil where there is none.
	Before, After *seal.Seal

	// Late is set while only the key of a later anchor vouches for the seal. What is missing below may still turn up: see [Chain.LateUntil].
	Late bool
}

// Listener takes in what a chain finds out.
type Listener interface {
	// Genuine is called once for each genuine seal, in the order in which they become so.
	Genuine(g Genuine)

	// Adjacent is called when a gap closes between two genuine seals, which then follow each other.
	Adjacent(before, after *seal.Seal)
}

// Config is what a chain is made of.
type Config struct {
	Trust    seal.Trust
	StreamID string
	Memory   *Memory       // for all chains together
	Findings *finding.List // takes what is wrong with seals

	// Vouch is of a stream without a trust line. Given a seal 0 that is signed with the key it names, it says whether the stream is to be
	// trusted with that, and under which name; or why not. Nil for a stream with a trust line.
	Vouch func(first *seal.Seal) (name string, refusal finding.Reason)
	// Unvouched is the memory for chains that nothing vouches for yet.
	Unvouched *Memory
}

// Chain is a stream's chain of seals as far as it is known to be authentic.
type Chain struct {
	config   Config
	listener Listener

	given    bool // it begins with a seal that somebody vouches for, and not with seal 0
	complete bool // and that one is known to leave nothing open of what came before

	// runs holds the genuine seals: numbers without a gap within each, ascending, and a gap between two. All but the first, which
	// starts at seal 0, were reached through an anchor.
	runs    []*run
	pending map[uint64][]*Note        // seals by number that no key is known for yet
	waiting map[seal.Hash]bool        // what those are as a whole
	anchors map[uint64]seal.AnchorKey // the keys of anchors to come, as genuine seals name them
	starts  map[uint64]*start         // seals that were reached other than through the one before
	quantum postQuantum

	refusal finding.Reason // why Vouch did not
	lost    []*Note        // notes there was no memory for while nothing vouched for the chain; of all but the first, what a finding needs

	seals          uint64
	last           End
	contradictions []finding.Finding // of seals, one for each
}

// End is what there is to say of the highest genuine seal.
type End struct {
	Number uint64
	Time   time.Time
	Kind   seal.Kind
}

// run is a run of genuine seals without a gap.
type run struct {
	first uint64
	given bool       // it begins with a seal that is trusted as it is
	marks []sealMark // of seal first, first+1, …

	head *Note // the seal at first, to join the run with what may come to be known below it
	tip  *Note // the last seal

	tree  *seal.Tree  // of all blocks up to tip; nil where a block is not known, or one was wrong
	above []treeClaim // of the seals of a run above a gap, to be checked should that be closed

	// lateUntil is the lowest anchor that vouches for the run while there is a gap below it: seals before it are late.
	lateUntil uint64
}

// sealMark is what is kept of each genuine seal: enough to tell its copies from other seals of its number.
type sealMark struct {
	text seal.Hash
	key  seal.PublicKey // its own; zero where only an anchor vouches for it
}

// end is one beyond the number of the run's last seal.
func (r *run) end() uint64 { return r.first + uint64(len(r.marks)) }

// late reports whether there is a gap below a seal of the run, and no anchor between.
func (r *run) late(number uint64) bool { return r.first > 0 && number < r.lateUntil }

// New returns a chain without a seal. Call [Chain.Listen] before the first.
func New(config Config) *Chain {
	return &Chain{
		config:  config,
		pending: map[uint64][]*Note{},
		waiting: map[seal.Hash]bool{},
		anchors: map[uint64]seal.AnchorKey{},
		starts:  map[uint64]*start{},
	}
}

// Listen makes l the one that is told of genuine seals.
func (c *Chain) Listen(l Listener) { c.listener = l }

// StartFrom makes the chain begin with a seal that somebody vouches for, instead of seal 0 (section 8.4, last paragraph). The listener is not told of it,
// nor of earlier, which are seals below it that are vouched for too. complete says that what lies below need not be known.
func (c *Chain) StartFrom(first *seal.Seal, complete bool, earlier []*seal.Seal, place finding.Place) {
	note := &seal.Note{Seal: first, Text: first.Text()}
	n := &Note{Note: note, Place: place, text: note.TextHash()}
	c.given, c.complete = true, complete
	c.runs = []*run{{first: first.Number, marks: []sealMark{{text: n.text}}, head: n, tip: n, given: true}}
	for _, s := range earlier {
		c.recordSeal(s)
	}
	c.recordSeal(first)
	c.seals = 0 // none of them was found yet
}

// Add takes in a note of the stream.
func (c *Chain) Add(n *Note) {
	number := n.Seal.Number
	i := c.runBelow(number)
	if i < 0 && number == 0 {
		c.vouch(n)
	}
	switch {
	case i >= 0 && number < c.runs[i].end():
		c.addToGenuine(c.runs[i], n)
		return
	case c.given && i < 0:
		c.config.Findings.AddCause(c.findingAt(finding.SealBefore, n.Place))
		return
	case c.waiting[n.whole]:
		return
	case !c.memory().hold(n):
		if c.config.Vouch != nil {
			c.lost = append(c.lost, &Note{Note: &seal.Note{Seal: &seal.Seal{StreamID: c.config.StreamID}}, Place: n.Place})
		}
		return
	}
	c.pending[number] = append(c.pending[number], n)
	c.waiting[n.whole] = true
	// Only what this one brings about is looked at: anybody can make any number of seals that wait for ever.
	switch {
	case i < 0:
		if number == 0 && c.startAtZero() {
			c.advance(0)
		}
	case c.reaches(n, i):
		c.advance(i)
	}
}

// vouch makes the chain trust the key of a seal 0 that is vouched for.
func (c *Chain) vouch(n *Note) {
	// ParseSeal has checked that the key is that of the stream id.
	if c.config.Vouch == nil || n.Seal.Kind != seal.KindOpen || !n.begins(&seal.Trust{Key: n.Seal.Key}) {
		return
	}
	name, refusal := c.config.Vouch(n.Seal)
	if refusal != "" {
		c.refusal = refusal
		return
	}
	unvouched := c.memory()
	c.config.Trust.Key, c.config.Trust.Name, c.config.Vouch = n.Seal.Key, name, nil
	for _, list := range c.pending {
		for _, waiting := range list {
			unvouched.release(waiting)
			c.config.Memory.hold(waiting)
		}
	}
}

// memory is where waiting notes count.
func (c *Chain) memory() *Memory {
	if c.config.Vouch != nil && c.config.Unvouched != nil {
		return c.config.Unvouched
	}
	return c.config.Memory
}

// Vouched reports whether the stream has a trust line, or something has vouched for it.
func (c *Chain) Vouched() bool { return c.config.Vouch == nil }

// Lost reports whether seals were passed over that the chain would have needed, had it been known then that something vouches for it.
func (c *Chain) Lost() bool { return c.Vouched() && len(c.lost) > 0 }

// FinishUnvouched calls report for each note of a chain that nothing vouches for, and says why nothing does: empty if its first seal is not here.
func (c *Chain) FinishUnvouched(report func(n *Note, refusal finding.Reason)) {
	for _, number := range slices.Sorted(maps.Keys(c.pending)) {
		for _, n := range c.pending[number] {
			report(n, c.refusal)
		}
	}
	for _, n := range c.lost {
		report(n, c.refusal)
	}
}

// addToGenuine judges a note whose number has a genuine seal already. Section 8.1, first paragraph, rules 3 and 4: a copy, a fork, or nothing.
func (c *Chain) addToGenuine(r *run, n *Note) {
	mark := &r.marks[n.Seal.Number-r.first]
	switch {
	case mark.text == n.text:
		c.recordCopy(n)
		if s := c.starts[n.Seal.Number]; s != nil {
			c.addCopy(s, n)
			if i := c.runBelow(n.Seal.Number); n.Seal.Number == r.first && i > 0 {
				c.advance(i - 1) // this copy may be the one that closes a gap
			}
		}
	case c.signedForNumber(n, &mark.key):
		c.reportFork(n)
	default:
		c.reportUnauthenticated(n)
	}
}

// signedForNumber reports whether a seal is signed with the key that authenticates its number: its own, or that of the anchor where only that is
// known. Section 8.1, rule 4.
func (c *Chain) signedForNumber(n *Note, own *seal.PublicKey) bool {
	if *own != (seal.PublicKey{}) {
		return n.SignedBy(own)
	}
	key, ok := c.anchors[n.Seal.Number]
	return ok && n.AnchoredBy(&key)
}

// runBelow returns the index of the last run that begins at or below number, -1 if there is none.
func (c *Chain) runBelow(number uint64) int {
	i, _ := slices.BinarySearchFunc(c.runs, number, func(r *run, number uint64) int {
		if r.first <= number {
			return -1
		}
		return 1
	})
	return i - 1
}

// recordSeal notes what a genuine seal says of the chain: where it ends, and the keys of anchors. Section 8.2: two keys for one anchor are a
// contradiction, and the first counts.
func (c *Chain) recordSeal(s *seal.Seal) {
	c.seals++
	if c.seals == 1 || s.Number > c.last.Number {
		c.last = End{s.Number, s.Time, s.Kind}
	}
	for _, a := range s.Anchors {
		if key, ok := c.anchors[a.Number]; ok && key != a.Key {
			c.contradict(s.Number, a.Number, finding.AnchorRenamed)
			continue
		}
		c.anchors[a.Number] = a.Key
		c.quantum.named(a.Number, s.Number)
	}
	if len(c.anchors) > 64 {
		for number := range c.anchors {
			if number < c.runs[0].end() {
				delete(c.anchors, number)
			}
		}
	}
}

// Name returns the stream's name for a report.
func (c *Chain) Name() string { return c.config.Trust.Name }

// Trust returns what is trusted.
func (c *Chain) Trust() seal.Trust { return c.config.Trust }

// StreamID returns the stream's id.
func (c *Chain) StreamID() string { return c.config.StreamID }

// Begun reports whether the chain has a seal.
func (c *Chain) Begun() bool { return len(c.runs) > 0 }

// Seals returns how many genuine seals were found.
func (c *Chain) Seals() uint64 { return c.seals }

// End describes the highest genuine seal.
func (c *Chain) End() End { return c.last }

// Tip returns the highest genuine seal. There must be one.
func (c *Chain) Tip() *seal.Seal { return c.runs[len(c.runs)-1].tip.Seal }

// Missing reports whether a seal between two genuine ones, both included, is missing.
func (c *Chain) Missing(first, last uint64) bool {
	if c.complete {
		first = max(first, c.runs[0].first) // what came before is known
	}
	i := c.runBelow(first)
	return i < 0 || last >= c.runs[i].end()
}

// LateUntil returns the anchor that is the next thing to vouch for a genuine seal which the keys before it do not vouch for. Section 8.1, rule 2.
func (c *Chain) LateUntil(number uint64) (anchor uint64, late bool) {
	if r := c.runs[c.runBelow(number)]; r.late(number) {
		return r.lateUntil, true
	}
	for first, s := range c.starts {
		if s.contradicted() && first <= number && number < s.until {
			return s.until, true
		}
	}
	return 0, false
}

// Closed reports whether the highest genuine seal is a close seal.
func (c *Chain) Closed() bool { return c.last.Kind == seal.KindClose }

// Sealed reports whether there is a genuine seal, or none need be because the seal that the chain starts from ended no session.
func (c *Chain) Sealed() bool { return c.seals > 0 || c.given && !c.Closed() }
