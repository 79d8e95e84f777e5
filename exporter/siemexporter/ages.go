// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"sync"
	"time"
)

// ages knows the age of the requests that left the queue and were not delivered yet. The queue is first in, first out, so
// the oldest of them is older than what is still in it. The first record stands for its request: nothing here costs per
// record.
type ages struct {
	mu sync.Mutex
	// attempts are requests of which an attempt is under way, and waiting those that wait for the next one, by the time
	// at which their first record was observed. A request comes back as another call, and is recognized by that time.
	attempts, waiting map[time.Time]int
}

func newAges() *ages {
	return &ages{attempts: map[time.Time]int{}, waiting: map[time.Time]int{}}
}

// begin is called before an attempt.
func (a *ages) begin(observed time.Time) {
	if observed.IsZero() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	take(a.waiting, observed)
	a.attempts[observed]++
}

// end is called after an attempt that begin was told of. remaining is when the first record was observed of what waits
// for the next one, the zero time for nothing.
func (a *ages) end(observed, remaining time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	take(a.attempts, observed)
	if !remaining.IsZero() {
		a.waiting[remaining]++
	}
}

func take(counts map[time.Time]int, key time.Time) {
	switch counts[key] {
	case 0:
	case 1:
		delete(counts, key)
	default:
		counts[key]--
	}
}

// oldest returns the age of the oldest record, 0 when there is none.
func (a *ages) oldest(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	age := time.Duration(0)
	for _, counts := range []map[time.Time]int{a.attempts, a.waiting} {
		for observed := range counts {
			age = max(age, now.Sub(observed))
		}
	}
	return age
}
