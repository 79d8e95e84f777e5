// SPDX-License-Identifier: Apache-2.0

package watch

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

// Strangers returns the handles of the records whose sessions are not known.
func (w *Watcher) Strangers() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for h := range w.strangers.handles {
		names = append(names, h.name)
	}
	return names
}
