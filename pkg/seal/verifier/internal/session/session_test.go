// SPDX-License-Identifier: Apache-2.0

package session

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/chain"
)

// stream makes the seals of one, session by session, and the sessions that a verifier makes of them.
type stream struct {
	*forge.Forger
	t     *testing.T
	trust seal.Trust
	base  seal.Seal // of the running session
	notes []string
}

func newStream(t *testing.T) *stream {
	random := rand.NewChaCha8([32]byte{1})
	keys, err := keychain.New(false, random)
	require.NoError(t, err)
	return &stream{Forger: &forge.Forger{Chain: keys, Random: random}, t: t, trust: seal.Trust{Name: "web-17", Key: keys.Key.Public}}
}

func (s *stream) add(kind seal.Kind, edit func(*seal.Seal)) *stream {
	made := s.base
	made.Kind = kind
	if edit != nil {
		edit(&made)
	}
	s.notes = append(s.notes, s.Seal(made, nil))
	return s
}

// open starts session number n, of a boot.
func (s *stream) open(n, boot byte) *stream {
	nonce := [16]byte{n}
	s.base = seal.Seal{StreamID: s.trust.StreamID(), Nonce: nonce, Handle: handleOf(s, n), Time: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), BootID: [16]byte{boot}}
	return s.add(seal.KindOpen, func(o *seal.Seal) {
		o.Name, o.Key, o.Software, o.Interval, o.Heartbeat = "web-17", s.trust.Key, "test/1", time.Second, time.Minute
	})
}

func handleOf(s *stream, n byte) string {
	nonce := [16]byte{n}
	return seal.NewHandle(&s.trust.Key, &nonce)
}

func covers(first, last uint64) func(*seal.Seal) {
	return func(s *seal.Seal) {
		s.Covered = seal.Ranges{{First: first, Last: last}}
		n := last - first + 1
		s.Groups, s.Prefixes = make([]seal.Hash, (n+15)/16), make([]byte, 2*n)
	}
}

func (s *stream) block(first, last uint64) *stream { return s.add(seal.KindBlock, covers(first, last)) }

func (s *stream) void(seq uint64) *stream {
	return s.add(seal.KindHeartbeat, func(h *seal.Seal) { h.Void = seal.Ranges{{First: seq, Last: seq}} })
}

func (s *stream) close(end uint64) *stream {
	return s.add(seal.KindClose, func(c *seal.Seal) { c.End = end })
}

// adopt settles ids of session number n.
func (s *stream) adopt(n byte, first, last uint64) *stream {
	return s.add(seal.KindAdopt, func(a *seal.Seal) {
		covers(first, last)(a)
		a.Adopts = handleOf(s, n)
	})
}

// beat makes heartbeats up to a seal.
func (s *stream) beat(until uint64) *stream {
	for s.Number() <= until {
		s.add(seal.KindHeartbeat, nil)
	}
	return s
}

// of makes session number n, which another has followed, the running one again, of a seal without an open line.
func (s *stream) of(n byte) *stream {
	s.base.Nonce, s.base.Handle = [16]byte{n}, handleOf(s, n)
	return s
}

// spoil drops the anchor signature of an anchor.
func (s *stream) spoil(number int) {
	at := strings.Index(s.notes[number], "\n— logseal.v1/"+s.trust.StreamID()+"/anchor ")
	require.Positive(s.t, at)
	end := at + 1 + strings.Index(s.notes[number][at+1:], "\n")
	s.notes[number] = s.notes[number][:at] + s.notes[number][end:]
}

// silent listens to nothing.
type silent struct{}

func (silent) SessionFound(*Session)             {}
func (silent) PolicyKnown(*Session, seal.Policy) {}
func (silent) Settled(Settlement)                {}

// verify returns the sessions of the stream but for the seals with some numbers, begun with the one with number from, and the findings.
func (s *stream) verify(from int, without ...int) (*Sessions, map[finding.Code]int) {
	var list finding.List
	c := chain.New(chain.Config{Trust: s.trust, StreamID: s.trust.StreamID(), Memory: new(chain.Memory), Findings: &list})
	sessions := New(c, silent{})
	if from > 0 {
		n, err := seal.ParseNote(s.notes[from])
		require.NoError(s.t, err)
		c.StartFrom(n.Seal, false, nil, finding.Place{})
		sessions.Resume(Resumed{Last: n.Seal}, nil)
	}
	for i, body := range s.notes {
		lost := false
		for _, number := range without {
			lost = lost || number == i
		}
		if !lost {
			n, err := chain.ParseNote([]byte(body), finding.Place{})
			require.NoError(s.t, err)
			c.Add(n)
		}
	}
	require.True(s.t, c.FinishSeals())
	sessions.CheckClosed()
	c.FinishContradictions()
	found := map[finding.Code]int{}
	for _, f := range list.Sorted() {
		found[f.Code] += int(f.Count)
	}
	return sessions, found
}

// TestFate: what section 8.3 says of an id of the first session that no seal settles, or of one that is settled.
func TestFate(t *testing.T) {
	for name, c := range map[string]struct {
		make    func(*stream) *stream
		from    int
		without []int
		spoilt  int // the anchor whose anchor signature is spoilt
		seq     uint64
		state   State
		fate    finding.Reason
		found   map[finding.Code]int
	}{
		"covered":                      {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4) }, seq: 4, state: Covered},
		"void":                         {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).void(5) }, seq: 5, state: Void},
		"newer than the last seal":     {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4) }, seq: 5, fate: finding.NewerThanSeals},
		"beyond the end":               {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).close(5) }, seq: 5, fate: finding.BeyondEnd},
		"settled by no seal":           {make: func(s *stream) *stream { return s.open(1, 1).block(0, 3).close(5) }, seq: 4, fate: finding.CoveredByNoSeal, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"the next session has begun":   {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1) }, seq: 5, fate: finding.NotAdoptedYet},
		"the next session works":       {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).block(0, 0) }, seq: 5, fate: finding.UncoveredAtTheEnd},
		"after a power loss":           {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 2).block(0, 0) }, seq: 5, fate: finding.PowerLost},
		"where no boot is known":       {make: func(s *stream) *stream { return s.open(1, 0).block(0, 4).open(2, 0).block(0, 0) }, seq: 5, fate: finding.PowerLost},
		"adopted":                      {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).adopt(1, 5, 6).block(0, 0) }, seq: 6, state: Covered},
		"a seal is missing":            {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).beat(66) }, without: []int{30}, seq: 5, fate: finding.SealMissing, found: map[finding.Code]int{finding.MissingSeal: 1}},
		"missing beyond the next":      {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).beat(66) }, without: []int{30}, seq: 5, fate: finding.UncoveredAtTheEnd, found: map[finding.Code]int{finding.MissingSeal: 1}},
		"settled twice":                {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).block(4, 6) }, seq: 6, fate: finding.NewerThanSeals, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"adopted of another":           {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).adopt(3, 5, 6).block(0, 0) }, seq: 6, fate: finding.UncoveredAtTheEnd, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"adopted of a closed one":      {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).close(5).open(2, 1).adopt(1, 5, 6) }, seq: 6, fate: finding.BeyondEnd, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"adopted by a given seal":      {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).adopt(1, 5, 6).adopt(1, 7, 8) }, from: 3, seq: 6, state: Before, found: map[finding.Code]int{finding.Before: 3}},
		"adopted after a given seal":   {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).adopt(1, 5, 6).adopt(1, 7, 8) }, from: 3, seq: 8, state: Covered, found: map[finding.Code]int{finding.Before: 3}},
		"settled before a given adopt": {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).open(2, 1).adopt(1, 5, 6).block(0, 0) }, from: 3, seq: 4, fate: finding.RecordBefore, found: map[finding.Code]int{finding.Before: 3}},
		"closed again":                 {make: func(s *stream) *stream { return s.open(1, 1).block(0, 4).close(5).block(5, 5).close(6) }, seq: 5, state: Covered, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"the next, opened again": {make: func(s *stream) *stream {
			return s.open(1, 1).block(0, 4).open(2, 1).open(3, 1).open(2, 1).adopt(1, 5, 6)
		}, seq: 6, state: Covered, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"two sessions next": {make: func(s *stream) *stream {
			return s.open(1, 1).block(0, 4).open(2, 1).block(0, 0).of(1).beat(4).open(3, 2).block(0, 0)
		}, seq: 5, fate: finding.PowerLost, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"two next, joined to the first": {make: func(s *stream) *stream {
			return s.open(1, 1).block(0, 4).beat(63).open(2, 1).block(0, 0).of(1).beat(66).open(3, 2).beat(128)
		}, spoilt: 64, seq: 5, fate: finding.PowerLost, found: map[finding.Code]int{finding.BrokenChain: 1}},
		"adopted of another by a session that is joined": {make: func(s *stream) *stream {
			return s.open(1, 1).block(0, 4).open(3, 1).beat(63).open(2, 1).adopt(1, 5, 6).beat(128)
		}, spoilt: 64, seq: 6, fate: finding.UncoveredAtTheEnd, found: map[finding.Code]int{finding.BrokenChain: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.make(newStream(t))
			if c.spoilt > 0 {
				s.spoil(c.spoilt)
			}
			sessions, found := s.verify(c.from, c.without...)
			if c.found == nil {
				c.found = map[finding.Code]int{}
			}
			require.Equal(t, c.found, found)
			require.False(t, sessions.DependsOnOrder())
			var first *Session
			for _, session := range sessions.All() {
				if session.Handle() == handleOf(s, 1) {
					first = session
				}
			}
			require.NotNil(t, first)
			require.Equal(t, c.state, first.State(c.seq))
			if c.state == Open {
				require.Equal(t, c.fate, first.Fate(c.seq))
			}
		})
	}
}

// TestAdoptionDependsOnOrder: an adopt seal that comes before the session it adopts from goes by the handle alone, and that is known.
func TestAdoptionDependsOnOrder(t *testing.T) {
	s := newStream(t).open(1, 1).block(0, 4).beat(62).open(2, 1).adopt(1, 5, 6)
	require.EqualValues(t, 65, s.Number())
	sessions, found := s.verify(0)
	require.Empty(t, found)
	require.False(t, sessions.DependsOnOrder())
	last := len(s.notes) - 1
	s.notes = append([]string{s.notes[0], s.notes[last]}, s.notes[1:last]...)
	sessions, found = s.verify(0)
	require.Empty(t, found)
	require.False(t, sessions.DependsOnOrder(), "the session was known by its open seal")

	s = newStream(t).open(1, 1).close(0).open(3, 1).beat(62).open(2, 1).adopt(3, 5, 6)
	last = len(s.notes) - 1
	s.notes = append([]string{s.notes[0], s.notes[last]}, s.notes[1:last]...)
	sessions, _ = s.verify(0)
	require.True(t, sessions.DependsOnOrder())
}
