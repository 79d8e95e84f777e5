// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"fmt"
	"sync"
	"time"
)

// pace is how fast the queue fills: what entered it in the last hour, or since the start when that is less. Its unit is
// that of queue_size.
type pace struct {
	mu      sync.Mutex
	began   time.Time
	minute  int64     // the number of the minute that is being counted, since the epoch
	minutes [60]int64 // what entered in each minute, by minute % 60
}

func newPace(now time.Time) *pace { return &pace{began: now, minute: now.Unix() / 60} }

// forward forgets what is an hour ago.
func (p *pace) forward(now time.Time) {
	minute := now.Unix() / 60
	for n := 0; p.minute < minute; n++ {
		if n == len(p.minutes) {
			p.minute = minute
			return
		}
		p.minute++
		p.minutes[p.minute%60] = 0
	}
}

func (p *pace) add(amount int64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forward(now)
	p.minutes[p.minute%60] += amount
}

// perSecond returns the mean of the last hour, 0 when nothing has entered.
func (p *pace) perSecond(now time.Time) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forward(now)
	total := int64(0)
	for _, amount := range p.minutes {
		total += amount
	}
	// The oldest minute is whole, and the newest is not over.
	covered := 59*time.Minute + time.Duration(now.Unix()%60)*time.Second
	covered = max(time.Second, min(covered, now.Sub(p.began)))
	return float64(total) / covered.Seconds()
}

// lasts returns for how long a pace fits into room; false when there is no pace.
func lasts(room int64, perSecond float64) (time.Duration, bool) {
	if perSecond <= 0 {
		return 0, false
	}
	const longest = 100 * 365 * 24 * time.Hour // a Duration ends at 292 years
	seconds := float64(room) / perSecond
	return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second)), true
}

// inHours is how operators plan for an outage.
func inHours(d time.Duration) string {
	switch hours := d.Hours(); {
	case hours < 1:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case hours < 10:
		return fmt.Sprintf("%.1f hours", hours)
	default:
		return fmt.Sprintf("%.0f hours", hours)
	}
}
