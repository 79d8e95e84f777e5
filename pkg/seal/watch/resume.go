// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// resumption is what is known of a stream's seals since a restart that nobody was prepared for. What came between the last Save and the end is
// not known, and is not missing. When that was over, only the host's uptime in its seals tells: a seal that was made some time after the
// restart covers nothing that came before it.
type resumption struct {
	away  time.Duration // how long before the restart the last seal had come
	until time.Duration // uptime up to which a seal may cover what came then; 0 while no seal has come since
	boot  [16]byte      // that this uptime is of

	// A host that catches up sends in a moment what it has made in minutes. It has caught up once its uptime goes on no faster than
	// the watcher's clock.
	from, at time.Duration // uptime and clock, to measure that

	overran bool // until was extended because the host had made no seal for long
}

// mayCover reports whether a seal may cover what came while nobody watched.
func (r *resumption) mayCover(s *seal.Seal) bool { return s.BootID == r.boot && s.Uptime <= r.until }

// resume is called with the authentic seals after such a restart, in their order.
func (w *Watcher) resume(st *stream, n *note) {
	if !st.resumed {
		return
	}
	s, r, late := n.Seal, &st.after, w.config.LateAfter
	before := st.head
	switch {
	case r.until == 0 || s.BootID != r.boot:
		r.boot = s.BootID
		r.extend(n, late)
	case s.Uptime-r.from > n.at-r.at+late:
		r.extend(n, late) // it catches up
	case s.Uptime <= r.until:
	case !r.overran && before != nil && before.boot == s.BootID && before.uptime <= r.until && s.Uptime-before.uptime > late:
		r.overran = true
		r.extend(n, late)
	default:
		st.resumed = false
	}
}

func (r *resumption) extend(n *note, late time.Duration) {
	r.from, r.at = n.Seal.Uptime, n.at
	r.until = n.Seal.Uptime + r.away + late
}

// besideUnwatched reports whether seals below or above a number may have come while nobody watched, so that it cannot be authenticated.
func (st *stream) besideUnwatched(number uint64) bool {
	for _, g := range st.gaps {
		if g.unwatched && g.low.number < number && number < g.upper.Seal.Number {
			return true
		}
	}
	return false
}
