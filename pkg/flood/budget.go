// SPDX-License-Identifier: Apache-2.0

package flood

import "time"

// Rate is what may pass in the long run, and at once.
type Rate struct {
	Records float64       // a second; 0: no limit
	Bytes   float64       // a second, of the records' OTLP encoding; 0: no limit
	Burst   time.Duration // how many seconds' worth may pass at once
}

// amount is a number of records and of bytes. It is no array: the compiler keeps those in memory, and each record would wait for it.
type amount struct{ records, bytes float64 }

func (a *amount) add(b amount, times float64) {
	a.records += b.records * times
	a.bytes += b.bytes * times
}

func (a *amount) take(b amount) {
	a.records -= b.records
	a.bytes -= b.bytes
}

func (a amount) less(b amount) amount { return amount{a.records - b.records, a.bytes - b.bytes} }

// positive says whether there is something left of both.
func (a *amount) positive() bool { return a.records > 0 && a.bytes > 0 }

func (a *amount) isMoreThanHalf(of *amount) bool {
	return 2*a.records > of.records && 2*a.bytes > of.bytes
}

// least lowers a to at most b, and returns what it took off.
func (a *amount) least(b amount) (over amount) {
	if a.records > b.records {
		over.records, a.records = a.records-b.records, b.records
	}
	if a.bytes > b.bytes {
		over.bytes, a.bytes = a.bytes-b.bytes, b.bytes
	}
	return over
}

// unlimited stands for the rate of a limit that is not set. It is finite, so that nothing becomes NaN.
const unlimited = 1e15

func orUnlimited(perSecond float64) float64 {
	if perSecond <= 0 {
		return unlimited
	}
	return perSecond
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

func scaled(a amount, by float64) amount { return amount{a.records * by, a.bytes * by} }

// size is how large a bucket is and how fast it fills.
type size struct {
	rate                        amount
	freeRate, reserveRate       amount
	freeCapacity, resvdCapacity amount
}

func sizeOf(r Rate, reserve float64) size {
	rate := amount{orUnlimited(r.Records), orUnlimited(r.Bytes)}
	s := size{rate: rate, freeRate: scaled(rate, 1-reserve), reserveRate: scaled(rate, reserve)}
	burst := r.Burst.Seconds()
	capacity := func(rate, free, reserve float64) (float64, float64) {
		if rate == unlimited {
			return unlimited, unlimited
		}
		return max(1, free*burst), reserve * burst // less than one record would be none
	}
	s.freeCapacity.records, s.resvdCapacity.records = capacity(rate.records, s.freeRate.records, s.reserveRate.records)
	s.freeCapacity.bytes, s.resvdCapacity.bytes = capacity(rate.bytes, s.freeRate.bytes, s.reserveRate.bytes)
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
