// SPDX-License-Identifier: Apache-2.0

package configreloadextension

import "sync"

// outcome is what became of the last configuration that this process was asked to take.
type outcome struct {
	mu      sync.Mutex
	why     error // why it was refused; nil when it runs
	refused int64
	tell    func(error)
}

// process is this process's: a signal is for a process, whatever runs in it.
var process outcome

func (o *outcome) state() (why error, refused int64) { //nolint:staticcheck // why is a value, not a failure of state
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.why, o.refused
}

// report has tell called with each outcome from now on, and with the last one when that was a refusal. nil ends it.
func (o *outcome) report(tell func(error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell = tell
	if tell != nil && o.why != nil {
		tell(o.why)
	}
}

func (o *outcome) set(why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.why = why
	if why != nil {
		o.refused++
	}
	if o.tell != nil {
		o.tell(why)
	}
}
