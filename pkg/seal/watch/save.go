// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
)

// fewest keeps a set small for a part of the state: the highest ranges, and what is below as one.
func fewest(rs seal.Ranges) rangesState {
	if len(rs) > maxSavedRanges {
		rs = slices.Clone(rs[len(rs)-maxSavedRanges:])
		rs[0].First = 0
	}
	return rangesState(rs.String())
}

// Save returns the parts of the state that have changed since the last Save: to be written in one transaction. last says that
// nothing will be observed any more; after that a restart goes on as if there had been none. Without it what came after the last Save is
// not known to a restart, and what is missing there is UNCHECKED. So there is to be a Save after Load, before the first Observe.
func (w *Watcher) Save(last bool) []Part {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []Part
	put := func(key string, value any) {
		data, err := json.Marshal(value)
		if err != nil { // it is of our own making
			panic("watch: " + err.Error())
		}
		parts = append(parts, Part{key, data})
	}
	var ids []string
	changed := last || w.wasLast || !w.indexed
	for _, id := range slices.Sorted(maps.Keys(w.streams)) {
		st := w.streams[id]
		if st.head == nil && !st.learned && st.endorsed == "" && st.heldNotes == 0 {
			continue
		}
		ids = append(ids, id)
		if !w.saved[id] {
			w.saved[id], changed, st.dirty = true, true, true
		}
		if st.dirty || last {
			put(streamKey+id, w.saveStream(st, last))
			st.dirty = false
		}
	}
	for _, id := range w.gone {
		parts = append(parts, Part{Key: streamKey + id})
		changed = true
	}
	w.gone = nil
	if changed {
		index := indexState{Version: stateVersion, Last: last, Streams: ids}
		put(indexKey, index)
		if last {
			put(strangersKey, w.saveStrangers())
		} else if w.wasLast {
			parts = append(parts, Part{Key: strangersKey})
		}
		w.indexed, w.wasLast = true, last
	}
	if w.causes.dirty {
		put(findingsKey, w.saveFindings())
		w.causes.dirty = false
	}
	return parts
}

func (w *Watcher) saveStream(st *stream, last bool) streamState {
	s := streamState{
		Version: stateVersion, Host: st.host, Identity: st.identity, Former: st.former, Heartbeat: st.heartbeat.Milliseconds(), Sealed: st.sealedNow,
		Missing: rangesState(st.missing.String()), Unwatched: rangesState(st.unwatched.String()),
	}
	if st.learned || st.endorsed != "" {
		s.Learned = &learnedState{st.trust.String(), st.when, st.from, st.endorsed}
	}
	if t := st.head; t != nil {
		s.Head = &tipState{t.number, b32(t.hash), b32(t.next), nil, t.size, b32(t.root), t.kind, t.nonce, t.time}
		for _, a := range t.named {
			s.Head.Anchors = append(s.Head.Anchors, anchorState{a.Number, anchor(a.Key)})
		}
	}
	if st.tree != nil {
		s.Tree = &treeState{Size: st.tree.Size()}
		for _, h := range st.tree.Subtrees() {
			s.Tree.Subtrees = append(s.Tree.Subtrees, b32(h))
		}
	}
	for _, m := range st.marks[max(0, len(st.marks)-maxSavedMarks):] {
		s.Marks = append(s.Marks, markState{m.number, b32(m.text), anchor(m.key), m.anchor})
	}
	for _, number := range slices.Sorted(maps.Keys(st.anchors)) {
		s.Anchors = append(s.Anchors, anchorState{number, anchor(st.anchors[number])})
	}
	for _, number := range slices.Sorted(maps.Keys(st.held)) {
		for _, n := range st.held[number] {
			if len(s.Held) < maxSavedNotes {
				s.Held = append(s.Held, heldState{n.body, n.from, n.told})
			}
		}
	}
	for i, ss := range st.sessions {
		s.Sessions = append(s.Sessions, w.saveSession(ss, i > 0 && ss.prior == st.sessions[i-1], last))
	}
	return s
}

func (w *Watcher) saveSession(ss *session, followsPrior, last bool) *sessionState {
	h := ss.handle
	s := &sessionState{
		Handle: h.name, Nonce: ss.nonce, Opened: ss.opened, OpenNumber: ss.openNumber, BootID: ss.bootID, RolledBack: ss.rolledBack,
		First: ss.first, Last: ss.last, FollowsPrior: followsPrior, Began: ss.began, Working: ss.working, Closed: ss.closed, ClosedAt: ss.closedAt, End: ss.end,
		Adopted: ss.adopted, Forgetful: ss.forgetful || len(ss.settled) > maxSavedRanges, Judged: ss.judged,
		Settled: fewest(ss.settled), Void: rangesState(ss.void[max(0, len(ss.void)-maxSavedRanges):].String()), Skipped: fewest(h.skipped),
	}
	if ss.policy != nil {
		s.Exclude, s.ExcludeResource = ss.policy.Names(), ss.policy.ResourceNames()
	}
	for _, number := range slices.Sorted(maps.Keys(ss.groups)) {
		for _, g := range ss.groups[number] {
			if g.seq(0)/leavesAPage == number && len(s.Groups) < maxSavedGroups {
				s.Groups = append(s.Groups, saveGroup(g))
			}
		}
	}
	for p := h.oldest; p != nil; p = p.next {
		if !last && p.at+w.config.LateAfter > w.clock {
			break // what has come just now is not worth its writing
		}
		p.seqs(p.waiting(), func(seq uint64, slot int) {
			for _, leaf := range append([]seal.Hash{p.leaf[slot]}, h.extras[seq]...) {
				if len(s.Leaves) < maxSavedLeaves {
					s.Leaves = append(s.Leaves, leafState{seq, b32(leaf)})
				}
			}
		})
	}
	if last {
		numbers := slices.Sorted(maps.Keys(h.pages))
		for _, number := range slices.Backward(numbers) {
			p := h.pages[number]
			p.seqs(p.done, func(seq uint64, slot int) {
				if len(s.Verified) < maxSavedDone {
					s.Verified = append(s.Verified, leafState{seq, b32(p.leaf[slot])})
				}
			})
		}
	}
	return s
}

func (w *Watcher) saveStrangers() strangersState {
	s := strangersState{Version: stateVersion, Handles: []strangerState{}}
	room := maxSavedLeaves
	for h := range w.strangers.handles {
		one := strangerState{Handle: h.name, From: h.from, Named: h.named}
		for i := range h.blind {
			one.Named = one.Named || h.blind[i].LeavesOut(w.usual)
			one.Leaves = append(one.Leaves, leafState{h.blind[i].seq, b32(h.blind[i].Digest(w.usual))})
		}
		for p := h.oldest; p != nil; p = p.next {
			p.seqs(p.waiting(), func(seq uint64, slot int) {
				for _, leaf := range append([]seal.Hash{p.leaf[slot]}, h.extras[seq]...) {
					one.Leaves = append(one.Leaves, leafState{seq, b32(leaf)})
				}
			})
		}
		switch {
		case len(one.Leaves) <= room:
			room -= len(one.Leaves)
			s.Handles = append(s.Handles, one)
		case len(s.Lost) < maxSavedLost:
			s.Lost = append(s.Lost, h.name)
		}
	}
	return s
}

func saveGroup(g *group) groupState {
	var seqs seal.Ranges
	for i := range int(g.size) {
		seqs = seqs.Add(seal.Range{First: g.seq(i), Last: g.seq(i)})
	}
	s := groupState{Seqs: rangesState(seqs.String()), Root: b32(g.root), Prefix: g.prefix, Overdue: g.overdue, Lenient: g.lenient}
	for _, c := range g.told {
		s.Told = append(s.Told, toldState{c.cause.serial, c.n})
	}
	return s
}

func (w *Watcher) saveFindings() findingsState {
	s := findingsState{Version: stateVersion, Findings: []findingState{}}
	for _, c := range w.sortedCauses() {
		e := &c.event
		f := findingState{
			Serial: c.serial, Reason: c.key.reason, Further: e.Finding.Further, Sub: c.key.sub, Stream: c.key.stream, Name: e.Finding.Stream,
			Current: w.causes.current[c.key] == c, Remaining: c.remaining, Counted: c.counted,
			UID: e.UID, Count: e.Finding.Count, Place: e.Finding.Place.File, Detail: e.Finding.Detail, Host: e.Host, From: e.Peer,
			FirstSeen: e.FirstSeen, LastSeen: e.LastSeen, EventTime: e.EventTime,
		}
		for _, v := range e.Evidence {
			f.Evidence = append(f.Evidence, evidenceState{v.handle, v.first, v.last, v.Seals, v.Count})
		}
		s.Findings = append(s.Findings, f)
	}
	return s
}
