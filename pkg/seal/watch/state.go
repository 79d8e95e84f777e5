// SPDX-License-Identifier: Apache-2.0

package watch

import "time"

// Part is a piece of the state, under a key of its own, for a key-value store.
type Part struct {
	Key   string // of a-z, 0-9 and "/"
	Value []byte // nil to delete the key
}

// Save returns the parts of the state that have changed since the last Save: to be written in one transaction. last says that
// nothing will be observed any more; after that a restart goes on as if there had been none. Without it what came after the last Save is
// not known to a restart, and what is missing there is UNCHECKED.
func (w *Watcher) Save(last bool) []Part { return nil }

// Load takes up the state that Saves have written, before the first Observe. read returns the value of a key, nil if there is none. State
// that cannot be read is an error, and the watcher is as new.
func (w *Watcher) Load(read func(key string) ([]byte, error), now time.Time) error { return nil }
