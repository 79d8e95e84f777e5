// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// maxSessions bounds the sessions that are kept of a stream, and maxFormer the handles of earlier ones. A session of which nothing is
	// open is kept for keepSession after its end, for what comes late or again.
	maxSessions = 16
	maxFormer   = 64
	keepSession = 10 * time.Minute
)

// session is one session of a stream, authentic by its seals.
type session struct {
	stream *stream
	handle *handle
	nonce  [16]byte
	policy *seal.Policy // nil until the open seal is authentic

	opened     bool // the open seal is authentic; what it says follows
	openNumber uint64
	bootID     [16]byte
	rolledBack bool

	first, last uint64        // numbers of its seals, as far as they are known
	prior, next *session      // in the stream, where no seal is missing between the two
	began       uint64        // number of the first seal that is neither open nor adopt
	working     bool          // there is such a seal
	heardAt     time.Duration // when a seal of it came last, or what told that it has ended
	closed      bool
	closedAt    uint64
	end         uint64
	took        *session // whose ids its adopt seals settle
	adopted     bool     // known only because another session adopts its records

	settled seal.Ranges
	void    seal.Ranges
	groups  map[uint64][]*group // open ones, by the page numbers of their seqs
	open    int                 // how many they are

	forgetful    bool          // settled holds more than was settled
	lenientUntil time.Duration // what is settled until then may have come and been dropped
	swept        bool          // it has ended, and what no seal has settled was reported
	judged       bool          // it was closed, and whether it had settled everything was looked at
}

func (ss *session) policyOr(usual *seal.Policy) *seal.Policy {
	if ss.policy != nil {
		return ss.policy
	}
	return usual
}

// attend finds or makes the session of an authentic seal.
func (w *Watcher) attend(st *stream, s *seal.Seal) *session {
	ss := st.session(s.Nonce)
	if ss == nil {
		own := s.Handle == seal.NewHandle(&st.trust.Key, &s.Nonce)
		if !own {
			w.broken(st, s.Number, 0, finding.HandleOfNoNonce)
		}
		if ss = st.adoptee(s.Handle); ss != nil && own {
			ss.adopted, ss.nonce, ss.first, ss.last = false, s.Nonce, s.Number, s.Number
		} else {
			ss = w.newSession(st, s.Number, s.Nonce, s.Handle)
		}
	}
	switch {
	case s.Handle != ss.handle.name:
		w.broken(st, s.Number, 0, finding.HandleChanged)
	case s.Number == 0 && s.Kind != seal.KindOpen:
		w.broken(st, s.Number, 0, finding.FirstOpensNothing)
	case ss.opened && s.Number < ss.openNumber:
		w.broken(st, ss.openNumber, 0, finding.SessionBegun)
	}
	ss.first, ss.last, ss.heardAt = min(ss.first, s.Number), max(ss.last, s.Number), w.clock
	if s.Kind == seal.KindOpen {
		w.opened(ss, s)
	}
	if s.Kind == seal.KindClose && !ss.closed {
		ss.closed, ss.closedAt, ss.end = true, s.Number, s.End
	}
	if s.Kind != seal.KindOpen && s.Kind != seal.KindAdopt && (!ss.working || s.Number < ss.began) {
		ss.began, ss.working = s.Number, true
	}
	w.recognise(ss)
	return ss
}

func (w *Watcher) newSession(st *stream, number uint64, nonce [16]byte, handle string) *session {
	ss := &session{stream: st, nonce: nonce, first: number, last: number}
	st.sessions = append(st.sessions, ss)
	w.attach(ss, handle)
	return ss
}

// session returns the session with that nonce, nil if none is known.
func (st *stream) session(nonce [16]byte) *session {
	for i := len(st.sessions) - 1; i >= 0; i-- {
		if ss := st.sessions[i]; ss.nonce == nonce && !ss.adopted {
			return ss
		}
	}
	return nil
}

// adoptee returns the session with that handle that is known only because another one adopts its records, nil if none is.
func (st *stream) adoptee(handle string) *session {
	for _, ss := range st.sessions {
		if ss.adopted && ss.handle.name == handle {
			return ss
		}
	}
	return nil
}

func (w *Watcher) opened(ss *session, s *seal.Seal) {
	st := ss.stream
	switch {
	case ss.opened:
		w.broken(st, s.Number, 0, finding.OpenedTwice)
		return
	case s.Number > ss.first:
		w.broken(st, s.Number, 0, finding.SessionBegun)
	}
	policy, err := seal.NewPolicy(s.Exclude, s.ExcludeResource)
	if err != nil { // ParseSeal has checked it
		panic("seal: " + err.Error())
	}
	ss.opened, ss.openNumber, ss.bootID, ss.rolledBack = true, s.Number, s.BootID, s.RolledBack
	ss.policy = w.shared(st, policy)
	st.heartbeat = s.Heartbeat
	if s.RolledBack {
		w.add(finding.StorageBehind, st.seals(s.Number, s.Number))
	}
}

// shared returns one pointer for equal policies: most are the usual one, or that of the stream's session before.
func (w *Watcher) shared(st *stream, policy seal.Policy) *seal.Policy {
	if policy.Equal(w.usual) {
		return w.usual
	}
	for _, ss := range st.sessions {
		if ss.policy != nil && ss.policy.Equal(&policy) {
			return ss.policy
		}
	}
	return &policy
}

// adoptedBy returns the session whose records an adopt seal settles, nil if it may settle none.
func (w *Watcher) adoptedBy(own *session, s *seal.Seal) *session {
	st := own.stream
	switch {
	case own.first == 0:
		w.broken(st, s.Number, 0, finding.AdoptsAtFirst)
		return nil
	case own.prior != nil:
		if !w.mayAdopt(st, s.Number, s.Adopts, own.prior) {
			return nil
		}
		return own.prior
	}
	var found *session
	for _, ss := range st.sessions {
		if ss != own && ss.handle.name == s.Adopts && ss.first < s.Number && (found == nil || ss.first > found.first) {
			found = ss
		}
	}
	if found == nil {
		// All of its own seals are missing. This one is authentic, and says that the session was.
		found = w.newSession(st, s.Number, [16]byte{}, s.Adopts)
		found.adopted = true
		w.recognise(found)
	}
	own.took = found
	return found
}

func (w *Watcher) mayAdopt(st *stream, number uint64, handle string, prior *session) bool {
	switch {
	case prior.handle.name != handle:
		w.broken(st, number, 0, finding.AdoptsOther)
	case prior.closed:
		w.broken(st, number, 0, finding.AdoptsClosed)
	default:
		return true
	}
	return false
}

// start is the number of the session's first seal, or where that is not here, of the last one that is missing of its beginning.
func (ss *session) start() uint64 {
	if !ss.opened && ss.first > 0 {
		return ss.first - 1
	}
	return ss.first
}

// settledAll reports whether a session that was closed has settled every id it gave out, and no other, as far as is known.
func (ss *session) settledAll() bool {
	switch {
	case ss.forgetful || ss.stream.lacks(ss.start(), ss.closedAt):
		return true
	case ss.end == 0:
		return len(ss.settled) == 0
	}
	return len(ss.settled) == 1 && ss.settled[0] == seal.Range{First: 0, Last: ss.end - 1}
}

// fate says what to make of a record with an id of this session that no seal has settled; empty while one still may.
func (ss *session) fate(seq uint64) finding.Reason {
	st := ss.stream
	later := st.head.number > ss.last
	switch {
	case ss.closed && seq >= ss.end:
		return finding.BeyondEnd
	case !ss.closed && ss.next == nil && !later, ss.mayStillBeAdopted():
		return ""
	case st.lacks(ss.start(), ss.lastChance()) || !ss.closed && ss.next == nil:
		return st.lost(ss)
	case ss.closed:
		return finding.CoveredByNoSeal
	case !ss.next.working && ss.next.next == nil, !ss.opened, !ss.next.opened:
		return st.lost(ss)
	case ss.next.rolledBack || ss.bootID != ss.next.bootID || ss.next.bootID == [16]byte{}:
		return finding.PowerLost
	}
	return finding.UncoveredAtTheEnd
}

// mayStillBeAdopted reports whether the session that is the last one so far follows this one, as far as is known, and has not got to work yet.
func (ss *session) mayStillBeAdopted() bool {
	last := ss.stream.session(ss.stream.head.nonce)
	return !ss.closed && last != nil && last != ss && !last.working && (ss.next == last || ss.next == nil)
}

// lost says why a seal that may have settled a record is not here.
func (st *stream) lost(ss *session) finding.Reason {
	if st.unwatched.Overlaps(seal.Ranges{{First: ss.start(), Last: max(ss.lastChance(), ss.last+1)}}) {
		return finding.NotWatched
	}
	return finding.SealMissing
}

// lastChance is the number of the last seal that may settle records of the session, as far as is known.
func (ss *session) lastChance() uint64 {
	switch {
	case ss.closed:
		return ss.closedAt
	case ss.next != nil && ss.next.working:
		return ss.next.began
	case ss.next != nil:
		return ss.next.last
	}
	return ss.last
}

// lacks reports whether a seal between two numbers, both included, is not here.
func (st *stream) lacks(first, last uint64) bool {
	between := seal.Ranges{{First: first, Last: max(first, last)}}
	return st.missing.Overlaps(between) || st.unwatched.Overlaps(between)
}

// judgeSessions reports what no seal has settled of sessions that have ended, and forgets sessions of which nothing is left.
func (w *Watcher) judgeSessions(st *stream) {
	for _, ss := range st.sessions {
		w.judgeSession(ss)
	}
	for len(st.sessions) > 2 {
		ss := st.sessions[0]
		if len(st.sessions) <= maxSessions && (ss.open > 0 || ss.handle.pending > 0 || w.clock < ss.heardAt+keepSession) {
			return
		}
		w.dropSession(ss)
		st.sessions = slices.Delete(st.sessions, 0, 1)
	}
}

// judgeSession reports the records that no seal has settled, once none can any more.
func (w *Watcher) judgeSession(ss *session) {
	if !ss.swept && ss.fate(0) != "" {
		ss.swept, ss.heardAt = true, w.clock
		w.sweep(ss)
	}
	if ss.closed && !ss.judged {
		ss.judged = true
		if !ss.settledAll() {
			w.broken(ss.stream, ss.closedAt, 0, finding.ClosedUnsettled)
		}
	}
}

// reconsider judges the records anew that missing seals may have settled, now that some of these have come.
func (w *Watcher) reconsider(st *stream) {
	for _, ss := range st.sessions {
		ss.handle.eachLost(func(p *page, seq uint64, slot int) {
			if fate := ss.fate(seq); fate != finding.SealMissing && fate != finding.NotWatched {
				w.find(p, slot)
				if fate == "" { // it waits again
					leaf := p.leaf[slot]
					w.settleLeaf(p, slot, false)
					w.put(ss.handle, seq, &leaf)
				} else {
					w.doom(p, slot, fate, Peer{})
				}
			}
		})
	}
}

// sweep reports the records of a session that has ended that no seal has settled.
func (w *Watcher) sweep(ss *session) {
	h := ss.handle
	for p := h.oldest; p != nil; {
		next := p.next
		p.seqs(p.waiting(), func(seq uint64, slot int) {
			if !ss.settled.Contains(seq) { // else it is in an open group
				w.doom(p, slot, ss.fate(seq), Peer{})
			}
		})
		p = next
	}
}

// dropSession forgets a session.
func (w *Watcher) dropSession(ss *session) {
	st, h := ss.stream, ss.handle
	for _, list := range ss.groups {
		for _, g := range slices.Clone(list) {
			if !g.dropped {
				w.due(g)
				w.dropGroup(g)
			}
		}
	}
	for _, other := range st.sessions {
		for _, link := range []**session{&other.prior, &other.next, &other.took} {
			if *link == ss {
				*link = nil
			}
		}
	}
	if h.session == ss && w.handles[h.name] == h {
		w.dropHandle(h)
		st.former = append(st.former, h.name)
		w.former[h.name] = st
		if len(st.former) > maxFormer {
			delete(w.former, st.former[0])
			st.former = slices.Delete(st.former, 0, 1)
		}
	}
}

// judgeWaiting reports records that have waited long for a seal while seals came: that may be one of those that are missing, or still come.
func (w *Watcher) judgeWaiting(h *handle) {
	ss := h.session
	if h.oldest == nil || w.config.Partial {
		return
	}
	st, patience := ss.stream, w.patience(ss.stream)
	reason := finding.NewerThanSeals
	if st.lacks(ss.start(), ss.lastChance()) {
		reason = st.lost(ss)
	}
	for p := h.oldest; p != nil && p.at+patience < st.sealedAt; p = p.next {
		p.seqs(p.waiting()&^p.told, func(seq uint64, slot int) {
			if ss.settled.Contains(seq) {
				return
			}
			p.told |= 1 << slot
			st.dirty = true
			c := w.add(reason, h.on(seq, seq, Peer{}))
			if reason == finding.NewerThanSeals {
				h.unsealed.add(c, 1)
				return
			}
			p.hole |= 1 << slot
			h.holes.add(c, 1)
		})
	}
}

// retell withdraws what was reported of records that wait where it is another reason by now: seals turned out to be missing, or have come.
func (w *Watcher) retell(st *stream) {
	for _, ss := range st.sessions {
		h, lacks := ss.handle, st.lacks(ss.start(), ss.lastChance())
		if lacks && h.unsealed == nil || !lacks && h.holes == nil {
			continue
		}
		for p := h.oldest; p != nil; p = p.next {
			wrong := p.hole
			if lacks {
				wrong = p.told &^ p.hole
			}
			p.seqs(wrong, func(_ uint64, slot int) { w.untell(p, slot) })
		}
	}
}

// patience is how long a stream may be without a seal.
func (w *Watcher) patience(st *stream) time.Duration {
	return max(w.config.SilentAfter, w.config.LateAfter, 3*st.heartbeat)
}
