// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// updateEvery is how often a finding of which there is more is told again.
	updateEvery = time.Minute

	// quiet is how long nothing more of a finding must come for what comes then to be another one.
	quiet = 10 * time.Minute

	// keepOpen is how long a finding that nothing can resolve is kept after it was last seen.
	keepOpen = 24 * time.Hour

	// maxCauses bounds the findings of one code that are kept apart, and maxCausesOf those of one stream or peer. What is beyond is one
	// more finding.
	maxCauses   = 1000
	maxCausesOf = 16
)

// causeKey is what is one finding as long as it goes on.
type causeKey struct {
	reason finding.Reason
	stream string // id of the stream; empty where none is concerned
	sub    string // what else tells findings apart: a peer, a seal's number
}

// cause is a finding that is open, or was before flush looked at it.
type cause struct {
	key       causeKey
	serial    uint64 // in the order in which they came
	event     Event  // as it was told last
	told      bool
	remaining uint64 // records or seals that it is on now
	counted   uint64 // of these, in Stats.Found
	changed   bool   // since it was told
	touched   bool   // in causes.touched

	last, toldAt time.Duration // when there was more of it, when it was told
}

// causes are the findings that are open.
type causes struct {
	current map[causeKey]*cause
	open    map[*cause]struct{} // current ones, and those that came to an end but are not resolved
	uids    map[string]bool     // of the open ones
	byCode  map[finding.Code]int
	byOwner map[ownerKey]int
	touched []*cause
	serial  uint64 // of the next; 0 is none
	found   map[finding.Code]uint64
	dirty   bool // changed since they were saved
}

type ownerKey struct {
	code   finding.Code
	stream string
}

func newCauses() causes {
	return causes{
		serial: 1, current: map[causeKey]*cause{}, open: map[*cause]struct{}{}, uids: map[string]bool{}, byCode: map[finding.Code]int{}, byOwner: map[ownerKey]int{}, found: map[finding.Code]uint64{},
	}
}

// subject is what a finding is on.
type subject struct {
	stream *stream // nil if none
	sub    string
	from   Peer
	detail finding.Detail

	handle      string // of records; empty otherwise
	first, last uint64 // their numbers
	count       uint64 // 0 if the records or seals themselves say it
}

// add notes that n more are concerned, and returns the finding for a later retract.
func (w *Watcher) add(reason finding.Reason, s subject) *cause {
	n := s.count
	switch {
	case n > 0:
	case s.handle != "":
		n = s.last - s.first + 1
	case s.detail.Seals.Any:
		n = s.detail.Seals.Last - s.detail.Seals.First + 1
	default:
		n = 1
	}
	c := w.cause(reason, &s)
	c.remaining += n
	c.last = w.clock
	c.changed = true
	c.event.Finding.Count = max(c.event.Finding.Count, c.remaining)
	c.event.LastSeen, c.event.Peer = w.now, s.from
	if st := s.stream; st != nil {
		c.event.Host = st.host
		if st.head != nil {
			c.event.EventTime = st.head.time
		}
	}
	c.evidence(&s, n)
	w.touch(c)
	return c
}

// cause finds or makes the finding that a subject belongs to.
func (w *Watcher) cause(reason finding.Reason, s *subject) *cause {
	key := causeKey{reason: reason, sub: s.sub}
	if s.stream != nil {
		key.stream = s.stream.id
	}
	code := reason.Code()
	if c := w.causes.current[key]; c != nil {
		if c.last+quiet >= w.clock || w.full(code, key.stream) {
			return c
		}
		delete(w.causes.current, key) // what was is another story; it stays open
	} else if w.full(code, key.stream) {
		key.sub = "…"
		if w.causes.byCode[code] >= maxCauses {
			key.stream = ""
		}
		if c := w.causes.current[key]; c != nil {
			return c
		}
	}
	f := finding.New(reason)
	f.Detail, f.Count = s.detail, 0
	f.Place.File = s.from.Address
	c := &cause{key: key, serial: w.causes.serial, event: Event{FirstSeen: w.now, StreamID: key.stream}}
	if key.stream != "" {
		f.Stream = s.stream.name()
	}
	if s.handle != "" {
		f.SetIDs(s.handle, s.first, s.last)
		f.Count = 0
	}
	c.event.Finding = f
	c.event.UID = w.uid(key, s)
	w.enlist(c)
	return c
}

// enlist takes up a finding.
func (w *Watcher) enlist(c *cause) {
	w.causes.current[c.key] = c
	w.enlistOld(c)
}

// enlistOld takes up a finding that has come to an end and is not resolved.
func (w *Watcher) enlistOld(c *cause) {
	cs := &w.causes
	cs.serial = max(cs.serial, c.serial) + 1
	cs.dirty = true
	cs.open[c] = struct{}{}
	cs.uids[c.event.UID] = true
	cs.byCode[c.key.reason.Code()]++
	cs.byOwner[ownerKey{c.key.reason.Code(), c.key.stream}]++
}

func (w *Watcher) full(code finding.Code, stream string) bool {
	return w.causes.byCode[code] >= maxCauses || stream != "" && w.causes.byOwner[ownerKey{code, stream}] >= maxCausesOf
}

// uid is what a finding is known by: the same when it is found again by a watcher that has forgotten it.
func (w *Watcher) uid(key causeKey, s *subject) string {
	h := sha256.New()
	fmt.Fprintf(h, "logseal finding\x00%s\x00%s\x00%s\x00", key.reason, key.stream, key.sub)
	switch {
	case s.handle != "":
		fmt.Fprintf(h, "%s-%d", s.handle, s.first)
	case s.detail.Seals.Any:
		fmt.Fprintf(h, "seal %d", s.detail.Seals.First)
	default:
		fmt.Fprint(h, w.now.UnixNano())
	}
	id := hex.EncodeToString(h.Sum(nil)[:16])
	if w.causes.uids[id] { // an earlier one began with the same record, and is open yet
		fmt.Fprintf(h, "\x00%d", w.causes.serial)
		id = hex.EncodeToString(h.Sum(nil)[:16])
	}
	return id
}

// evidence notes which records or seals.
func (c *cause) evidence(s *subject, n uint64) {
	list := c.event.Evidence
	switch {
	case s.handle != "":
		for i := range list {
			if list[i].join(s.handle, s.first, s.last) {
				if i == 0 {
					count := c.event.Finding.Count
					c.event.Finding.SetIDs(s.handle, list[0].first, list[0].last)
					c.event.Finding.Count = count
				}
				return
			}
		}
		if len(list) < MaxEvidence {
			c.event.Evidence = append(list, newEvidence(s.handle, s.first, s.last))
		}
	case s.detail.Seals.Any:
		e := Evidence{Seals: s.detail.Seals, Count: n}
		if len(list) < MaxEvidence && !slices.Contains(list, e) {
			c.event.Evidence = append(list, e)
		}
	}
}

func newEvidence(handle string, first, last uint64) Evidence {
	return Evidence{
		FirstID: seal.ID{Handle: handle, Seq: first}.String(), LastID: seal.ID{Handle: handle, Seq: last}.String(), Count: last - first + 1,
		handle: handle, first: first, last: last,
	}
}

// join takes in records that are in the run already or go on where it ends, and reports whether they do.
func (e *Evidence) join(handle string, first, last uint64) bool {
	switch {
	case e.handle != handle || first < e.first || first > e.last+1:
		return false
	case last > e.last:
		*e = newEvidence(handle, e.first, last)
	}
	return true
}

// retract notes that n are not concerned any more.
func (w *Watcher) retract(c *cause, n uint64) {
	if c == nil || n == 0 {
		return
	}
	c.remaining -= min(n, c.remaining)
	c.changed = true
	w.touch(c)
}

func (w *Watcher) touch(c *cause) {
	w.causes.dirty = true
	if !c.touched {
		c.touched = true
		w.causes.touched = append(w.causes.touched, c)
	}
}

// flush makes events of what has changed since the last.
func (w *Watcher) flush() (events []Event) {
	list := w.causes.touched
	w.causes.touched = nil
	for _, c := range list {
		c.touched = false
		if c.remaining > c.counted {
			w.causes.found[c.key.reason.Code()] += c.remaining - c.counted
			c.counted = c.remaining
		}
		switch {
		case c.remaining == 0:
			w.forget(c)
			if c.told {
				events = append(events, w.tell(c, Resolved))
			}
		case !c.told:
			events = append(events, w.tell(c, Opened))
		}
	}
	return events
}

// contribution is how many records or seals somebody has added to a finding, and may take back.
type contribution struct {
	cause *cause
	n     uint64
}

// contributions are those to findings of one kind: there are several where much time lay between them.
type contributions []contribution

func (cs *contributions) add(c *cause, n uint64) {
	for i := range *cs {
		if (*cs)[i].cause == c {
			(*cs)[i].n += n
			return
		}
	}
	*cs = append(*cs, contribution{c, n})
}

// takeBack withdraws n of what was added to findings.
func (w *Watcher) takeBack(cs *contributions, n uint64) {
	for n > 0 && len(*cs) > 0 {
		first := &(*cs)[0]
		some := min(n, first.n)
		w.retract(first.cause, some)
		n -= some
		if first.n -= some; first.n == 0 {
			*cs = (*cs)[1:]
		}
	}
	if len(*cs) == 0 {
		*cs = nil
	}
}

// takeAllBack withdraws all that was added to findings.
func (w *Watcher) takeAllBack(cs *contributions) { w.takeBack(cs, math.MaxUint64) }

// id returns what parts of the state name a finding by; 0 for none.
func (c *cause) id() uint64 {
	if c == nil {
		return 0
	}
	return c.serial
}

// tell makes the event of a finding.
func (w *Watcher) tell(c *cause, state State) Event {
	c.told, c.changed, c.toldAt = true, false, w.clock
	w.causes.dirty = true
	c.event.State, c.event.Time = state, w.now
	e := c.event
	e.Evidence = slices.Clone(e.Evidence)
	return e
}

func (w *Watcher) forget(c *cause) {
	if _, open := w.causes.open[c]; !open {
		return
	}
	w.causes.dirty = true
	delete(w.causes.open, c)
	delete(w.causes.uids, c.event.UID)
	if w.causes.current[c.key] == c {
		delete(w.causes.current, c.key)
	}
	code := c.key.reason.Code()
	w.causes.byCode[code]--
	owner := ownerKey{code, c.key.stream}
	if w.causes.byOwner[owner]--; w.causes.byOwner[owner] <= 0 {
		delete(w.causes.byOwner, owner)
	}
}

// update tells findings again of which there is more, and forgets old ones.
func (w *Watcher) update() (events []Event) {
	for _, c := range w.sortedCauses() {
		switch {
		case c.changed && c.toldAt+updateEvery <= w.clock:
			events = append(events, w.tell(c, Updated))
		case c.key.reason != finding.HeartbeatMissed && c.last+keepOpen <= w.clock:
			w.forget(c)
		}
	}
	return events
}

// sortedCauses returns the open findings in the order in which they came.
func (w *Watcher) sortedCauses() []*cause {
	list := make([]*cause, 0, len(w.causes.open))
	for c := range w.causes.open {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *cause) int { return cmp.Compare(a.serial, b.serial) })
	return list
}
