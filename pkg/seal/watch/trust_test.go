// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"crypto/x509"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// sending is a host whose logs are watched.
type sending struct {
	*sealtest.Host
	t    *testing.T
	sent int
}

func newSending(t *testing.T) *sending {
	host, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, err)
	h := &sending{Host: host, t: t}
	require.NoError(t, host.Start(t.Context()))
	return h
}

// send has the host stamp and seal n records, and the watcher see them.
func (h *sending) send(s *seen, n int) {
	require.NoError(h.t, h.Stamp(h.t.Context(), n))
	h.Land(0, sealtest.Taken)
	require.NoError(h.t, h.Seal(h.t.Context()))
	for ; h.sent < len(h.Received); h.sent++ {
		s.observe(h.Received[h.sent])
	}
}

// TestSetTrust: a host that is enrolled while the watcher runs is verified from its first seal on, and one that was learned stays
// known when its line comes.
func TestSetTrust(t *testing.T) {
	for name, learn := range map[string]bool{"alert": false, "learn": true} {
		t.Run(name, func(t *testing.T) {
			host, want := newSending(t), 5
			s := newSeen(t, watch.Config{Learn: learn})
			if learn {
				host.send(s, 3)
				want += 3
				require.Len(t, s.w.Learned(), 1)
			}
			for range 2 {
				s.take(s.w.SetTrust([]seal.Trust{host.Trust}, s.now))
			}
			require.Empty(t, s.w.Learned(), "the operator vouches for it now")
			host.send(s, 5)
			require.Empty(t, s.open)
			require.Equal(t, uint64(want), s.w.Stats().Verified)
			require.Len(t, s.w.Stats().Streams, 1)
			s.save(true)
			s.config.Trust = []seal.Trust{host.Trust}
			s.load()
			host.send(s, 5)
			require.Empty(t, s.open)
			require.Equal(t, uint64(5), s.w.Stats().Verified)
		})
	}
}

// TestSetTrustTooLate: seals of a stream that was unknown are gone, and nobody takes its later ones on faith.
func TestSetTrustTooLate(t *testing.T) {
	host := newSending(t)
	s := newSeen(t, watch.Config{})
	host.send(s, 3)
	require.Contains(t, s.codes(), finding.UnknownStream)
	s.take(s.w.SetTrust([]seal.Trust{host.Trust}, s.now))
	require.NotContains(t, s.codes(), finding.UnknownStream, "it is known now")
	host.send(s, 3)
	s.pass(2 * watch.DefaultLateAfter)
	require.Contains(t, s.codes(), finding.Absent)
	require.Zero(t, s.w.Stats().Verified)
}

// TestSetTrustTakesAway: a stream whose line is gone is unknown from then on, in the state too, and another stream is none the worse. When the line comes back
// its chain cannot be taken up in the middle.
func TestSetTrustTakesAway(t *testing.T) {
	host, other := newSending(t), newHost(t, "web-18").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{host.Trust, other.Trust}})
	s.save(false)
	host.send(s, 3)
	list := other.stamp(20).seal().take()
	record(list[3]).Body().SetStr("altered")
	s.feed(list[:10]).feed(list[11:])
	require.Contains(t, s.codes(), finding.Altered)
	s.save(false)
	require.Len(t, s.store, 4, "two streams, the findings, the index")
	s.take(s.w.SetTrust([]seal.Trust{host.Trust}, s.now))
	s.save(false)
	require.Len(t, s.store, 3)
	host.send(s, 5)
	s.feed(other.stamp(3).seal().take())
	s.pass(2 * watch.DefaultLateAfter)
	require.Contains(t, s.String(), "opened UNKNOWN_STREAM not_trusted")
	require.Empty(t, s.states(finding.Missing))
	require.EqualValues(t, 3+5+4, s.w.Stats().Verified) // and one group of the other's before
	require.Len(t, s.w.Stats().Streams, 1)
	s.save(true)
	s.config.Trust = []seal.Trust{host.Trust}
	s.load()
	host.send(s, 5)
	require.EqualValues(t, 5, s.w.Stats().Verified)

	s.take(s.w.SetTrust([]seal.Trust{host.Trust, other.Trust}, s.now))
	s.feed(other.stamp(3).seal().take())
	s.pass(2 * watch.DefaultLateAfter)
	require.Contains(t, s.String(), "opened ABSENT no_first_seal web-18")
}

// TestPartialLearnsNothingInTheMiddle: a stream that comes over from another gateway is no stranger, and what it proves is not known here.
func TestPartialLearnsNothingInTheMiddle(t *testing.T) {
	for name, partial := range map[string]bool{"one of several": true, "alone": false} {
		t.Run(name, func(t *testing.T) {
			host := newSending(t)
			s := newSeen(t, watch.Config{Learn: true, Partial: partial})
			host.send(newSeen(t, watch.Config{Learn: true, Partial: partial}), 3)
			for range 3 {
				host.send(s, 3)
				s.pass(2 * watch.DefaultLateAfter)
			}
			if partial {
				require.Equal(t, []finding.Code{finding.Unchecked}, s.codes())
			} else {
				require.Contains(t, s.codes(), finding.UnknownStream)
			}
		})
	}
}

// TestSetRoots: a CA that is added vouches for streams that begin after that, and one that is taken out for no further ones. The stream that
// it vouched for goes on.
func TestSetRoots(t *testing.T) {
	ca := testpki.NewCA("fleet")
	s := newSeen(t, watch.Config{Roots: x509.NewCertPool()})
	s.w.SetRoots(ca.Pool())
	h := newEndorsed(t, "web-17", ca.NewLeaf("web-17", testpki.Names("web-17.example.com"))).start()
	s.feed(h.stamp(5).seal().take())
	s.w.SetRoots(testpki.NewCA("other").Pool())
	s.feed(h.stamp(5).seal().take())
	require.EqualValues(t, 10, s.w.Stats().Verified)
	require.Empty(t, s.open)
	s.feed(newEndorsed(t, "web-18", ca.NewLeaf("web-18", testpki.Names("web-18.example.com"))).start().take())
	require.Contains(t, s.String(), "UNKNOWN_STREAM endorsement_chain")
	require.Len(t, s.w.Stats().Streams, 1)
}

// startOf is where a stream can be watched from, as "logseal verify --checkpoint" says it of what a host has sent so far.
func startOf(t *testing.T, h *sealtest.Host) *watch.Start {
	report := offline(t, h.Received, h.Trust)
	require.Len(t, report.Checkpoints, 1)
	c := report.Checkpoints[0]
	s := &watch.Start{Last: c.Last, StartSession: watch.StartSession{Open: c.Open, Settled: c.Settled}, Complete: c.Complete, Former: c.Former}
	for _, leaf := range c.Waiting {
		s.Waiting = append(s.Waiting, watch.StartLeaf(leaf))
	}
	if p := c.Prior; p != nil {
		s.Prior = &watch.StartSession{Open: p.Open, Settled: p.Settled}
		for _, leaf := range p.Waiting {
			s.Prior.Waiting = append(s.Prior.Waiting, watch.StartLeaf(leaf))
		}
	}
	return s
}

// TestStartFrom: a stream that began before it was watched is watched from a checkpoint on: what its absence had raised is resolved, what comes is verified, what is
// altered is found, and a restart goes on with it.
func TestStartFrom(t *testing.T) {
	h := newHost(t, "web-17").start()
	h.stamp(20).seal().stop()
	h.start().stamp(5).seal()
	h.sent = len(h.Received)
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.save(false)
	s.feed(h.stamp(20).seal().take())
	s.pass(2 * watch.DefaultLateAfter)
	s.want("ABSENT no_first_seal web-17 1", "ORPHAN session_unknown  20")

	before := *h.Host
	start := startOf(t, &before)
	s.feed(h.stamp(3).seal().take()) // it waits for the chain to reach it
	events, err := s.w.StartFrom(start, s.now)
	require.NoError(t, err)
	s.take(events)
	s.want()
	s.feed(h.stamp(20).seal().take())
	require.EqualValues(t, 3+20, s.w.Stats().Verified)
	_, err = s.w.StartFrom(start, s.now)
	require.NoError(t, err, "it is watched, and goes on")
	s.save(true)
	s.load()
	list := h.stamp(20).seal().take()
	record(list[3]).Body().SetStr("altered")
	s.feed(list)
	s.want("ALTERED digest_differs web-17 1")

	// Later seals than those that the checkpoint names the keys of, and others of before, are no alarm.
	late := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	_, err = late.w.StartFrom(start, late.now)
	require.NoError(t, err)
	late.feed(flatten(h.Received[:4])).feed(h.stamp(3).seal().take())
	late.pass(2 * watch.DefaultLateAfter)
	for _, e := range late.open {
		require.Equal(t, finding.Unchecked, e.Finding.Code, describe(e))
	}
}

// TestStartFromErrors: what does not fit changes nothing.
func TestStartFromErrors(t *testing.T) {
	h, other := newHost(t, "web-17").start(), newHost(t, "web-18").start()
	h.stamp(3).seal()
	other.stamp(3).seal()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	for want, change := range map[string]func() *watch.Start{
		"which is not trusted: its trust line is needed": func() *watch.Start { return startOf(t, other.Host) },
		"it is not known which attributes count":         func() *watch.Start { c := startOf(t, h.Host); c.Open = nil; return c },
		"is not the open seal of the session":            func() *watch.Start { c := startOf(t, h.Host); c.Open = startOf(t, other.Host).Open; return c },
		"does not open before it":                        func() *watch.Start { c := startOf(t, h.Host); c.Prior = &watch.StartSession{Open: c.Open}; return c },
	} {
		_, err := s.w.StartFrom(change(), s.now)
		require.ErrorContains(t, err, want)
		require.True(t, s.w.Stats().Streams[0].SealTime.IsZero())
	}
}
