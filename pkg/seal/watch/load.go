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
	if err := w.load(read, now); err != nil {
		w.reset()
		return fmt.Errorf("what is known of streams cannot be loaded: %w", err)
	}
	return nil
}

func (w *Watcher) load(read func(key string) ([]byte, error), now time.Time) error {
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
			err = w.loadStream(id, &s, index.Last)
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
	} else if err := w.loadStrangers(read); err != nil {
		return err
	}
	w.dropStrayFindings()
	return nil
}

func (w *Watcher) loadStrangers(read func(key string) ([]byte, error)) error {
	var s strangersState
	if _, err := readPart(read, strangersKey, &s, func() int { return s.Version }); err != nil {
		return err
	}
	leaves := 0
	for _, one := range s.Handles {
		if _, err := seal.ParseID(one.Handle + "-0"); err != nil {
			return fmt.Errorf("%q: %w", strangersKey, err)
		}
		if leaves += len(one.Leaves); leaves > maxSavedLeaves || len(s.Handles) > maxHandles {
			return fmt.Errorf("%q: %w", strangersKey, errState)
		}
		h := w.handleOf(one.Handle, one.From)
		if h.session != nil {
			continue
		}
		h.assumed, h.named = true, one.Named
		for i := range one.Leaves {
			w.hold(h, one.Leaves[i].Seq, (*seal.Hash)(&one.Leaves[i].Leaf), one.From)
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

func (w *Watcher) loadFindings(read func(key string) ([]byte, error)) error {
	var s findingsState
	if _, err := readPart(read, findingsKey, &s, func() int { return s.Version }); err != nil {
		return err
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		code := f.Reason.Code()
		if code == "" || f.Remaining == 0 || len(f.Evidence) > MaxEvidence || w.causes.byCode[code] > 4*maxCauses {
			return fmt.Errorf("%q: %w", findingsKey, errState)
		}
		what := finding.New(f.Reason)
		what.Stream, what.Detail, what.Further, what.Place.File = f.Name, f.Detail, f.Further, f.Place
		c := &cause{
			key: causeKey{f.Reason, f.Stream, f.Sub}, serial: f.Serial, told: true, remaining: f.Remaining, counted: f.Counted,
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
		if !f.Current || w.causes.current[c.key] != nil {
			w.enlistOld(c)
		} else {
			w.enlist(c)
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

func (w *Watcher) loadStream(id string, s *streamState, last bool) error {
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
	st.heartbeat, st.sealedNow, st.sealedAt = time.Duration(s.Heartbeat)*time.Millisecond, s.Sealed, w.clock
	st.away = max(0, w.now.Sub(s.Sealed))
	if st.heartbeat < 0 || st.heartbeat > seal.MaxDuration || len(s.Marks) > maxMarks || len(s.Anchors) > 64 || len(s.Sessions) > maxSessions+2 ||
		len(s.Former) > maxFormer || len(s.Held) > maxSavedNotes {
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
	for _, name := range s.Former {
		st.former = append(st.former, name)
		w.former[name] = st
	}
	if s.Head != nil {
		t := s.Head
		st.head = &tip{number: t.Number, hash: seal.Hash(t.Hash), next: seal.PublicKey(t.Next), size: t.Size, root: seal.Hash(t.Root), kind: t.Kind, nonce: t.Nonce, time: t.Time}
		for _, a := range t.Anchors {
			st.head.named = append(st.head.named, seal.Anchor{Number: a.Number, Key: seal.AnchorKey(a.Key)})
		}
	} else if len(s.Sessions) > 0 {
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
	for i, saved := range s.Sessions {
		if saved == nil {
			return errState
		}
		if err := w.loadSession(st, saved, last); err != nil {
			return err
		}
		if saved.FollowsPrior && i > 0 {
			prior, next := st.sessions[i-1], st.sessions[i]
			prior.next, next.prior = next, prior
		}
	}
	for _, held := range s.Held {
		if parsed, err := seal.ParseNote(held.Body); err == nil && parsed.Seal.StreamID == id {
			n := newNote(parsed, held.Body, held.From, w.clock)
			n.told = held.Told
			w.wait(st, n)
		}
	}
	st.silent = w.causes.current[causeKey{finding.HeartbeatMissed, id, ""}]
	st.nofirst = w.causes.current[causeKey{finding.NoFirstSeal, id, ""}]
	st.strange = w.causes.current[causeKey{finding.UnknownKey, id, ""}]
	return nil
}

func (w *Watcher) loadSession(st *stream, s *sessionState, last bool) error {
	if _, err := seal.ParseID(s.Handle + "-0"); err != nil {
		return err
	}
	ss := w.newSession(st, s.First, s.Nonce, s.Handle)
	ss.opened, ss.openNumber, ss.bootID, ss.rolledBack = s.Opened, s.OpenNumber, s.BootID, s.RolledBack
	ss.last, ss.began, ss.working, ss.closed, ss.closedAt, ss.end = max(s.First, s.Last), s.Began, s.Working, s.Closed, s.ClosedAt, s.End
	ss.adopted, ss.forgetful, ss.judged, ss.sealedAt = s.Adopted, s.Forgetful, s.Judged, w.clock
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
	if h.skipped, err = s.Skipped.ranges(maxSavedRanges); err != nil {
		return err
	}
	if len(s.Groups) > maxSavedGroups || len(s.Leaves) > maxSavedLeaves || len(s.Verified) > maxSavedDone {
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
	for i := range s.Leaves {
		w.hold(h, s.Leaves[i].Seq, (*seal.Hash)(&s.Leaves[i].Leaf), Peer{})
	}
	for i := range s.Groups {
		if err := w.loadGroup(ss, &s.Groups[i], last); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) loadGroup(ss *session, s *groupState, last bool) error {
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
	if len(seqs) > 1 {
		for _, r := range seqs {
			for seq := r.First; seq <= r.Last; seq++ {
				g.rest = append(g.rest, seq)
			}
		}
	}
	for _, t := range s.Told {
		for c := range w.causes.open {
			if c.serial == t.Finding {
				g.told = append(g.told, contribution{c, t.N})
			}
		}
	}
	w.enter(g)
	return nil
}
