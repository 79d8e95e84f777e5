// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// findingAt returns a finding of the stream on what is at a place.
func (c *Chain) findingAt(reason finding.Reason, at finding.Place) finding.Finding {
	f := finding.New(reason)
	f.Stream, f.Place = c.Name(), at
	return f
}

// report adds a finding on the stream as a whole.
func (c *Chain) report(reason finding.Reason, detail finding.Detail) {
	f := c.findingAt(reason, finding.Place{})
	f.Detail = detail
	c.config.Findings.AddCause(f)
}

// reportUnauthenticated reports a seal that no key vouches for. Anybody can write one, so it is not held against the stream it names.
// Section 8.1, rule 3.
func (c *Chain) reportUnauthenticated(n *Note) {
	f := finding.New(c.whyUnauthenticated(n))
	f.Place, f.Detail.StreamID, f.Count = n.Place, n.Seal.StreamID, n.Count()
	c.config.Findings.AddCause(f)
}

// reportFork notes a second genuine seal of a number, once a number. Section 8.1, rule 4.
func (c *Chain) reportFork(n *Note) {
	if c.contradiction(finding.Forked, n.Seal.Number) != nil {
		return // a copy, or a third branch
	}
	c.addContradiction(finding.NumberTwice, n.Seal.Number, 0, n.Place)
}

// Contradict notes that a genuine seal says what cannot be, or contradicts others. Section 8.2: a seal counts once.
func (c *Chain) Contradict(number uint64, reason finding.Reason) { c.contradict(number, 0, reason) }

// contradict is Contradict with the number of another seal that the sentence names.
func (c *Chain) contradict(number, by uint64, reason finding.Reason) {
	if f := c.contradiction(finding.BrokenChain, number); f != nil {
		f.Further = append(f.Further, reason) // one contradiction entails others
		return
	}
	c.addContradiction(reason, number, by, finding.Place{})
}

// contradiction returns what is known to be wrong with a seal, nil when nothing is.
func (c *Chain) contradiction(code finding.Code, number uint64) *finding.Finding {
	for i := range c.contradictions {
		if f := &c.contradictions[i]; f.Code == code && f.Detail.Seals.First == number {
			return f
		}
	}
	return nil
}

func (c *Chain) addContradiction(reason finding.Reason, number, by uint64, at finding.Place) {
	if len(c.contradictions) < finding.MaxListed {
		f := c.findingAt(reason, at)
		f.Detail = finding.Detail{Seals: finding.Seal(number), By: by}
		c.contradictions = append(c.contradictions, f)
	}
}

// FinishSeals reports the seals that are not genuine and those that are missing (section 8.1, rules 3 and 5), and reports whether any is genuine.
func (c *Chain) FinishSeals() bool {
	waiting := uint64(0)
	for _, number := range slices.Sorted(maps.Keys(c.pending)) {
		i := c.runBelow(number)
		genuine := i >= 0 && number < c.runs[i].end()
		for _, n := range c.pending[number] {
			if genuine {
				c.judgeRival(n, &seal.PublicKey{})
			} else {
				c.reportUnauthenticated(n)
			}
			waiting++
		}
	}
	if !c.Begun() {
		switch {
		case c.config.Trust.Optional: // anybody can make seals that name it; they are BAD_SEAL
		case waiting > 0:
			c.report(finding.NoFirstSeal, finding.Detail{N: waiting})
		default:
			c.report(finding.NoSeal, finding.Detail{})
		}
		return false
	}
	for i, r := range c.runs[1:] {
		c.finishGap(c.runs[i], r)
	}
	for _, number := range c.contradictedStarts() {
		c.Contradict(number, finding.KeyNotNamed)
	}
	c.finishOwed()
	return true
}

// finishGap reports what is missing between two runs, or why they are two though nothing is. Section 8.1, rules 2 and 5.
func (c *Chain) finishGap(low, high *run) {
	first, last := low.end(), high.first-1
	if first > last {
		if high.head.Seal.Prev != low.tip.text && c.contradiction(finding.Forked, low.tip.Seal.Number) == nil {
			c.addContradiction(finding.OtherBefore, low.tip.Seal.Number, high.first, low.tip.Place)
		}
		return
	}
	f := c.findingAt(finding.SealGap, finding.Place{})
	f.Count, f.Detail.Seals = last-first+1, finding.Seals{Any: true, First: first, Last: last}
	c.config.Findings.AddCause(f)
}

// FinishContradictions reports the genuine seals that contradict others, by number. Section 8.2.
func (c *Chain) FinishContradictions() {
	slices.SortStableFunc(c.contradictions, func(a, b finding.Finding) int {
		return cmp.Compare(a.Detail.Seals.First, b.Detail.Seals.First)
	})
	for _, f := range c.contradictions {
		c.config.Findings.AddCause(f)
	}
}

// FinishEnd reports how the chain ends, if it must be complete up to a time, or zero if not. Section 8.4.
func (c *Chain) FinishEnd(until time.Time) {
	last := finding.Detail{Time: finding.Stamp(c.last.Time)}
	switch {
	case !until.IsZero() && c.last.Time.Before(until):
		c.report(finding.EndsEarly, last)
	case until.IsZero() && !c.Closed():
		c.report(finding.RunningAtEnd, last)
	}
}
