// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// Session is one session of a stream, as its genuine seals tell of it.
type Session struct {
	stream *Sessions
	handle string
	open   *seal.Seal // its open seal, nil until that is genuine

	first, last uint64   // numbers of its seals, as far as they are known
	prior, next *Session // in the stream, where no seal is missing between the two
	began       uint64   // number of the first seal that is neither open nor adopt: by then, what the session before left is settled
	working     bool     // there is such a seal
	closed      bool
	closedAt    uint64     // if closed: number of the close seal
	end         uint64     // if closed: how many ids it gave out
	adoptions   []adoption // by its adopt seals, while it is not known which session is the one before

	settled seal.Ranges
	before  seal.Ranges // of settled: by the seals up to a checkpoint
	void    seal.Ranges
	closes  []closing // each close seal: there should be one
	past    bool      // it ended before the seal that the stream is verified from, which adopts from it
}

// closing is a close seal of a session, and what was settled by then: nil as long as nothing has been settled since.
type closing struct {
	number, end uint64
	settled     seal.Ranges
}

// adoption is what an adopt seal settles ids of, going by the handle alone.
type adoption struct {
	number uint64 // of the seal
	handle string
	from   *Session
}

// State says what the genuine seals have made of an id.
type State int

// The states of an id: section 6.3 calls the last two settled.
const (
	Open    State = iota // no seal settles it yet
	Before               // settled by a seal before the one that the stream is verified from
	Covered              // a seal covers it
	Void                 // a seal voids it
)

// State returns the state of an id.
func (s *Session) State(seq uint64) State {
	n := len(s.settled)
	switch {
	case n == 0 || seq > s.settled[n-1].Last || !s.settled.Contains(seq): // the first two are most records as they come
		return Open
	case len(s.before) > 0 && s.before.Contains(seq):
		return Before
	case len(s.void) > 0 && s.void.Contains(seq):
		return Void
	}
	return Covered
}

// Handle returns the session's handle. Others may have the same.
func (s *Session) Handle() string { return s.handle }

// Stream returns the name of its stream.
func (s *Session) Stream() string { return s.stream.chain.Name() }

// LateUntil is [chain.Chain.LateUntil] of the session's stream.
func (s *Session) LateUntil(number uint64) (anchor uint64, late bool) {
	return s.stream.chain.LateUntil(number)
}

// Voids returns how many ids are void.
func (s *Session) Voids() uint64 { return s.void.Len() }

// start is the number of the session's first seal, or where that is not here, of the last one that is missing of its beginning.
func (s *Session) start() uint64 {
	if s.first > 0 && (s.open == nil || s.open.Number != s.first) {
		return s.first - 1
	}
	return s.first
}

// settledAll reports whether by a close seal the session had settled every id it gave out, and no other, as far as is known. Section 6.1, "close".
func (s *Session) settledAll(c *closing) bool {
	settled := c.settled
	if settled == nil {
		settled = s.settled
	}
	switch {
	case s.stream.chain.Missing(s.start(), c.number):
		return true
	case c.end == 0:
		return len(settled) == 0
	}
	return len(settled) == 1 && settled[0] == seal.Range{First: 0, Last: c.end - 1}
}

// Fate says what to make of a record with an id that no seal has settled. Section 8.3, "neither covered nor void".
func (s *Session) Fate(seq uint64) finding.Reason {
	switch {
	case s.past:
		return finding.RecordBefore
	case s.closed && seq >= s.end:
		return finding.BeyondEnd
	case s.stream.chain.Missing(s.start(), s.lastChance()):
		return finding.SealMissing
	case s.closed:
		return finding.CoveredByNoSeal
	case s.next == nil && !s.laterSeals():
		return finding.NewerThanSeals
	case s.next == nil:
		return finding.SealMissing
	case !s.next.working && !s.next.laterSeals():
		return finding.NotAdoptedYet
	case !s.next.working && s.next.next == nil:
		return finding.SealMissing
	case s.open == nil || s.next.open == nil:
		return finding.SealMissing
	case s.next.open.RolledBack || s.open.BootID != s.next.open.BootID || s.next.open.BootID == [16]byte{}:
		return finding.PowerLost
	}
	return finding.UncoveredAtTheEnd
}

// lastChance is the number of the last seal that may settle ids of the session, as far as is known. Section 8.3, "if a seal is missing …".
func (s *Session) lastChance() uint64 {
	switch {
	case s.closed:
		return s.closedAt
	case s.next != nil && s.next.working:
		return s.next.began
	case s.next != nil:
		return s.next.last
	}
	return s.last
}

// laterSeals reports whether there are genuine seals of later sessions.
func (s *Session) laterSeals() bool { return s.stream.chain.End().Number > s.last }
