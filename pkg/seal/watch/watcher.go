// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Watcher verifies what it is shown. Its methods may be called from several goroutines; each call is answered under one lock.
type Watcher struct {
	config Config

	mu sync.Mutex
}

// New returns a watcher that has seen nothing yet.
func New(config Config) (*Watcher, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Watcher{config: config}, nil
}

// Observe takes in records and seals that came from a peer, and changes nothing in them. It keeps no part of ld.
func (w *Watcher) Observe(ld plog.Logs, from Peer, now time.Time) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return nil
}

// Skip tells of logs that the caller has no time for: no record in them is verified, and none is missing. It costs a small part of
// Observe, and does not wait for one that goes on: what it tells is looked at by the next call of Observe or Tick.
func (w *Watcher) Skip(ld plog.Logs, from Peer, now time.Time) {}

// Tick lets time pass: what has waited too long is reported. It is to be called about once a second.
func (w *Watcher) Tick(now time.Time) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return nil
}

// Open returns the findings that are open, each as its last event.
func (w *Watcher) Open() []Event { return nil }

// Stats returns figures for metrics.
func (w *Watcher) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Stats{}
}

// Learned returns the streams that were trusted on first use, by name.
func (w *Watcher) Learned() []Learned { return nil }

// Save returns the parts of the state that have changed since the last Save: to be written in one transaction. last says that
// nothing will be observed any more; after that a restart goes on as if there had been none. Without it what came after the last Save is
// not known to a restart, and what is missing there is UNCHECKED.
func (w *Watcher) Save(last bool) []Part { return nil }

// Load takes up the state that Saves have written, before the first Observe. read returns the value of a key, nil if there is none. State
// that cannot be read is an error, and the watcher is as new.
func (w *Watcher) Load(read func(key string) ([]byte, error), now time.Time) error { return nil }
