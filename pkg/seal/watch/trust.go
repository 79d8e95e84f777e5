// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// SetTrust replaces [Config.Trust] from now on, without a restart. Of a stream that was learned the operator vouches from now on. Streams
// of which seals have passed already cannot be verified: their first seals are gone. A stream that is not in the list any more is one that
// nobody knows, and what was known of it is forgotten, with its findings. Those stay that were learned or that a certificate vouched for.
func (w *Watcher) SetTrust(list []seal.Trust, now time.Time) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceClock(now)
	listed := map[string]bool{}
	for _, t := range list {
		listed[t.StreamID()] = true
	}
	for _, st := range w.sortedStreams() {
		if !listed[st.id] && !st.learned && st.endorsed == "" {
			w.untrust(st)
		}
	}
	for _, t := range list {
		st := w.streams[t.StreamID()]
		if st == nil {
			w.trust(t)
			continue
		}
		if st.learned || st.endorsed != "" || st.trust.Name != t.Name {
			w.names[st.trust.Name]--
			w.names[t.Name]++
			st.trust, st.learned, st.endorsed, st.dirty = t, false, "", true
		}
	}
	for _, st := range w.streams {
		st.twin = w.names[st.trust.Name] > 1
	}
	w.dropStrayFindings() // what was unknown is known
	return w.flush()
}

// untrust forgets a stream.
func (w *Watcher) untrust(st *stream) {
	for _, ss := range st.sessions {
		for _, list := range ss.groups { // nobody asks what they lack
			for _, g := range slices.Clone(list) {
				if !g.dropped {
					w.dropGroup(g)
				}
			}
		}
		w.dropSession(ss)
	}
	for _, name := range st.former {
		delete(w.former, name)
	}
	w.heldBytes -= st.heldBytes
	delete(w.streams, st.id)
	if w.names[st.trust.Name]--; w.names[st.trust.Name] <= 0 {
		delete(w.names, st.trust.Name)
	}
	if w.saved[st.id] {
		delete(w.saved, st.id)
		w.gone = append(w.gone, st.id)
	}
}

// SetRoots replaces [Config.Roots] from now on, without a restart. A stream that one of the CAs of before has vouched for stays
// trusted: what follows its first seal rests on its own keys.
func (w *Watcher) SetRoots(roots *x509.CertPool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.config.Roots = roots
}
