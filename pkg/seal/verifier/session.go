// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// session is one session of a trusted stream, authentic by its seals.
type session struct {
	stream *stream
	handle *handle
	policy *seal.Policy // nil until the open seal is authentic
	open   *seal.Seal   // its open seal, without what settles records

	first, last uint64   // numbers of its seals, as far as they are known
	prior, next *session // in the stream, where no seal is missing between the two
	began       uint64   // number of the first seal that is neither open nor adopt: by then, what the session before left is settled
	working     bool     // there is such a seal
	closed      bool
	closedAt    uint64   // if closed: number of the close seal
	end         uint64   // if closed: how many ids it gave out
	took        *session // whose ids its adopt seals settle
	tookAt      uint64   // if took: number of the first of these

	settled  seal.Ranges
	before   seal.Ranges // of settled: by the seals up to a checkpoint
	void     seal.Ranges
	groups   map[uint64]*group // open groups, by each of their seqs
	verified uint64            // late ones included
}

// attend finds or makes the session of an authentic seal.
func (v *Verifier) attend(st *stream, s *seal.Seal) {
	ss := st.sessions[s.Nonce]
	if ss == nil {
		if s.Handle != seal.NewHandle(&st.trust.Key, &s.Nonce) {
			st.broken(s.Number, finding.HandleOfNoNonce)
		}
		ss = &session{stream: st, first: s.Number, last: s.Number, groups: map[uint64]*group{}}
		st.sessions[s.Nonce] = ss
		v.attach(ss, s.Handle)
	}
	switch {
	case s.Handle != ss.handle.name:
		st.broken(s.Number, finding.HandleChanged)
	case s.Number == 0 && s.Kind != seal.KindOpen:
		st.broken(s.Number, finding.FirstOpensNothing)
	case ss.open != nil && s.Number < ss.open.Number:
		st.broken(ss.open.Number, finding.SessionBegun)
	}
	ss.first, ss.last = min(ss.first, s.Number), max(ss.last, s.Number)
	if s.Kind == seal.KindOpen {
		v.opened(ss, s)
	}
	if s.Kind == seal.KindClose && !ss.closed {
		ss.closed, ss.closedAt, ss.end = true, s.Number, s.End
	}
	if s.Kind != seal.KindOpen && s.Kind != seal.KindAdopt && (!ss.working || s.Number < ss.began) {
		ss.began, ss.working = s.Number, true
	}
}

// policyOf is what a session excludes: the usual, while that is not known.
func (v *Verifier) policyOf(ss *session) *seal.Policy {
	if ss.policy == nil {
		return v.usual
	}
	return ss.policy
}

// attach gives a session the records that carry its handle.
func (v *Verifier) attach(ss *session, name string) {
	h := v.handle(name)
	ss.handle = h
	h.sessions = append(h.sessions, ss)
	if len(h.sessions) == 2 && len(h.policies) == 0 {
		v.share(h)
	}
}

func (v *Verifier) opened(ss *session, s *seal.Seal) {
	switch {
	case ss.open != nil:
		ss.stream.broken(s.Number, finding.OpenedTwice)
		return
	case s.Number > ss.first:
		ss.stream.broken(s.Number, finding.SessionBegun)
	}
	ss.open = s
	policy, err := seal.NewPolicy(s.Exclude, s.ExcludeResource)
	if err != nil { // ParseSeal has checked it
		panic("seal: " + err.Error())
	}
	ss.policy = v.intern(policy)
	if h := ss.handle; len(h.policies) == 0 && h.wrong(ss.policy, v.usual) {
		v.again = true
	}
	v.publish(ss.handle.name, ss.policy)
	for _, name := range s.Exclude {
		ss.stream.exclude(name)
	}
	for _, name := range s.ExcludeResource {
		ss.stream.exclude("resource " + name)
	}
	if s.RolledBack {
		ss.stream.rollback = append(ss.stream.rollback, s.Number)
	}
}

// adopted returns the session whose records an adopt seal settles: the one before that of the seal. Where the seals between
// are missing it goes by the handle.
func (v *Verifier) adopted(st *stream, s *seal.Seal) *session {
	own := st.sessions[s.Nonce]
	switch {
	case own.first == 0:
		st.broken(s.Number, finding.AdoptsAtFirst)
		return nil
	case own.prior != nil:
		if !v.mayAdopt(st, s.Number, s.Adopts, own.prior) {
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
		found = &session{stream: st, first: s.Number, last: s.Number, groups: map[uint64]*group{}}
		st.orphaned = append(st.orphaned, found)
		v.attach(found, s.Adopts)
	}
	if own.took == nil {
		own.took, own.tookAt = found, s.Number
	}
	return found
}

// mayAdopt reports whether a seal may settle ids of the session before its own, given the handle that it says.
func (v *Verifier) mayAdopt(st *stream, number uint64, handle string, prior *session) bool {
	switch {
	case prior.handle.name != handle:
		st.broken(number, finding.AdoptsOther)
	case prior.closed:
		st.broken(number, finding.AdoptsClosed)
	default:
		return true
	}
	return false
}

// link notes that two sessions follow each other, and checks what was adopted while that was not known.
func (v *Verifier) link(st *stream, prior, next *session) {
	next.prior, prior.next = prior, next
	if next.took != nil {
		v.mayAdopt(st, next.tookAt, next.took.handle.name, prior)
	}
}

// start is the number of the session's first seal, or where that is not here, of the last one that is missing of its beginning.
func (ss *session) start() uint64 {
	if ss.open == nil && ss.first > 0 {
		return ss.first - 1
	}
	return ss.first
}

// settledAll reports whether a session that was closed has settled every id it gave out, and no other, as far as is known.
func (ss *session) settledAll() bool {
	switch {
	case !ss.closed || ss.stream.missingIn(ss.start(), ss.closedAt):
		return true
	case ss.end == 0:
		return len(ss.settled) == 0
	}
	return len(ss.settled) == 1 && ss.settled[0] == seal.Range{First: 0, Last: ss.end - 1}
}

// fate says what to make of a record with an id of this session that no seal has settled.
func (ss *session) fate(seq uint64) finding.Reason {
	st := ss.stream
	switch {
	case ss.closed && seq >= ss.end:
		return finding.BeyondEnd
	case st.missingIn(ss.start(), ss.lastChance()):
		return finding.SealMissing
	case ss.closed:
		return finding.CoveredByNoSeal
	case ss.next == nil && !st.later(ss):
		return finding.NewerThanSeals
	case ss.next == nil:
		return finding.SealMissing
	case !ss.next.working && !st.later(ss.next):
		return finding.NotAdoptedYet
	case !ss.next.working && ss.next.next == nil:
		return finding.SealMissing
	case ss.open == nil || ss.next.open == nil:
		return finding.SealMissing
	case ss.next.open.RolledBack || ss.open.BootID != ss.next.open.BootID || ss.next.open.BootID == [16]byte{}:
		return finding.PowerLost
	}
	return finding.UncoveredAtTheEnd
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

// missingIn reports whether a seal between two authentic ones, both included, is missing.
func (st *stream) missingIn(first, last uint64) bool {
	if st.from != nil && st.from.Complete {
		first = max(first, st.runs[0].first) // the checkpoint says what came before
	}
	i := st.below(first)
	return i < 0 || last >= st.runs[i].end()
}

// later reports whether there are authentic seals of later sessions.
func (st *stream) later(ss *session) bool { return st.last.number > ss.last }

func (st *stream) exclude(name string) {
	if !slices.Contains(st.excluded, name) {
		st.excluded = append(st.excluded, name)
	}
}
