// SPDX-License-Identifier: Apache-2.0

package flood

import (
	"sync"
	"time"
)

// Batch is one decision about the records of one request: Begin, Admit for each record, Decided, and Settle when it is known
// whether the next consumer has taken those that were admitted.
type Batch struct {
	g         *Guard
	number    uint64
	touches   []touch
	over      bool // a record was above a limit
	last      Key  // of the record before, and its place in touches: records of a source come one after the other
	at        int
	stateless uint64
}

// touch is what a batch did with a source.
type touch struct {
	s              *source
	received, kept Count
	over           [TotalBytes + 1]uint64
	openOwn        bool // the batch may overdraw this budget
	openTotal      int  // likewise: the part of the total, or nothing
	paid           [parts]amount
}

// The parts of the budgets that a record can be charged to.
const (
	ownFree = iota
	ownCredit
	ownReserve
	fairFree
	poolFree
	poolCredit
	fairReserve
	poolReserve
	parts

	nothing = -1
)

var batches = sync.Pool{New: func() any { return new(Batch) }}

// Begin begins a batch, and locks the guard until Decided. Now is the time since any one moment.
func (g *Guard) Begin(now time.Duration) *Batch {
	b := batches.Get().(*Batch)
	g.mu.Lock()
	g.advance(now)
	g.batches++
	*b = Batch{g: g, number: g.batches, touches: b.touches[:0], at: nothing}
	return b
}

// Admit decides about a record of size bytes: whether it passes or is shed or, of a guard that holds, whether it keeps the
// batch from being held. Reserved says whether the record is one that the reserve is for, and is asked only where that makes
// a difference; nil says no.
func (b *Batch) Admit(key Key, size int, reserved func() bool) bool {
	if b.at == nothing || key != b.last {
		b.touch(key)
	}
	t := &b.touches[b.at]
	t.received.add(1, uint64(size))
	if b.g.cfg.Hold && b.over {
		return false // all of it goes back
	}
	asked, isReserved := false, false
	ask := func() bool {
		if !asked && reserved != nil {
			isReserved = reserved()
		}
		asked = true
		return isReserved
	}
	own := t.s.own.part(t.openOwn, ask)
	if own == nothing {
		t.over[RateRecords+short(&t.s.own.free)]++
		b.over = true
		return false
	}
	from := nothing
	if b.g.hasTotal {
		if from = b.g.part(t.s, t.openTotal, ask); from == nothing {
			b.g.lacks(t.s)
			t.over[TotalRecords+short(&t.s.fair.free)]++
			b.over = true
			return false
		}
	}
	cost := amount{1, float64(size)}
	b.g.pay(t, own, cost)
	if from != nothing {
		b.g.pay(t, from, cost)
	}
	t.kept.add(1, uint64(size))
	return true
}

// short says which of an exhausted budget's two is short: 0 for records, 1 for bytes.
func short(a *amount) Limit {
	if a[inRecords] > 0 {
		return inBytes
	}
	return inRecords
}

// part returns what a record is charged to.
func (b *bucket) part(open bool, reserved func() bool) int {
	switch {
	case open || b.free.positive():
		return ownFree
	case b.credit.positive():
		return ownCredit
	case b.reserve.positive() && reserved():
		return ownReserve
	}
	return nothing
}

// part returns which part of the total a source's record is charged to.
func (g *Guard) part(s *source, open int, reserved func() bool) int {
	switch {
	case open != nothing:
		return open
	case s.fair.free.positive():
		return fairFree
	case g.pool.free.positive():
		return poolFree
	case g.pool.credit.positive():
		return poolCredit
	case s.fair.reserve.positive() && reserved():
		return fairReserve
	case g.pool.reserve.positive() && reserved():
		return poolReserve
	}
	return nothing
}

// touch looks the key's source up, and fills its budgets if the batch has not yet.
func (b *Batch) touch(key Key) {
	g := b.g
	s := g.find(key)
	b.last = key
	if s == g.newcomers {
		b.stateless++
	}
	if s.batch == b.number {
		b.at = s.touch
		return
	}
	g.fill(s)
	s.latest = g.now
	s.visits++
	s.pending++
	s.batch, s.touch, b.at = b.number, len(b.touches), len(b.touches)
	if len(b.touches) < cap(b.touches) {
		b.touches = b.touches[:len(b.touches)+1]
	} else {
		b.touches = append(b.touches, touch{})
	}
	b.touches[b.at] = touch{s: s, openTotal: nothing}
	if g.cfg.Hold {
		// A batch is held or passes as a whole. One that is larger than a budget would never pass otherwise.
		t := &b.touches[b.at]
		t.openOwn = s.own.free.positive()
		switch {
		case s.fair.free.positive():
			t.openTotal = fairFree
		case g.pool.free.positive():
			t.openTotal = poolFree
		}
	}
}

// pay charges a part of the budgets, and notes it for a refund.
func (g *Guard) pay(t *touch, part int, cost amount) {
	t.paid[part].add(cost, 1)
	g.budget(t.s, part).add(cost, -1)
}

// budget returns a part of the budgets that a source's records are charged to.
func (g *Guard) budget(s *source, part int) *amount {
	switch part {
	case ownFree:
		return &s.own.free
	case ownCredit:
		return &s.own.credit
	case ownReserve:
		return &s.own.reserve
	case fairFree:
		return &s.fair.free
	case fairReserve:
		return &s.fair.reserve
	case poolFree:
		return &g.pool.free
	case poolCredit:
		return &g.pool.credit
	}
	return &g.pool.reserve
}

// Decided ends the decisions and unlocks the guard. It returns how many records passed, and how many are above a limit: of a
// guard that holds, all of the batch or none.
func (b *Batch) Decided() (kept, over uint64) {
	defer b.g.mu.Unlock()
	for i := range b.touches {
		t := &b.touches[i]
		kept += t.kept.Records
		over += t.received.Records - t.kept.Records
		if b.over && b.g.cfg.Hold {
			b.g.refund(t)
		}
	}
	if b.over && b.g.cfg.Hold {
		return 0, kept + over
	}
	return kept, over
}

// Settle counts the batch if accepted: the next consumer has taken the records that passed, or the receiver was told to
// hold them. Otherwise the records will come again, and the batch never was. At is the time of day.
//
// It returns whether a source has begun to shed or to hold.
func (b *Batch) Settle(accepted bool, at time.Time) (begun bool) {
	g := b.g
	g.mu.Lock()
	for i := range b.touches {
		t := &b.touches[i]
		t.s.pending--
		if !accepted {
			g.refund(t)
			continue
		}
		begun = g.count(t, b.over && g.cfg.Hold, at) || begun
	}
	if accepted {
		g.stats.WithoutState += b.stateless
	}
	g.mu.Unlock()
	if begun {
		select {
		case g.begun <- struct{}{}:
		default:
		}
	}
	for i := range b.touches {
		b.touches[i].s = nil // a source that is forgotten is not kept from the garbage collector
	}
	b.last = Key{}
	if cap(b.touches) <= maxPooled {
		batches.Put(b)
	}
	return begun
}

// maxPooled is how many touches a batch that waits for its next use may hold on to.
const maxPooled = 4096

// refund gives back what a batch has paid.
func (g *Guard) refund(t *touch) {
	for part, paid := range t.paid {
		if paid != (amount{}) && (part < fairFree || g.hasTotal) {
			g.budget(t.s, part).add(paid, 1)
		}
	}
	t.paid = [parts]amount{}
}
