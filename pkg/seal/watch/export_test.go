// SPDX-License-Identifier: Apache-2.0

package watch

import "github.com/logseal/logseal/pkg/seal"

// Settling is how long a record waits before a state holds it.
const Settling = settling

// Concerned returns how many records or seals each open finding is on now, by its UID. Events say how many there have been.
func (w *Watcher) Concerned() map[string]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	concerned := map[string]uint64{}
	for c := range w.causes.open {
		concerned[c.event.UID] = c.remaining
	}
	return concerned
}

// Waiting returns the records that a seal may still settle and that no finding is on, by handle.
func (w *Watcher) Waiting() map[string]seal.Ranges {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := map[string]seal.Ranges{}
	for _, st := range w.streams {
		for _, ss := range st.sessions {
			for p := ss.handle.oldest; p != nil; p = p.next {
				p.seqs(p.waiting()&^p.told, func(seq uint64, _ int) {
					if !ss.settled.Contains(seq) && ss.fate(seq) == "" {
						waiting[ss.handle.name] = waiting[ss.handle.name].Add(seal.Range{First: seq, Last: seq})
					}
				})
			}
		}
	}
	return waiting
}

// Strangers returns the handles of the records whose sessions are not known.
func (w *Watcher) Strangers() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for h := range w.strangers.handles {
		names = append(names, h.name)
	}
	return names
}
