// SPDX-License-Identifier: Apache-2.0

// Package watch verifies streams that never end: the rules of docs/stamp-format.md, section 8, and the table of package finding,
// with the memory of somebody who stands beside the stream instead of that of an auditor who has the whole archive.
//
// Of each stream it keeps the head of its chain, the sessions that may still settle records, what was settled and has not been
// seen, and what was seen and has not been settled. All of that is bounded, whatever a sender writes; what falls out of memory is
// UNCHECKED, and never MISSING.
//
//	w, err := watch.New(watch.Config{Trust: trust, LateAfter: 30 * time.Second, SilentAfter: 3 * time.Minute})
//	err = w.Load(read, now)                 // what Save returned before, if there is any
//	write(w.Save(false))                    // from now on a kill is told from an orderly end
//	events := w.Observe(logs, peer, now)    // records and seals as they come
//	events = append(events, w.Tick(now)...) // about once a second
//	write(w.Save(false))                    // about once a second, and after events
//
// Time is the caller's clock, given with each call; the hosts' clocks decide nothing.
package watch
