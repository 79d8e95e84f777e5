// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Load takes up the state that Saves have written, before the first Observe. read returns the value of a key, nil if there is none. State
// that cannot be read is an error, and the watcher is as new.
func (w *Watcher) Load(read func(key string) ([]byte, error), now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := loading{w, map[uint64]*cause{}}
	if err := l.load(read, now); err != nil {
		w.reset()
		return fmt.Errorf("what is known of streams cannot be loaded: %w", err)
	}
	return nil
}

// loading is a watcher that takes up what was saved.
type loading struct {
	*Watcher
	causeOf map[uint64]*cause // by serial
}

func (w *loading) load(read func(key string) ([]byte, error), now time.Time) error {
	var index indexState
	found, err := readPart(read, indexKey, &index, func() int { return index.Version })
	if !found {
		return err
	}
	w.now = now
	w.wasLast, w.indexed = index.Last, true
	if err := w.loadFindings(read); err != nil {
		return err
	}
	for _, id := range index.Streams {
		var s streamState
		found, err := readPart(read, streamKey+id, &s, func() int { return s.Version })
		if err == nil && !found {
			err = errors.New("it is not there")
		}
		if err == nil {
			err = w.loadStream(id, &s, &index)
		}
		if err != nil {
			return fmt.Errorf("stream %q: %w", id, err)
		}
		w.saved[id] = w.streams[id] != nil
	}
	if !index.Last {
		w.blind, w.gap = w.clock, true
		w.add(finding.NotWatched, subject{sub: "restart"}) // what came since the last Save may have been anything
		for _, st := range w.streams {                     // of those that are not known their first seals may have come
			st.resumed = true
		}
	} else {
		w.gap = index.Gap
		if index.Blind {
			w.blind = w.clock
		}
		if err := w.loadStrangers(read); err != nil {
			return err
		}
	}
	w.dropStrayFindings()
	return nil
}

func (w *loading) loadStrangers(read func(key string) ([]byte, error)) error {
	var s strangersState
	if _, err := readPart(read, strangersKey, &s, func() int { return s.Version }); err != nil {
		return err
	}
	leaves := 0
	for _, one := range s.Handles {
		if _, err := seal.ParseID(one.Handle + "-0"); err != nil {
			return fmt.Errorf("%q: %w", strangersKey, err)
		}
		if leaves += len(one.Leaves) + len(one.Blind); leaves > maxSavedLeaves || len(s.Handles) > maxHandles {
			return fmt.Errorf("%q: %w", strangersKey, errState)
		}
		h := w.handleOf(one.Handle, one.From)
		if h.session != nil {
			continue
		}
		h.assumed, h.named = true, one.Named
		if err := w.loadHandle(h, &one.handleState, one.Leaves); err != nil {
			return fmt.Errorf("%q: %w", strangersKey, err)
		}
		for i := range one.Blind {
			w.hold(h, one.Blind[i].Seq, (*seal.Hash)(&one.Blind[i].Leaf), one.From)
		}
	}
	if len(s.Early) > maxEarly {
		return fmt.Errorf("%q: %w", strangersKey, errState)
	}
	for i := range s.Early {
		n := w.loadNote(&s.Early[i])
		switch {
		case n == nil:
		case w.streams[n.Seal.StreamID] != nil:
			w.note(n.body, n.from)
		default:
			w.early = append(w.early, n)
		}
	}
	for _, name := range s.Lost[:min(len(s.Lost), maxSavedLost)] {
		w.strangers.forget(name)
	}
	return nil
}

// readPart reads a part, and reports whether it is there.
func readPart(read func(key string) ([]byte, error), key string, into any, version func() int) (bool, error) {
	data, err := read(key)
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%q: %w", key, err)
	}
	if v := version(); v != stateVersion {
		return false, fmt.Errorf("%q is of version %d, and this program knows version %d", key, v, stateVersion)
	}
	return true, nil
}

func (w *loading) loadFindings(read func(key string) ([]byte, error)) error {
	var s findingsState
	if _, err := readPart(read, findingsKey, &s, func() int { return s.Version }); err != nil {
		return err
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		code := f.Reason.Code()
		if code == "" || f.Remaining == 0 && f.Untold || len(f.Evidence) > MaxEvidence || w.causes.byCode[code] > 4*maxCauses {
			return fmt.Errorf("%q: %w", findingsKey, errState)
		}
		what := finding.New(f.Reason)
		what.Stream, what.Detail, what.Further, what.Place.File = f.Name, f.Detail, f.Further, f.Place
		c := &cause{
			key: causeKey{f.Reason, f.Stream, f.Sub}, serial: f.Serial, told: !f.Untold, changed: f.Changed, remaining: f.Remaining, counted: f.Counted,
			event: Event{
				UID: f.UID, State: Opened, Time: f.FirstSeen, StreamID: f.Stream, Host: f.Host, Peer: f.From,
				FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, EventTime: f.EventTime,
			},
		}
		for _, v := range f.Evidence {
			e := Evidence{Seals: v.Seals, Count: v.Count}
			if v.Handle != "" {
				if _, err := seal.ParseID(v.Handle + "-0"); err != nil || v.Last < v.First {
					return fmt.Errorf("%q: %w", findingsKey, errState)
				}
				e = newEvidence(v.Handle, v.First, v.Last)
			}
			c.event.Evidence = append(c.event.Evidence, e)
		}
		if len(c.event.Evidence) > 0 && c.event.Evidence[0].handle != "" {
			e := &c.event.Evidence[0]
			what.SetIDs(e.handle, e.first, e.last)
		}
		what.Count = f.Count
		c.event.Finding = what
		w.causeOf[c.serial] = c
		for name, n := range f.Orphans {
			if _, err := seal.ParseID(name + "-0"); err != nil || len(w.handles) >= maxHandles {
				return fmt.Errorf("%q: %w", findingsKey, errState)
			}
			h := w.handleOf(name, f.From)
			h.orphans.add(c, n)
		}
		if !f.Current || w.causes.current[c.key] != nil {
			w.enlistOld(c)
		} else {
			w.enlist(c)
		}
		if f.Untold || f.Remaining == 0 { // what a Save at the end took in has opened or resolved it
			w.touch(c)
		}
	}
	return nil
}

// dropStrayFindings ends findings on streams that are not known any more, or that are now.
func (w *Watcher) dropStrayFindings() {
	for _, c := range w.sortedCauses() {
		switch {
		case c.key.stream != "" && w.streams[c.key.stream] == nil:
			w.forget(c)
		case c.key.reason.Code() == finding.UnknownStream && w.streams[c.key.sub] != nil:
			w.retract(c, c.remaining)
		}
	}
}

func (w *loading) loadStream(id string, s *streamState, index *indexState) error {
	st := w.streams[id]
	if st == nil && s.Learned != nil && (s.Learned.Endorsed == "" && w.config.Learn || s.Learned.Endorsed != "" && w.config.Roots != nil) {
		t, err := seal.ParseTrustLine(s.Learned.Trust)
		if err != nil {
			return err
		}
		if t.StreamID() != id {
			return errState
		}
		st = w.trust(t)
		st.learned, st.endorsed, st.when, st.from = s.Learned.Endorsed == "", s.Learned.Endorsed, s.Learned.When, s.Learned.From
	}
	if st == nil {
		w.gone = append(w.gone, id) // it is trusted no more
		return nil
	}
	if st.head != nil || st.heldNotes > 0 {
		return errState // it is there twice
	}
	st.host, st.identity = strings.Clone(s.Host[:min(len(s.Host), maxHost)]), s.Identity
	st.heartbeat, st.sealedNow, st.sealedAt = milliseconds(s.Heartbeat), s.Sealed, w.clock
	if !s.Sealed.IsZero() {
		if st.after.away = w.now.Sub(s.Sealed); st.after.away < 0 { // the clock was set back: it is not known
			st.after.away = w.patience(st)
		}
	}
	if st.heartbeat < 0 || st.heartbeat > seal.MaxDuration || len(s.Marks) > maxMarks || len(s.Anchors) > 64 || len(s.Sessions) > maxSessions+2 ||
		len(s.Former) > maxFormer || len(s.Held) > maxHeldNotes || len(s.Gaps) > maxGaps || len(s.Owed) > maxOwed {
		return errState
	}
	var err error
	if st.missing, err = s.Missing.ranges(maxNumbers); err != nil {
		return err
	}
	if st.unwatched, err = s.Unwatched.ranges(maxNumbers); err != nil {
		return err
	}
	for _, m := range s.Marks {
		st.marks = append(st.marks, mark{m.Number, seal.Hash(m.Text), seal.AnchorKey(m.Key), m.Anchor})
	}
	for _, a := range s.Anchors {
		st.anchors[a.Number] = seal.AnchorKey(a.Key)
	}
	for _, o := range s.Owed {
		st.owed = append(st.owed, owed{o.Number, seal.Hash(o.Text), seal.AnchorKey(o.Key), w.causeOf[o.Cause]})
	}
	for _, name := range s.Former {
		st.former = append(st.former, name)
		w.former[name] = st
	}
	if s.Head != nil {
		st.head = loadTip(s.Head)
	} else if len(s.Sessions)+len(s.Gaps) > 0 {
		return errState
	}
	if s.Tree != nil {
		if bits.OnesCount64(s.Tree.Size) != len(s.Tree.Subtrees) {
			return errState
		}
		subtrees := make([]seal.Hash, len(s.Tree.Subtrees))
		for i := range subtrees {
			subtrees[i] = seal.Hash(s.Tree.Subtrees[i])
		}
		tree := seal.TreeOf(s.Tree.Size, subtrees)
		st.tree = &tree
	}
	for i := range s.Gaps {
		if err := w.loadGap(st, &s.Gaps[i]); err != nil {
			return err
		}
	}
	for _, saved := range s.Sessions {
		if saved == nil {
			return errState
		}
		if err := w.loadSession(st, saved, index.Last); err != nil {
			return err
		}
	}
	for i, saved := range s.Sessions {
		if err := st.join(i, saved); err != nil {
			return err
		}
	}
	for i := range s.Held {
		if n := w.loadNote(&s.Held[i]); n != nil && n.Seal.StreamID == id {
			w.wait(st, n)
		}
	}
	if r := s.Resumed; r != nil {
		away := max(st.after.away, milliseconds(r.Away))
		switch {
		case index.Last:
			st.resumed = true
			st.after = resumption{away: away, until: milliseconds(r.Until), boot: r.Boot, from: milliseconds(r.From), at: w.clock, overran: r.Overran}
		case r.Until == 0: // no seal has come since
			st.after.away = away
		default: // what was not known then may not have been sealed yet
			st.after.away += milliseconds(max(0, r.Away))
		}
	}
	st.silent, st.nofirst = w.causeOf[s.Silent], w.causeOf[s.NoFirst]
	return nil
}

func loadTip(s *tipState) *tip {
	t := &tip{number: s.Number, hash: seal.Hash(s.Hash), next: seal.PublicKey(s.Next), size: s.Size, root: seal.Hash(s.Root), kind: s.Kind, nonce: s.Nonce, time: s.Time, uptime: milliseconds(s.Uptime), boot: s.Boot}
	for _, a := range s.Anchors {
		t.named = append(t.named, seal.Anchor{Number: a.Number, Key: seal.AnchorKey(a.Key)})
	}
	return t
}

// loadNote returns a seal that was saved, nil if it is none.
func (w *loading) loadNote(s *heldState) *note {
	parsed, err := seal.ParseNote(s.Body)
	if err != nil {
		return nil
	}
	n := newNote(parsed, s.Body, s.From, w.clock)
	n.told = w.causeOf[s.Told]
	return n
}

func (w *loading) loadGap(st *stream, s *gapState) error {
	g := &gap{
		low: loadTip(&s.Low), upper: w.loadNote(&s.Upper), anchor: s.Anchor, cause: w.causeOf[s.Cause], lates: w.loadTold(s.Lates), unwatched: s.Unwatched,
	}
	if g.upper == nil || g.upper.Seal.StreamID != st.id || len(s.Copies) > maxMarks {
		return errState
	}
	for i := range s.Copies {
		n := w.loadNote(&s.Copies[i])
		if n == nil || n.hash != g.upper.hash {
			return errState
		}
		g.copies = append(g.copies, n)
	}
	st.gaps = append(st.gaps, g)
	return nil
}

// join links the i-th session with others of the list, as it was saved.
func (st *stream) join(i int, s *sessionState) error {
	for _, place := range []int{s.Prior, s.Took} {
		if place < 0 || place > len(st.sessions) || place == i+1 {
			return errState
		}
	}
	ss := st.sessions[i]
	if s.Prior > 0 {
		ss.prior = st.sessions[s.Prior-1]
		ss.prior.next = ss
	}
	if s.Took > 0 {
		ss.took = st.sessions[s.Took-1]
	}
	return nil
}

// loadHandle takes up the records of a handle, and what else it has.
func (w *loading) loadHandle(h *handle, s *handleState, leaves []leafState) (err error) {
	if h.skipped, err = s.Skipped.ranges(maxSavedRanges); err != nil {
		return err
	}
	broken, err := s.Broken.ranges(maxMalformed)
	if err != nil {
		return err
	}
	if broken.Len() > maxMalformed {
		return errState
	}
	for _, r := range broken {
		for seq := r.First; seq <= r.Last; seq++ {
			if h.broken == nil {
				h.broken = map[uint64]bool{}
			}
			h.broken[seq] = true
		}
	}
	h.rival = w.loadTold(s.Rival)
	for i := range leaves {
		w.loadLeaf(h, &leaves[i])
	}
	return nil
}

// loadLeaf takes up a record that waits. Findings on it are there already.
func (w *loading) loadLeaf(h *handle, s *leafState) {
	leaf := (*seal.Hash)(&s.Leaf)
	p, slot, ok := h.leaf(s.Seq)
	if !ok {
		w.put(h, s.Seq, leaf)
		if p, slot, ok = h.leaf(s.Seq); ok { // put may have needed room
			p.held = true
			switch {
			case s.Lost:
				w.settleLeaf(p, slot, true)
				if h.lost != nil {
					p.lose(slot)
				}
			case s.Hole && h.holes != nil:
				p.told |= 1 << slot
				p.hole |= 1 << slot
			case s.Told && h.unsealed != nil:
				p.told |= 1 << slot
			}
		}
		return
	}
	if p.leaf[slot] == *leaf || !w.addExtra(h, s.Seq, leaf, Peer{}) {
		return
	}
	if h.rival != nil && (h.session == nil || !h.session.settled.Contains(s.Seq)) {
		if h.rivals == nil {
			h.rivals = map[uint64]uint64{}
		}
		h.rivals[s.Seq]++
	}
}

func (w *loading) loadSession(st *stream, s *sessionState, last bool) error {
	if _, err := seal.ParseID(s.Handle + "-0"); err != nil {
		return err
	}
	ss := w.newSession(st, s.First, s.Nonce, s.Handle)
	ss.opened, ss.openNumber, ss.bootID, ss.rolledBack = s.Opened, s.OpenNumber, s.BootID, s.RolledBack
	ss.last, ss.began, ss.working, ss.closed, ss.closedAt, ss.end = max(s.First, s.Last), s.Began, s.Working, s.Closed, s.ClosedAt, s.End
	ss.adopted, ss.forgetful, ss.judged, ss.heardAt = s.Adopted, s.Forgetful, s.Judged, w.clock
	ss.lenientUntil = w.clock + min(milliseconds(max(0, s.LenientFor)), w.config.LateAfter)
	if s.Opened {
		policy, err := seal.NewPolicy(s.Exclude, s.ExcludeResource)
		if err != nil {
			return err
		}
		ss.policy = w.shared(st, policy)
	}
	h := ss.handle
	var err error
	if ss.settled, err = s.Settled.ranges(maxSavedRanges); err != nil {
		return err
	}
	if ss.void, err = s.Void.ranges(maxSavedRanges); err != nil {
		return err
	}
	if len(s.Groups) > maxLastGroups || len(s.Leaves) > maxSavedLeaves || len(s.Verified) > maxSavedDone {
		return errState
	}
	for i := range s.Verified {
		if _, _, ok := h.leaf(s.Verified[i].Seq); !ok {
			w.put(h, s.Verified[i].Seq, (*seal.Hash)(&s.Verified[i].Leaf))
			if p, slot, ok := h.leaf(s.Verified[i].Seq); ok { // put may have needed room
				w.settleLeaf(p, slot, true)
			}
		}
	}
	h.unsealed, h.holes, h.lost = w.loadTold(s.Unsealed), w.loadTold(s.Holes), w.loadTold(s.Lost)
	if err := w.loadHandle(h, &s.handleState, s.Leaves); err != nil {
		return err
	}
	left, err := s.Left.ranges(maxSavedRanges)
	if err != nil {
		return err
	}
	for _, r := range left { // what of them was missing is not known any more
		w.add(finding.NotWatched, h.on(r.First, r.Last, Peer{}))
	}
	for i := range s.Groups {
		if err := w.loadGroup(ss, &s.Groups[i], last); err != nil {
			return err
		}
	}
	return nil
}

func (w *loading) loadTold(list []toldState) (cs contributions) {
	for _, t := range list {
		if c := w.causeOf[t.Finding]; c != nil && t.N > 0 {
			cs.add(c, t.N)
		}
	}
	return cs
}

func (w *loading) loadGroup(ss *session, s *groupState, last bool) error {
	seqs, err := s.Seqs.ranges(seal.GroupSize)
	if err != nil {
		return err
	}
	n := seqs.Len()
	doubt := s.Prefix == nil
	if n == 0 || n > seal.GroupSize || doubt && n > 1 || !doubt && uint64(len(s.Prefix)) != 2*n {
		return errState
	}
	g := &group{session: ss, doubt: doubt, lenient: s.Lenient || !last, size: uint8(n), first: seqs[0].First, root: seal.Hash(s.Root), prefix: s.Prefix, overdue: s.Overdue, born: w.clock}
	if s.Overdue {
		g.lenient = s.Lenient
	}
	if s.Gap < 0 || s.Gap > len(ss.stream.gaps) {
		return errState
	}
	if s.Gap > 0 {
		g.gap = ss.stream.gaps[s.Gap-1]
	}
	if len(seqs) > 1 {
		for _, r := range seqs {
			for seq := r.First; seq <= r.Last; seq++ {
				g.rest = append(g.rest, seq)
			}
		}
	}
	g.told = w.loadTold(s.Told)
	w.enter(g)
	return nil
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
