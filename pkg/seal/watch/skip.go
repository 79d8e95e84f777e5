// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// maxSkipped bounds what the inbox holds of ids, in runs, and of seals, in bytes. Beyond it nothing is said to be missing for a while.
	maxSkipped      = 1 << 16
	maxSkippedSeals = 8 << 20
)

// inbox holds what passed without being looked at, until somebody has time for it.
type inbox struct {
	mu    sync.Mutex
	runs  []skipped
	seals []skippedSeal
	bytes int
	count uint64 // records without an id
	over  bool   // there was more

	hasher canonical.Hasher
}

type skipped struct {
	handle string
	seal.Range
	from Peer
}

type skippedSeal struct {
	body string
	from Peer
}

// Skip tells of logs that the caller has no time for: no record in them is verified, and none is missing; seals are looked at. It costs a
// small part of Observe, and does not wait for one that goes on: what it tells is taken in by the next call of Observe or Tick.
func (w *Watcher) Skip(ld plog.Logs, from Peer) {
	in := &w.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.hasher.Reset()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				id, has, _ := canonical.ReadID(lr.Attributes())
				switch {
				case has:
					in.add(id, from)
				case seal.IsSeal(lr) && readable(&in.hasher, rl, sl, lr) == nil:
					in.addSeal(lr.Body().Str(), from)
				default:
					in.count++
				}
			}
		}
	}
}

func (in *inbox) add(id seal.ID, from Peer) {
	if n := len(in.runs); n > 0 {
		if last := &in.runs[n-1]; last.handle == id.Handle && last.Last+1 == id.Seq {
			last.Last++
			return
		}
	}
	if len(in.runs) >= maxSkipped {
		in.over = true
		in.count++
		return
	}
	in.runs = append(in.runs, skipped{id.Handle, seal.Range{First: id.Seq, Last: id.Seq}, from})
}

func (in *inbox) addSeal(body string, from Peer) {
	if in.bytes+len(body) > maxSkippedSeals {
		in.over = true
		return
	}
	in.bytes += len(body)
	in.seals = append(in.seals, skippedSeal{body, from})
}

// takeInbox takes in what was skipped.
func (w *Watcher) takeInbox() {
	in := &w.inbox
	in.mu.Lock()
	runs, seals, count, over := in.runs, in.seals, in.count, in.over
	in.runs, in.seals, in.bytes, in.count, in.over = nil, nil, 0, 0, false
	in.mu.Unlock()
	if over {
		w.blind = w.clock
	}
	if count > 0 {
		w.records += count
		w.add(finding.NotLookedAt, subject{count: count})
	}
	for _, r := range runs {
		w.records += r.Len()
		if w.former[r.handle] != nil {
			continue
		}
		h := w.handleOf(r.handle, r.from)
		h.skipped = bounded(h.skipped.Add(r.Range))
		w.add(finding.NotLookedAt, h.on(r.First, r.Last, r.from))
		w.retrySkipped(h, r.Range)
	}
	for _, s := range seals {
		w.note(s.body, s.from)
	}
}

// retrySkipped looks again at the groups of records that were not looked at: they are not missing any more.
func (w *Watcher) retrySkipped(h *handle, r seal.Range) {
	ss := h.session
	if ss == nil {
		return
	}
	var last *group
	for seq := r.First; seq <= r.Last && ss.open > 0; seq++ {
		if g := ss.group(seq); g != nil && g != last && g.overdue {
			last = g
			w.try(g)
		}
	}
}
