// SPDX-License-Identifier: Apache-2.0

package flood

import (
	"sync"
	"time"
)

// Batch is one decision about the records of one request: Begin, Admit for each record, Decided, and Settle when it is known
// whether the next consumer has taken those that were admitted.
type Batch struct {
	g        *Guard
	number   uint64
	touches  []touch
	payments []payment
	kept     uint64
	over     uint64 // records above a limit and, of a guard that holds, all that came after one
	last     Key    // of the record before, and its place in touches: records of a source come one after the other
	at       int
}

// touch is what a batch did with a source. It is small, for a batch of mixed sources has as many touches as records. What was kept is
// paid from ownFree and fairFree, but for what the payments say.
type touch struct {
	s              *source
	received, kept Count
	over           [TotalBytes + 1]uint32
	openOwn        bool // the batch may overdraw this budget
	openTotal      int8 // likewise: the part of the total, or nothing
}

// payment is what a source of a batch, by its place in touches, has paid from another part of the budgets.
type payment struct {
	touch, part int
	cost        amount
}

// The parts of the budgets that a record can be charged to.
const (
	ownFree = iota
	fairFree
	ownCredit
	ownReserve
	poolFree
	poolCredit
	fairReserve
	poolReserve

	nothing = -1
)

var batches = sync.Pool{New: func() any { return new(Batch) }}

// Begin begins a batch, and locks the guard until Decided. Now is the time since any one moment.
func (g *Guard) Begin(now time.Duration) *Batch {
	b := batches.Get().(*Batch)
	g.mu.Lock()
	g.advance(now)
	g.batches++
	*b = Batch{g: g, number: g.batches, touches: b.touches[:0], payments: b.payments[:0], at: nothing}
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
	if b.held() {
		b.over++
		return false // all of it goes back
	}
	cost := amount{1, float64(size)}
	// Nearly every record has room in both budgets, and only what is asked for it here.
	if s := t.s; s.own.free.positive() && b.g.hasTotal && s.fair.free.positive() {
		s.own.free.take(cost)
		s.fair.free.take(cost)
		t.kept.add(1, uint64(size))
		b.kept++
		return true
	}
	return b.admit(t, cost, reserved)
}

// admit decides about a record for which there may be no room.
func (b *Batch) admit(t *touch, cost amount, reserved func() bool) bool {
	asked, isReserved := false, false
	ask := func() bool {
		if !asked && reserved != nil {
			isReserved = reserved()
		}
		asked = true
		return isReserved
	}
	own := t.s.own.part(t.openOwn, ask)
	if own == nothing && b.g.fillLate(t.s) {
		own = t.s.own.part(t.openOwn, ask)
	}
	if own == nothing {
		t.over[RateRecords+short(&t.s.own.free)]++
		b.over++
		return false
	}
	from := nothing
	if b.g.hasTotal {
		from = b.g.part(t.s, t.openTotal, ask)
		if from == nothing && b.g.fillLate(t.s) {
			from = b.g.part(t.s, t.openTotal, ask)
		}
		if from == nothing {
			b.g.lacks(t.s)
			t.over[TotalRecords+short(&t.s.fair.free)]++
			b.over++
			return false
		}
	}
	b.pay(t, own, cost)
	if from != nothing {
		b.pay(t, from, cost)
	}
	t.kept.add(1, uint64(cost.bytes))
	b.kept++
	return true
}

// short says which of an exhausted budget's two is short: 0 for records, 1 for bytes.
func short(a *amount) Limit {
	if a.records > 0 {
		return 1
	}
	return 0
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
func (g *Guard) part(s *source, open int8, reserved func() bool) int {
	switch {
	case open != nothing:
		return int(open)
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
	if s.batch == b.number {
		b.at = int(s.touch)
		return
	}
	g.fill(s)
	s.latest = g.now
	s.again = s.batch != 0
	s.pending++
	b.at = len(b.touches)
	s.batch, s.touch = b.number, int32(b.at)
	if len(b.touches) < cap(b.touches) {
		b.touches = b.touches[:len(b.touches)+1]
	} else {
		b.touches = append(b.touches, touch{})
	}
	t := &b.touches[b.at]
	*t = touch{s: s, openTotal: nothing}
	if g.cfg.Hold {
		// A batch is held or passes as a whole. One that is larger than a budget would never pass otherwise.
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
func (b *Batch) pay(t *touch, part int, cost amount) {
	b.g.budget(t.s, part).take(cost)
	if part <= fairFree {
		return
	}
	if n := len(b.payments); n > 0 && b.payments[n-1].touch == b.at && b.payments[n-1].part == part {
		b.payments[n-1].cost.add(cost, 1)
		return
	}
	b.payments = append(b.payments, payment{b.at, part, cost})
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
	if b.held() {
		b.refund()
		return 0, b.kept + b.over
	}
	return b.kept, b.over
}

// held says whether all of the batch goes back.
func (b *Batch) held() bool { return b.over > 0 && b.g.cfg.Hold }

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
		if accepted {
			begun = g.count(t, b.held(), at) || begun
		}
	}
	if !accepted && !b.held() {
		b.refund()
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
	if cap(b.touches) <= maxPooled && cap(b.payments) <= maxPooled {
		batches.Put(b)
	}
	return begun
}

// maxPooled is how many touches and payments a batch that waits for its next use may hold on to.
const maxPooled = 4096

// refund gives back what the batch has paid.
func (b *Batch) refund() {
	for i := range b.touches {
		t := &b.touches[i]
		paid := amount{float64(t.kept.Records), float64(t.kept.Bytes)}
		t.s.own.free.add(paid, 1)
		if b.g.hasTotal {
			t.s.fair.free.add(paid, 1)
		}
	}
	for _, p := range b.payments {
		s := b.touches[p.touch].s
		b.g.budget(s, p.part).add(p.cost, 1)
		if p.part == ownCredit || p.part == ownReserve {
			s.own.free.take(p.cost)
		} else {
			s.fair.free.take(p.cost)
		}
	}
}
