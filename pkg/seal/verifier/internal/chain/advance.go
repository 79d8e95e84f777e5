// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"slices"

	"github.com/logseal/logseal/pkg/seal"
)

// reaches reports whether a note that has come can be authenticated, above run i. Section 8.1, rules 1 and 2.
func (c *Chain) reaches(n *Note, i int) bool {
	number := n.Seal.Number
	if number == c.runs[i].end() && n.goesOnFrom(c.runs[i]) {
		return true
	}
	if i+1 < len(c.runs) && number == c.runs[i+1].first-1 && n.text == c.runs[i+1].head.Seal.Prev {
		return true
	}
	key, ok := c.anchors[number]
	return ok && number > c.runs[i].end() && n.restsOnAnchor(&key)
}

// advance authenticates what can be, from run i on. Section 8.1.
func (c *Chain) advance(i int) {
	c.narrowGap(i)
	for len(c.pending) > 0 && c.jumpToAnchor(i) {
		c.narrowGap(i)
		if i+1 < len(c.runs) {
			i++
			c.narrowGap(i)
		}
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
	number := r.first - 1
	if number < c.runs[i-1].end() {
		return false
	}
	for _, n := range c.pending[number] {
		if n.text == r.head.Seal.Prev {
			c.prependTo(r, n)
			return true
		}
	}
	return false
}

// jumpToAnchor looks for the lowest anchor in the gap above run i, and begins a run with it. Section 8.1, rule 2, "the next start".
func (c *Chain) jumpToAnchor(i int) bool {
	var numbers []uint64
	for number := range c.anchors {
		if number > c.runs[i].end() && (i+1 == len(c.runs) || number < c.runs[i+1].first) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		key := c.anchors[number]
		for _, n := range c.pending[number] {
			if !n.restsOnAnchor(&key) {
				continue
			}
			r := &run{first: number, lateUntil: number}
			c.runs = slices.Insert(c.runs, i+1, r)
			c.addStart(n, number)
			c.appendTo(r, n, seal.PublicKey{})
			return true
		}
	}
	return false
}

// appendTo puts a genuine seal at the end of a run.
func (c *Chain) appendTo(r *run, n *Note, key seal.PublicKey) {
	c.removePending(n, key)
	before := r.tip
	if before == nil {
		r.head = n
	}
	r.marks = append(r.marks, sealMark{n.text, key})
	r.tip = n
	c.extendTree(r, n.Seal.Number, claimOf(n.Seal))
	c.recordAnchor(n)
	c.recordSeal(n.Seal)
	g := Genuine{Seal: n.Seal, Late: r.late(n.Seal.Number)}
	if before != nil {
		g.Before = before.Seal
	}
	c.listener.Genuine(g)
}

// prependTo puts a genuine seal before a run that has a gap below it.
func (c *Chain) prependTo(r *run, n *Note) {
	c.addStart(n, r.lateUntil)
	copies := copiesOf(n, c.pending[n.Seal.Number])
	c.removePending(n, seal.PublicKey{})
	after := r.head
	r.marks = slices.Insert(r.marks, 0, sealMark{text: n.text})
	r.above = slices.Insert(r.above, 0, claimOf(n.Seal))
	r.first--
	r.head = n
	c.learnKey(n.Seal, &r.marks[1])
	if c.recordAnchor(n) {
		r.lateUntil = n.Seal.Number
	}
	for _, other := range copies {
		c.recordCopy(other)
	}
	c.recordSeal(n.Seal)
	c.listener.Genuine(Genuine{Seal: n.Seal, After: after.Seal, Late: r.late(n.Seal.Number)})
}

// joinRuns makes one run of two that have come to touch. The upper one must go on from the lower, and be signed with the key that the lower one
// names: else whoever has an anchor's key could rewrite all that lies between the anchor and any seal below it. Section 8.1, rule 2, second paragraph.
func (c *Chain) joinRuns(i int) bool {
	low, high := c.runs[i], c.runs[i+1]
	if low.end() != high.first || high.head.Seal.Prev != low.tip.text {
		return false
	}
	c.learnKey(low.tip.Seal, &high.marks[0])
	if c.starts[high.first] != nil {
		return false
	}
	c.listener.Adjacent(low.tip.Seal, high.head.Seal)
	low.marks = append(low.marks, high.marks...)
	low.tip = high.tip
	for i, claim := range high.above {
		c.extendTree(low, high.first+uint64(i), claim)
	}
	c.runs = slices.Delete(c.runs, i+1, i+2)
	return true
}

// copiesOf returns the notes that differ from one in no more than their signatures.
func copiesOf(n *Note, list []*Note) (copies []*Note) {
	for _, other := range list {
		if other != n && other.text == n.text {
			copies = append(copies, other)
		}
	}
	return copies
}

// removePending removes a genuine seal from the waiting ones, and judges the others of its number. Section 8.1, rules 3 and 4.
func (c *Chain) removePending(n *Note, key seal.PublicKey) {
	all := c.pending[n.Seal.Number]
	delete(c.pending, n.Seal.Number)
	for _, other := range all {
		delete(c.waiting, other.whole)
		c.config.Memory.release(other)
		switch {
		case other.text == n.text: // a copy
		case c.signedForNumber(other, &key):
			c.reportFork(other)
		default:
			c.reportUnauthenticated(other)
		}
	}
}
