// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"bytes"
	"maps"
	"net"
	"slices"

	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// key is what a peer is told apart by: its identity, else its address without the port.
func (p Peer) key() string {
	if p.Identity != "" {
		return p.Identity
	}
	if host, _, err := net.SplitHostPort(p.Address); err == nil {
		return host
	}
	return p.Address
}

// strangers are the handles that no authentic seal knows, by the peer that sent them first: who sends many displaces his own.
type strangers struct {
	handles map[*handle]struct{}
	byPeer  map[string][]*handle // in the order in which they came; some of them are no strangers any more
	lost    map[string]bool      // names of handles of which records were dropped
	lostOld map[string]bool      // the same, of before
	bytes   int                  // in blind records
}

func newStrangers() strangers {
	return strangers{handles: map[*handle]struct{}{}, byPeer: map[string][]*handle{}, lost: map[string]bool{}, lostOld: map[string]bool{}}
}

func (s *strangers) add(h *handle) {
	s.handles[h] = struct{}{}
	key := h.from.key()
	s.byPeer[key] = append(s.byPeer[key], h)
}

// remove takes a handle out that is known now, or forgotten.
func (s *strangers) remove(h *handle) {
	delete(s.handles, h)
	s.bytes -= h.blindBytes
	h.blind, h.blindBytes = nil, 0
}

// forget remembers that records of a handle were dropped, as long as it is not one of very many.
func (s *strangers) forget(name string) {
	if len(s.lost) >= 2*maxHandles {
		s.lostOld, s.lost = s.lost, map[string]bool{}
	}
	s.lost[name] = true
}

func (s *strangers) forgotten(name string) bool { return s.lost[name] || s.lostOld[name] }

// dropStranger forgets some of the oldest handles of the peer that has most.
func (w *Watcher) dropStranger() {
	s := &w.strangers
	peer, most := "", -1
	for key, list := range s.byPeer {
		if len(list) > most {
			peer, most = key, len(list)
		}
	}
	list := s.byPeer[peer]
	drop := max(1, len(list)/8)
	for _, h := range list[:drop] {
		if _, still := s.handles[h]; !still {
			continue
		}
		w.dropHandle(h)
		s.forget(h.name)
	}
	if drop == len(list) {
		delete(s.byPeer, peer)
		return
	}
	s.byPeer[peer] = append([]*handle(nil), list[drop:]...)
}

// dropHandle forgets a handle with all its records.
func (w *Watcher) dropHandle(h *handle) {
	for _, p := range h.pages {
		w.dropLeaves(p)
	}
	for seq := range h.extras {
		w.dropExtras(h, seq)
	}
	if h.session == nil {
		w.strangers.remove(h)
	}
	if w.handles[h.name] == h {
		delete(w.handles, h.name)
	}
	if w.lastHandle == h {
		w.lastHandle = nil
	}
}

// dropLeaves empties a page.
func (w *Watcher) dropLeaves(p *page) {
	p.seqs(p.waiting(), func(_ uint64, slot int) { w.settleLeaf(p, slot, false) })
	p.have, p.done = 0, 0
	if !p.queued && p.handle != nil {
		w.dropPage(p)
	}
}

// strange takes in a record of a handle that no authentic seal knows yet.
func (w *Watcher) strange(h *handle, seq uint64, r *canonical.Record, from Peer) {
	size := len(r.Canonical) + len(r.Source.Encoding)
	if h.orphans == nil && w.strangers.bytes+size <= maxBlind && h.blindBytes+size <= maxBlind/4 {
		h.blind = append(h.blind, blindRecord{seq, canonical.Record{
			Canonical: append([]byte(nil), r.Canonical...), Attributes: r.Attributes, Source: &canonical.Source{Encoding: bytes.Clone(r.Source.Encoding)},
		}})
		h.blindBytes += size
		w.strangers.bytes += size
		return
	}
	if first := w.assume(h, seq, r); first && h.orphans != nil {
		w.orphan(h, seq)
	}
}

// assume digests a record under the usual policy, for want of a better one, and reports whether it is the first of its seq.
func (w *Watcher) assume(h *handle, seq uint64, r *canonical.Record) bool {
	h.assumed, h.named = true, h.named || r.LeavesOut(w.usual)
	leaf := r.Digest(w.usual)
	return w.hold(h, seq, &leaf, h.from)
}

// digestBlind digests what was kept whole, for want of a better policy.
func (w *Watcher) digestBlind(h *handle) {
	list := h.blind
	w.strangers.bytes -= h.blindBytes
	h.blind, h.blindBytes = nil, 0
	for i := range list {
		w.assume(h, list[i].seq, &list[i].Record)
	}
}

// attach gives a session the records that carry its handle.
func (w *Watcher) attach(ss *session, name string) {
	h := w.handles[name]
	switch {
	case h == nil:
		h = &handle{name: name}
		w.handles[name] = h
	case h.session != nil:
		// Another session has the handle. Records answer for that; this one has none.
		ss.handle = &handle{name: name, session: ss}
		return
	}
	ss.handle, h.session = h, ss
	if w.strangers.forgotten(name) {
		ss.lenientUntil = w.clock + w.config.LateAfter
	}
	for _, s := range h.senders {
		w.bind(ss.stream, s.Peer, h.on(s.seq, s.seq, s.Peer))
	}
	h.senders = nil
	w.takeAllBack(&h.orphans)
	w.takeAllBack(&h.rival) // it is known now of which stream they are
	for _, seq := range slices.Sorted(maps.Keys(h.rivals)) {
		s := h.on(seq, seq, h.from)
		s.count = h.rivals[seq]
		h.rival.add(w.add(finding.NotSealedYet, s), s.count)
	}
}

// recognise digests what came of a session before its policy was known.
func (w *Watcher) recognise(ss *session) {
	h := ss.handle
	if _, stranger := w.strangers.handles[h]; !stranger {
		return
	}
	policy := ss.policyOr(w.usual)
	if h.assumed && !policy.Equal(w.usual) && (h.named || !policy.Plain()) {
		w.evictFrom(h, len(h.pages)) // they were digested under another one, and it matters
	}
	list := h.blind
	w.strangers.remove(h)
	for i := range list {
		leaf := list[i].Digest(policy)
		w.record(ss, list[i].seq, &leaf, h.from)
	}
}
