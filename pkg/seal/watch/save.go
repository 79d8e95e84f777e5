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
	if last {
		w.takeInbox()
	}
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
		if st.head == nil && !st.learned && st.endorsed == "" && st.heldNotes == 0 && !st.resumed {
			continue
		}
		ids = append(ids, id)
		if !w.saved[id] {
			w.saved[id], changed, st.dirty = true, true, true
		}
		if st.dirty || last || w.unsaved(st) {
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
		index := indexState{
			Version: stateVersion, Last: last, Streams: ids,
			Gap: last && w.gap && w.clock < keepSession, Blind: last && w.blindSince(w.clock),
		}
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

// unsaved reports whether records of a stream have come to wait for so long that a state has to hold them, and the last one does not.
func (w *Watcher) unsaved(st *stream) bool {
	return slices.ContainsFunc(st.sessions, func(ss *session) bool { return ss.handle.unsaved && ss.handle.unsavedAt+settling <= w.clock })
}

func (w *Watcher) saveStream(st *stream, last bool) streamState {
	s := streamState{
		Version: stateVersion, Host: st.host, Identity: st.identity, Former: st.former, Silent: st.silent.id(), NoFirst: st.nofirst.id(), Heartbeat: st.heartbeat.Milliseconds(), Sealed: st.sealedNow,
		Missing: rangesState(st.missing.String()), Unwatched: rangesState(st.unwatched.String()),
	}
	if st.learned || st.endorsed != "" {
		s.Learned = &learnedState{st.trust.String(), st.when, st.from, st.endorsed}
	}
	if t := st.head; t != nil {
		s.Head = saveTip(t)
	}
	if st.tree != nil {
		s.Tree = &treeState{Size: st.tree.Size()}
		for _, h := range st.tree.Subtrees() {
			s.Tree.Subtrees = append(s.Tree.Subtrees, b32(h))
		}
	}
	marks, notes := maxSavedMarks, maxSavedNotes
	if last {
		marks, notes = maxMarks, maxHeldNotes
	}
	if st.resumed {
		r := &st.after
		s.Resumed = &resumedState{r.away.Milliseconds(), r.until.Milliseconds(), r.from.Milliseconds(), r.boot, r.overran}
	}
	for _, m := range st.marks[max(0, len(st.marks)-marks):] {
		s.Marks = append(s.Marks, markState{m.number, b32(m.text), anchor(m.key), m.anchor})
	}
	for _, number := range slices.Sorted(maps.Keys(st.anchors)) {
		s.Anchors = append(s.Anchors, anchorState{number, anchor(st.anchors[number])})
	}
	for _, o := range st.owed {
		s.Owed = append(s.Owed, owedState{o.number, b32(o.text), anchor(o.key), o.cause.id()})
	}
	for _, number := range slices.Sorted(maps.Keys(st.held)) {
		for _, n := range st.held[number] {
			if len(s.Held) < notes {
				s.Held = append(s.Held, saveNote(n))
			}
		}
	}
	for _, g := range st.gaps {
		one := gapState{
			Low: *saveTip(g.low), Upper: saveNote(g.upper), Anchor: g.anchor, Cause: g.cause.id(), Lates: saveTold(g.lates), Unwatched: g.unwatched,
		}
		for _, n := range g.copies {
			one.Copies = append(one.Copies, saveNote(n))
		}
		s.Gaps = append(s.Gaps, one)
	}
	for _, ss := range st.sessions {
		s.Sessions = append(s.Sessions, w.saveSession(ss, last))
	}
	return s
}

func saveTip(t *tip) *tipState {
	s := &tipState{t.number, b32(t.hash), b32(t.next), nil, t.size, b32(t.root), t.kind, t.nonce, t.time, t.uptime.Milliseconds(), t.boot}
	for _, a := range t.named {
		s.Anchors = append(s.Anchors, anchorState{a.Number, anchor(a.Key)})
	}
	return s
}

func saveNote(n *note) heldState { return heldState{n.body, n.from, n.told.id()} }

// saveHandle saves what a handle has beside its records.
func saveHandle(h *handle) handleState {
	s := handleState{Skipped: fewest(h.skipped), Rival: saveTold(h.rival)}
	var broken seal.Ranges
	for seq := range h.broken {
		broken = broken.Add(seal.Range{First: seq, Last: seq})
	}
	s.Broken = rangesState(broken.String())
	return s
}

// saveLeaf saves a leaf that waits at a place, or is lost, and the further ones with its seq.
func saveLeaf(list []leafState, h *handle, p *page, seq uint64, slot int) []leafState {
	list = append(list, leafState{Seq: seq, Leaf: b32(p.leaf[slot]), Told: (p.told&^p.hole)>>slot&1 == 1, Hole: p.hole>>slot&1 == 1, Lost: p.lost>>slot&1 == 1})
	for _, leaf := range h.extras[seq] {
		list = append(list, leafState{Seq: seq, Leaf: b32(leaf)})
	}
	return list[:min(len(list), maxSavedLeaves)]
}

func (w *Watcher) saveSession(ss *session, last bool) *sessionState {
	h := ss.handle
	for last && h.pending > maxSavedLeaves && h.oldest != nil { // or a restart would miss them
		w.evictFrom(h, 1)
	}
	s := &sessionState{
		Handle: h.name, Nonce: ss.nonce, Opened: ss.opened, OpenNumber: ss.openNumber, BootID: ss.bootID, RolledBack: ss.rolledBack,
		First: ss.first, Last: ss.last, Prior: ss.stream.place(ss.prior), Took: ss.stream.place(ss.took), Began: ss.began, Working: ss.working, Closed: ss.closed, ClosedAt: ss.closedAt, End: ss.end,
		Adopted: ss.adopted, Forgetful: ss.forgetful || len(ss.settled) > maxSavedRanges, Judged: ss.judged,
		Settled: fewest(ss.settled), Void: rangesState(ss.void[max(0, len(ss.void)-maxSavedRanges):].String()),
		handleState: saveHandle(h), Unsealed: saveTold(h.unsealed), Holes: saveTold(h.holes), Lost: saveTold(h.lost), LenientFor: max(0, ss.lenientUntil-w.clock).Milliseconds(),
	}
	if ss.policy != nil {
		s.Exclude, s.ExcludeResource = ss.policy.Names(), ss.policy.ResourceNames()
	}
	groups, left := maxSavedGroups, seal.Ranges(nil)
	if last {
		groups = maxLastGroups
	}
	for _, number := range slices.Sorted(maps.Keys(ss.groups)) {
		for _, g := range slices.Clone(ss.groups[number]) {
			switch {
			case g.seq(0)/leavesAPage != number:
			case len(s.Groups) < groups:
				s.Groups = append(s.Groups, saveGroup(g))
			case last:
				w.giveUp(g)
			default:
				left = left.Union(g.seqs())
			}
		}
	}
	s.Left = fewest(left)
	h.unsaved = false
	for p := h.oldest; p != nil; p = p.next {
		if !last && !p.held && p.at+settling > w.clock {
			h.unsaved, h.unsavedAt = true, p.at // what has come just now is not worth its writing
			break
		}
		p.seqs(p.waiting(), func(seq uint64, slot int) {
			if len(s.Leaves) < maxSavedLeaves {
				s.Leaves = saveLeaf(s.Leaves, h, p, seq, slot)
			}
		})
	}
	h.eachLost(func(p *page, seq uint64, slot int) {
		if len(s.Leaves) < maxSavedLeaves {
			s.Leaves = saveLeaf(s.Leaves, h, p, seq, slot)
		}
	})
	if last {
		numbers := slices.Sorted(maps.Keys(h.pages))
		for _, number := range slices.Backward(numbers) {
			p := h.pages[number]
			p.seqs(p.done&^p.lost, func(seq uint64, slot int) {
				if len(s.Verified) < maxSavedDone {
					s.Verified = append(s.Verified, leafState{Seq: seq, Leaf: b32(p.leaf[slot])})
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
		one := strangerState{Handle: h.name, From: h.from, Named: h.named, handleState: saveHandle(h)}
		for i := range h.blind {
			one.Named = one.Named || h.blind[i].LeavesOut(w.usual)
			one.Blind = append(one.Blind, leafState{Seq: h.blind[i].seq, Leaf: b32(h.blind[i].Digest(w.usual))})
		}
		for p := h.oldest; p != nil; p = p.next {
			p.seqs(p.waiting(), func(seq uint64, slot int) { one.Leaves = saveLeaf(one.Leaves, h, p, seq, slot) })
		}
		switch {
		case len(one.Leaves)+len(one.Blind) <= room:
			room -= len(one.Leaves) + len(one.Blind)
			s.Handles = append(s.Handles, one)
		case len(s.Lost) < maxSavedLost:
			s.Lost = append(s.Lost, h.name)
		}
	}
	for _, n := range w.early {
		s.Early = append(s.Early, saveNote(n))
	}
	return s
}

func saveGroup(g *group) groupState {
	return groupState{Seqs: rangesState(g.seqs().String()), Root: b32(g.root), Prefix: g.prefix, Overdue: g.overdue, Lenient: g.lenient, Gap: g.session.stream.gapPlace(g.gap), Told: saveTold(g.told)}
}

func saveTold(cs contributions) (list []toldState) {
	for _, c := range cs {
		list = append(list, toldState{c.cause.id(), c.n})
	}
	return list
}

func (w *Watcher) saveFindings() findingsState {
	orphans := map[*cause]map[string]uint64{}
	for h := range w.strangers.handles {
		for _, c := range h.orphans {
			if orphans[c.cause] == nil {
				orphans[c.cause] = map[string]uint64{}
			}
			orphans[c.cause][h.name] = c.n
		}
	}
	s := findingsState{Version: stateVersion, Findings: []findingState{}}
	for _, c := range w.sortedCauses() {
		if c.remaining == 0 && !c.told {
			continue
		}
		e := &c.event
		f := findingState{
			Serial: c.serial, Reason: c.key.reason, Further: e.Finding.Further, Sub: c.key.sub, Stream: c.key.stream, Name: e.Finding.Stream,
			Current: w.causes.current[c.key] == c, Remaining: c.remaining, Counted: c.counted,
			UID: e.UID, Count: e.Finding.Count, Place: e.Finding.Place.File, Detail: e.Finding.Detail, Host: e.Host, From: e.Peer,
			FirstSeen: e.FirstSeen, LastSeen: e.LastSeen, EventTime: e.EventTime,
			Orphans: orphans[c], Changed: c.changed, Untold: !c.told,
		}
		for _, v := range e.Evidence {
			f.Evidence = append(f.Evidence, evidenceState{v.handle, v.first, v.last, v.Seals, v.Count})
		}
		s.Findings = append(s.Findings, f)
	}
	return s
}

// place returns where a session is in the list, from 1; 0 if it is not in it.
func (st *stream) place(ss *session) int { return slices.Index(st.sessions, ss) + 1 }

// gapPlace returns where a gap is in the list, from 1; 0 if it is not in it.
func (st *stream) gapPlace(g *gap) int { return slices.Index(st.gaps, g) + 1 }
