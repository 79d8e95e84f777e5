// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"crypto/x509"
	"time"

	"github.com/logseal/logseal/pkg/seal"
)

// AddTrust trusts further streams from now on, without a restart. Of a stream that was learned the operator vouches from now on. Streams
// of which seals have passed already cannot be verified: their first seals are gone. A stream that is not in the list stays trusted
// until the next start.
func (w *Watcher) AddTrust(list []seal.Trust, now time.Time) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceClock(now)
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

// SetRoots replaces [Config.Roots] from now on, without a restart. A stream that one of the CAs of before has vouched for stays
// trusted: what follows its first seal rests on its own keys.
func (w *Watcher) SetRoots(roots *x509.CertPool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.config.Roots = roots
}
