// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// TestKilledAfterAStart: what a state has held, the next one holds, however soon it is written.
func TestKilledAfterAStart(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(16).seal().take() // one group, between the open seal and its own
	s.feed(list[:1]).feed(list[17:])
	s.pass(time.Minute)
	s.want("MISSING record_missing web-17 16")
	s.feed(list[1:9])
	s.pass(10 * time.Second)
	s.save(true)
	s.load()
	s.feed(h.stamp(16).seal().take())
	s.save(false)
	s.load() // it was killed
	s.feed(list[9:17])
	s.pass(time.Minute)
	s.want("UNCHECKED not_watched  1")
	require.Equal(t, "opened resolved", s.states(finding.Missing))
}

// TestKilledTwice: what may have come before the first kill is still not missing after the second, of which less is unknown.
func TestKilledTwice(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	require.NoError(t, h.Stamp(t.Context(), 9)) // and nobody says for two minutes that they have come
	next := func() records {
		h.Advance(25 * time.Second)
		require.NoError(t, h.Stamp(t.Context(), 1))
		h.Land(1, sealtest.Taken)
		return h.seal().take()
	}
	s.feed(next())
	s.save(false)
	s.now = s.now.Add(2 * time.Minute) // the nine come, and it is killed
	s.load()
	s.feed(next())
	s.save(false)
	s.load() // and again
	for range 4 {
		s.feed(next())
		s.pass(25 * time.Second)
	}
	h.Land(0, sealtest.Taken)
	h.take()
	h.Advance(25 * time.Second)
	s.feed(h.seal().take())
	s.pass(time.Minute)
	s.want("UNCHECKED not_watched  2", "UNCHECKED not_watched web-17 9")
}

// TestKilledAndClockSetBack: who finds the state to be of the future does not know how long nobody watched, and calls nothing missing for some time.
func TestKilledAndClockSetBack(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	require.NoError(t, h.Stamp(t.Context(), 9)) // and nobody says for two minutes that they have come
	next := func() records {
		h.Advance(25 * time.Second)
		require.NoError(t, h.Stamp(t.Context(), 1))
		h.Land(1, sealtest.Taken)
		return h.seal().take()
	}
	s.feed(next())
	s.save(false)
	h.Advance(2 * time.Minute)
	s.now = s.now.Add(-time.Hour) // the nine come, and it is killed
	s.load()
	for range 4 {
		s.feed(next())
		s.pass(25 * time.Second)
	}
	h.Land(0, sealtest.Taken)
	h.take()
	s.feed(h.seal().take())
	s.pass(time.Minute)
	s.want("UNCHECKED not_watched  1", "UNCHECKED not_watched web-17 9")
}

// TestKilledWithManyGroups: what a state does not hold of the groups that lack records is UNCHECKED after a kill.
func TestKilledWithManyGroups(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	list := h.stamp(20_000).seal().stamp(20_000).seal().take()
	for _, i := range list.seals() { // and none of the records
		s.observe(list[i])
	}
	s.save(false)
	s.load()
	s.pass(time.Minute)
	s.want("UNCHECKED not_watched  1", "UNCHECKED not_watched web-17 40000")
}

// TestManyWaitAtAStop: what a state does not hold of the records that wait at a stop is UNCHECKED.
func TestManyWaitAtAStop(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.stamp(20_000).take())
	s.save(true)
	s.load()
	s.feed(h.seal().take())
	s.pass(time.Minute)
	s.want("UNCHECKED beyond_limit web-17 3616")
	require.EqualValues(t, 20_000-3616, s.w.Stats().Verified)
}

// TestSkipAtAStop: what was not looked at just before a stop is not missing after it.
func TestSkipAtAStop(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.take())
	for _, ld := range h.stamp(16).take() {
		s.w.Skip(ld, watch.Peer{})
	}
	s.save(true)
	s.load()
	s.feed(h.seal().take())
	s.pass(time.Minute)
	s.want("UNCHECKED not_looked_at web-17 16")
}

// TestResolvedAtAStop: what was not looked at just before a stop may end a finding, which the next start tells.
func TestResolvedAtAStop(t *testing.T) {
	h := newHost(t, "web-17").start()
	s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}})
	s.feed(h.stamp(16).seal().take())
	s.pass(4 * time.Minute)
	s.want("SILENT heartbeat_missed web-17 1")
	for _, ld := range h.seal().take() {
		s.w.Skip(ld, watch.Peer{})
	}
	s.save(true)
	s.load()
	s.pass(time.Second)
	s.want()
	require.Equal(t, "opened resolved", s.states(finding.Silent))
}
