// SPDX-License-Identifier: Apache-2.0

package flood

import (
	"math"
	"time"
)

// Rate is what may pass in the long run, and at once.
type Rate struct {
	Records float64       // a second; 0: no limit
	Bytes   float64       // a second, of the records' OTLP encoding; 0: no limit
	Burst   time.Duration // how many seconds' worth may pass at once
}

// amount is a number of records and of bytes.
type amount [2]float64

const (
	inRecords = iota
	inBytes
)

func (a *amount) add(b amount, times float64) {
	a[inRecords] += b[inRecords] * times
	a[inBytes] += b[inBytes] * times
}

// positive says whether there is something left of both.
func (a *amount) positive() bool { return a[inRecords] > 0 && a[inBytes] > 0 }

func (a *amount) isMoreThanHalf(of *amount) bool {
	return 2*a[inRecords] > of[inRecords] && 2*a[inBytes] > of[inBytes]
}

// least lowers a to at most b, and returns what it took off.
func (a *amount) least(b amount) (over amount) {
	// No loop: this is done for every record of a batch that mixes sources.
	if a[inRecords] > b[inRecords] {
		over[inRecords], a[inRecords] = a[inRecords]-b[inRecords], b[inRecords]
	}
	if a[inBytes] > b[inBytes] {
		over[inBytes], a[inBytes] = a[inBytes]-b[inBytes], b[inBytes]
	}
	return over
}

// unlimited stands for the rate of a limit that is not set. It is finite, so that nothing becomes NaN.
const unlimited = 1e15

func perSecond(r Rate) amount {
	a := amount{r.Records, r.Bytes}
	for i := range a {
		if a[i] <= 0 {
			a[i] = unlimited
		}
	}
	return a
}

// bucket is a token bucket of two parts: one for every record, and the reserve, for those that are to be kept. What the
// reserve cannot hold goes to the other, so that a reserve that nobody needs costs nothing.
type bucket struct {
	free, reserve amount
	credit        amount // beyond what the bucket holds, for the time in which nothing could pass
	credited      time.Duration
}

// catchUp is how long a source has to begin to catch up: its credit is for what it wrote while nothing could pass, and ends
// when its bucket is full after that.
const catchUp = 10 * time.Second

// maxStall is the longest time in which nothing could pass that is credited.
const maxStall = 7 * 24 * time.Hour

func (b *bucket) giveCredit(s *size, stalled, now time.Duration) {
	b.credit.add(s.rate, stalled.Seconds())
	b.credit.least(scaled(s.rate, maxStall.Seconds()))
	b.credited = now
}

func (b *bucket) endCredit(now time.Duration) {
	if now-b.credited >= catchUp {
		b.credit = amount{}
	}
}

func scaled(a amount, by float64) amount { return amount{a[0] * by, a[1] * by} }

// size is how large a bucket is and how fast it fills.
type size struct {
	rate                        amount
	freeRate, reserveRate       amount
	freeCapacity, resvdCapacity amount
}

func sizeOf(r Rate, reserve float64) size {
	rate := perSecond(r)
	s := size{rate: rate}
	burst := r.Burst.Seconds()
	for i := range rate {
		s.freeRate[i], s.reserveRate[i] = rate[i]*(1-reserve), rate[i]*reserve
		if rate[i] == unlimited {
			s.freeCapacity[i], s.resvdCapacity[i] = unlimited, unlimited
			continue
		}
		// Less than one record would be none.
		s.freeCapacity[i], s.resvdCapacity[i] = math.Max(1, s.freeRate[i]*burst), s.reserveRate[i]*burst
	}
	return s
}

func fullBucket(s *size) bucket { return bucket{free: s.freeCapacity, reserve: s.resvdCapacity} }

// fill adds what seconds bring. It returns whether the bucket is full.
func (b *bucket) fill(s *size, seconds float64) bool {
	b.reserve.add(s.reserveRate, seconds)
	over := b.reserve.least(s.resvdCapacity)
	b.free.add(s.freeRate, seconds)
	b.free.add(over, 1)
	b.free.least(s.freeCapacity)
	return b.free == s.freeCapacity && b.reserve == s.resvdCapacity
}
