// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"bytes"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
)

// reaches reports whether a note that has come can be authenticated, above run i. Section 8.1, rules 1 and 2.
func (c *Chain) reaches(n *Note, i int) bool {
	number := n.Seal.Number
	switch {
	case number == c.runs[i].end() && n.goesOnFrom(c.runs[i]):
		return true
	case c.waits:
		return false
	case i+1 < len(c.runs) && number == c.runs[i+1].first-1 && n.text == c.runs[i+1].head.Seal.Prev:
		return true
	}
	named, ok := c.anchors[number]
	return ok && number > c.runs[i].end() && n.restsOnAnchor(&named.key)
}

// advance authenticates what can be, from run i on. Section 8.1.
func (c *Chain) advance(i int) {
	c.narrowGap(i)
	for !c.waits && len(c.pending) > 0 && c.jumpToAnchor(i) {
		c.narrowGap(i)
		if i+1 < len(c.runs) {
			i++
			c.narrowGap(i)
		}
	}
}

// TakeWaiting authenticates what waits above a gap: see [Config.Ordered]. Rule 2 of section 8.1 then sees all that there is.
func (c *Chain) TakeWaiting() {
	if !c.waits {
		return
	}
	c.waits = false
	if c.Begun() {
		c.advance(len(c.runs) - 1)
	}
}

// narrowGap closes in on the gap above run i from both sides.
func (c *Chain) narrowGap(i int) {
	for progress := true; progress; {
		progress = false
		for c.stepForward(i) {
			progress = true
		}
		if i+1 == len(c.runs) {
			return
		}
		for c.stepBackward(i + 1) {
			progress = true
		}
		if c.joinRuns(i) {
			progress = true
		}
	}
}

// startAtZero begins the chain with seal 0, if a note of that is signed with pk0. Section 8.1, rule 1, first sentence.
func (c *Chain) startAtZero() bool {
	for _, n := range c.pending[0] {
		if n.begins(&c.config.Trust) {
			r := &run{tree: new(seal.Tree)}
			c.runs = append(c.runs, r)
			c.appendTo(r, n, c.config.Trust.Key)
			return true
		}
	}
	return false
}

// stepForward looks for the seal after run i. Section 8.1, rule 1.
func (c *Chain) stepForward(i int) bool {
	r := c.runs[i]
	number := r.end()
	if i+1 < len(c.runs) && c.runs[i+1].first == number {
		return false
	}
	for _, n := range c.pending[number] {
		if n.goesOnFrom(r) {
			c.appendTo(r, n, r.tip.Seal.Next)
			return true
		}
	}
	return false
}

// stepBackward looks for the seal below run i: the one whose text its first seal names. Section 8.1, rule 2, "m − 1, m − 2, …".
func (c *Chain) stepBackward(i int) bool {
	r := c.runs[i]
	n := c.before(r.head, c.runs[i-1].end())
	if n == nil {
		return false
	}
	c.prependTo(r, n, c.replacesStart(n, c.runs[i-1].end()))
	return true
}

// before returns the waiting seal whose text a seal names as that before it, nil if it is not here or its number is below floor.
func (c *Chain) before(n *Note, floor uint64) *Note {
	number := n.Seal.Number - 1
	if number < floor {
		return nil
	}
	for _, other := range c.pending[number] {
		if other.text == n.Seal.Prev {
			return other
		}
	}
	return nil
}

// jumpToAnchor looks for the lowest anchor in the gap above run i, and begins a run with it and the seals that it leads down to, the lowest first.
// Section 8.1, rule 2, "the next start".
func (c *Chain) jumpToAnchor(i int) bool {
	next := c.runs[i].end()
	start := c.nextStart(i)
	if start == nil {
		return false
	}
	seals := []*Note{start}
	for below := start; below != nil; {
		if below = c.before(below, next); below != nil {
			seals = append(seals, below)
		}
	}
	// The anchor that vouches for each of them, from above.
	until := make([]uint64, len(seals))
	r := &run{start: start.Seal.Number, lateUntil: start.Seal.Number}
	for j, n := range seals {
		until[j] = r.lateUntil
		if j > 0 && c.replacesStart(n, next) {
			r.lateUntil = n.Seal.Number
		}
	}
	r.first = seals[len(seals)-1].Seal.Number
	c.runs = slices.Insert(c.runs, i+1, r)
	c.jumped = true
	for j, n := range slices.Backward(seals) {
		c.addStart(n, until[j])
		before := r.tip
		if before == nil {
			c.appendTo(r, n, seal.PublicKey{})
			c.meet(c.runs[i], r) // before what comes above is told, which may depend on what is below
			continue
		}
		c.appendTo(r, n, before.Seal.Next)
		c.learnKey(before.Seal, &r.marks[len(r.marks)-1])
	}
	return true
}

// nextStart returns the lowest anchor in the gap above run i that the chain can go on from. Section 8.1, rule 2, "the next start".
func (c *Chain) nextStart(i int) *Note {
	var numbers []uint64
	for number := range c.anchors {
		if number > c.runs[i].end() && (i+1 == len(c.runs) || number < c.runs[i+1].first) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		key := c.anchors[number].key
		var best *Note
		for _, n := range c.pending[number] {
			if n.restsOnAnchor(&key) && (best == nil || n.text != best.text && c.isBetterStart(n, best)) {
				best = n
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// isBetterStart reports which of two texts of an anchor the chain goes on from, if it could from either. Section 8.1, rule 2, "of several texts".
func (c *Chain) isBetterStart(n, than *Note) bool {
	vouched := c.isVouchedFor(n)
	if vouched != c.isVouchedFor(than) {
		return vouched
	}
	return bytes.Compare(n.text[:], than.text[:]) < 0
}

// isVouchedFor reports whether the seal that a waiting one names as that before it is here, and names a key that it is signed with.
func (c *Chain) isVouchedFor(n *Note) bool {
	before := c.before(n, 0)
	return before != nil && slices.ContainsFunc(c.copiesOf(n), func(other *Note) bool { return other.ownHolds(&before.Seal.Next) })
}

// replacesStart reports whether a waiting seal that a later anchor leads down to is an anchor that vouches for the seals below it just as well: it could be
// no start only because no copy of it with its anchor signature has an own-key signature line. next is the number after the highest seal
// below the gap. Section 8.1, rule 2, first paragraph.
func (c *Chain) replacesStart(n *Note, next uint64) bool {
	named, ok := c.anchors[n.Seal.Number]
	if !ok || n.Seal.Number <= next || named.by >= next {
		return false
	}
	return slices.ContainsFunc(c.copiesOf(n), func(other *Note) bool { return other.anchorHolds(&named.key) })
}

// appendTo puts a genuine seal at the end of a run.
func (c *Chain) appendTo(r *run, n *Note, key seal.PublicKey) {
	c.recordAnchor(n, c.copiesOf(n), n.Seal.Number < r.start)
	c.removePending(n, &key)
	before := r.tip
	if before == nil {
		r.head = n
	}
	r.marks = append(r.marks, sealMark{n.text, key})
	r.tip = n
	c.extendTree(r, n.Seal.Number, claimOf(n.Seal))
	c.recordSeal(n.Seal)
	g := Genuine{Seal: n.Seal, Late: n.Seal.Number < r.start}
	if before != nil {
		g.Before = before.Seal
	}
	c.listener.Genuine(g)
}

// prependTo puts a genuine seal before a run that has a gap below it.
func (c *Chain) prependTo(r *run, n *Note, replacesStart bool) {
	c.addStart(n, r.lateUntil)
	c.recordAnchor(n, c.copiesOf(n), true)
	c.removePending(n, &seal.PublicKey{})
	after := r.head
	r.marks = slices.Insert(r.marks, 0, sealMark{text: n.text})
	r.above = slices.Insert(r.above, 0, claimOf(n.Seal))
	r.first--
	r.head = n
	if replacesStart {
		r.lateUntil = n.Seal.Number
	}
	c.learnKey(n.Seal, &r.marks[1])
	c.recordSeal(n.Seal)
	c.listener.Genuine(Genuine{Seal: n.Seal, After: after.Seal, Late: true})
}

// joinRuns makes one run of two that have come to touch, if the upper one goes on from the lower.
func (c *Chain) joinRuns(i int) bool {
	low, high := c.runs[i], c.runs[i+1]
	if !c.meet(low, high) {
		return false
	}
	low.marks = append(low.marks, high.marks...)
	low.tip = high.tip
	for i, claim := range high.above {
		c.extendTree(low, high.first+uint64(i), claim)
	}
	c.runs = slices.Delete(c.runs, i+1, i+2)
	return true
}

// meet reports whether a run touches the one below it and goes on from that: it must be signed with the key that the lower one
// names, else whoever has an anchor's key could rewrite all that lies between the anchor and any seal below it. Section 8.1, rule 2, second paragraph.
func (c *Chain) meet(low, high *run) bool {
	if low.end() != high.first {
		return false
	}
	if high.head.Seal.Prev != low.tip.text {
		high.marks[0].key = low.tip.Seal.Next
		c.judgeRivals(high.first, &high.marks[0].key)
		return false
	}
	c.learnKey(low.tip.Seal, &high.marks[0])
	if c.starts[high.first] != nil {
		return false
	}
	if !high.met {
		high.met = true
		c.listener.Adjacent(low.tip.Seal, high.head.Seal)
	}
	return true
}

// copiesOf returns the waiting notes with a seal's text: what differs is their signatures.
func (c *Chain) copiesOf(n *Note) (copies []*Note) {
	for _, other := range c.pending[n.Seal.Number] {
		if other.text == n.text {
			copies = append(copies, other)
		}
	}
	return copies
}

// removePending removes a genuine seal from the waiting ones, with its copies. The others of its number are judged by the key that authenticates
// it; they wait on while that is not known. Section 8.1, rules 3 and 4.
func (c *Chain) removePending(n *Note, key *seal.PublicKey) {
	number := n.Seal.Number
	var rivals []*Note
	for _, other := range c.pending[number] {
		if other.text != n.text {
			rivals = append(rivals, other)
			continue
		}
		c.forget(other)
		c.recordForm(other)
	}
	if len(rivals) == 0 {
		delete(c.pending, number)
		return
	}
	c.pending[number] = rivals
	if *key != (seal.PublicKey{}) {
		c.judgeRivals(number, key)
	}
}

// judgeRivals judges the waiting notes of a number that has a genuine seal, by the key that authenticates it. Section 8.1, rules 3 and 4.
func (c *Chain) judgeRivals(number uint64, key *seal.PublicKey) {
	rivals := c.pending[number]
	delete(c.pending, number)
	for _, n := range rivals {
		c.forget(n)
		c.judgeRival(n, key)
	}
}

func (c *Chain) judgeRival(n *Note, key *seal.PublicKey) {
	if c.signedForNumber(n, key) {
		c.reportFork(n)
		return
	}
	if named, ok := c.anchors[n.Seal.Number]; ok && n.anchorHolds(&named.key) {
		c.variants = true
	}
	c.reportUnauthenticated(n)
}
