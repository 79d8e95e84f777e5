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

	// Late is set where only the key of a later anchor vouches for the seal so far. Whether that stays so says [Chain.LateUntil] once all is known.
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

	// Ordered makes the chain go on across a gap only in [Chain.TakeWaiting], once all notes have come, so that nothing it says depends on
	// the order in which they do: but for which of two branches it follows. It takes memory for all notes above the gap; with too
	// many of them the chain goes on as it does otherwise. See [Chain.DependsOnOrder].
	Ordered bool
}

// Chain is a stream's chain of seals as far as it is known to be authentic.
type Chain struct {
	config   Config
	listener Listener

	given    bool // it begins with a seal that somebody vouches for, and not with seal 0
	complete bool // and that one is known to leave nothing open of what came before
	waits    bool // what is above a gap waits for TakeWaiting
	jumped   bool // a run began with an anchor
	variants bool // beside an anchor that is genuine there is another text with its key's signature, or a copy with other signatures

	// runs holds the genuine seals: numbers without a gap within each, ascending, and a gap between two. All but the first, which
	// starts at seal 0, were reached through an anchor.
	runs    []*run
	pending map[uint64][]*Note   // seals by number that no key is known for yet
	waiting map[seal.Hash]*Note  // those by what they are as a whole
	anchors map[uint64]naming    // the keys of anchors to come, as genuine seals name them
	starts  map[uint64]*start    // seals that were reached other than through the one before
	forms   map[uint64]seal.Hash // of genuine anchors, what they are as a whole
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

// naming is the key that genuine seals name for an anchor, and the lowest seal that does.
type naming struct {
	key seal.AnchorKey
	by  uint64
}

// run is a run of genuine seals without a gap.
type run struct {
	first uint64
	start uint64     // the anchor that it was reached through; 0 if through the seals below
	given bool       // it begins with a seal that is trusted as it is
	marks []sealMark // of seal first, first+1, …

	head *Note // the seal at first, to join the run with what may come to be known below it
	tip  *Note // the last seal
	met  bool  // the listener knows that head goes on from the run below

	tree  *seal.Tree  // of all blocks up to tip; nil where a block is not known, or one was wrong
	above []treeClaim // of the seals of a run above a gap, to be checked should that be closed

	// lateUntil is the lowest anchor that vouches for the run while there is a gap below it: seals before it are late. It is start, or one below that.
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
		waits:   config.Ordered,
		pending: map[uint64][]*Note{},
		waiting: map[seal.Hash]*Note{},
		anchors: map[uint64]naming{},
		starts:  map[uint64]*start{},
		forms:   map[uint64]seal.Hash{},
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
	if c.waits && c.memory().exceeds(maxOrdered) {
		c.TakeWaiting()
	}
	number := n.Seal.Number
	i := c.runBelow(number)
	if i < 0 && number == 0 {
		c.vouch(n)
	}
	switch {
	case i >= 0 && number < c.runs[i].end():
		c.addToGenuine(i, n)
	case c.given && i < 0:
		c.config.Findings.AddCause(c.findingAt(finding.SealBefore, n.Place))
	case !c.wait(n):
	// Only what this one brings about is looked at: anybody can make any number of seals that wait for ever.
	case i < 0:
		if number == 0 && c.startAtZero() {
			c.advance(0)
		}
	case c.reaches(n, i):
		c.advance(i)
	}
}

// wait keeps a note until it is known what vouches for it, and reports whether it is a new one.
func (c *Chain) wait(n *Note) bool {
	if same := c.waiting[n.whole]; same != nil {
		same.again++
		return false
	}
	if !c.memory().hold(n) {
		if c.config.Vouch != nil {
			c.lost = append(c.lost, &Note{Note: &seal.Note{Seal: &seal.Seal{StreamID: c.config.StreamID}}, Place: n.Place})
		}
		return false
	}
	c.pending[n.Seal.Number] = append(c.pending[n.Seal.Number], n)
	c.waiting[n.whole] = n
	return true
}

// forget gives up what is kept of a waiting note.
func (c *Chain) forget(n *Note) {
	delete(c.waiting, n.whole)
	c.config.Memory.release(n)
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

// addToGenuine judges a note whose number has a genuine seal already, in run i. Section 8.1, first paragraph, rules 3 and 4: a copy, a fork, or nothing.
func (c *Chain) addToGenuine(i int, n *Note) {
	r, number := c.runs[i], n.Seal.Number
	mark := &r.marks[number-r.first]
	switch {
	case mark.text == n.text:
		c.recordForm(n)
		c.recordCopy(n)
		if s := c.starts[number]; s != nil {
			c.addCopy(s, n)
			if number == r.first && i > 0 {
				c.advance(i - 1) // this copy may be the one that closes a gap
			}
		}
	case mark.key == (seal.PublicKey{}):
		c.wait(n) // for the seal before, which names the key
	default:
		c.judgeRival(n, &mark.key)
	}
}

// recordForm notes what a genuine anchor is as a whole: which of its signatures are in one copy makes a difference. Section 8.1, first paragraph.
func (c *Chain) recordForm(n *Note) {
	if !n.Seal.HasAnchor() {
		return
	}
	if form, known := c.forms[n.Seal.Number]; known && form != n.whole {
		c.variants = true
	}
	c.forms[n.Seal.Number] = n.whole
}

// signedForNumber reports whether a seal is signed with the key that authenticates its number: its own, or that of the anchor where only that is
// known. Section 8.1, rule 4.
func (c *Chain) signedForNumber(n *Note, own *seal.PublicKey) bool {
	if *own != (seal.PublicKey{}) {
		return n.SignedBy(own)
	}
	named, ok := c.anchors[n.Seal.Number]
	return ok && n.AnchoredBy(&named.key)
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
// contradiction, and the one counts that the lower seal names. (Should that be the later to come, see [Chain.DependsOnOrder].)
func (c *Chain) recordSeal(s *seal.Seal) {
	c.seals++
	if c.seals == 1 || s.Number > c.last.Number {
		c.last = End{s.Number, s.Time, s.Kind}
	}
	for _, a := range s.Anchors {
		named, ok := c.anchors[a.Number]
		if ok && named.key != a.Key {
			c.contradict(s.Number, a.Number, finding.AnchorRenamed)
			continue
		}
		if !ok || s.Number < named.by {
			c.anchors[a.Number] = naming{a.Key, s.Number}
			c.quantum.named(a.Number, s.Number)
		}
	}
	if len(c.anchors) > 64 {
		for number := range c.anchors {
			if number < c.runs[0].end() && c.quantum.owed[number] == nil {
				delete(c.anchors, number)
			}
		}
	}
}

// DependsOnOrder reports, once all seals are finished, whether what the chain says may depend on the order in which its notes came: it went on from an
// anchor before all were there, and something contradicts that. Then an [Config.Ordered] chain says what the specification says.
func (c *Chain) DependsOnOrder() bool {
	return c.jumped && !c.config.Ordered && (c.variants || len(c.contradictions) > 0)
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
	if i < 0 {
		return true
	}
	for i+1 < len(c.runs) && c.runs[i].end() == c.runs[i+1].first {
		i++ // a seal without its own key's signature begins a run, though no number is missing before it
	}
	return last >= c.runs[i].end()
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
