// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"errors"
	"sync"
	"sync/atomic"
)

// The reasons for which senders are not taken.
const (
	accepting = iota // the listener or its socket fails
	room             // max_connections are open
	files            // the certificates on disk cannot be used; older ones are
	reasons
)

// health joins the reasons into one report.
type health struct {
	report func(error)

	bad [reasons]atomic.Bool // read for every datagram
	mu  sync.Mutex
	why [reasons]error
}

// set notes that a reason begins, goes on or, with nil, ends.
func (h *health) set(reason int, err error) {
	if err == nil && !h.bad[reason].Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.why[reason] = err
	h.bad[reason].Store(err != nil)
	h.report(errors.Join(h.why[:]...))
}
