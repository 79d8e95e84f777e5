// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/pkg/seal"
)

func TestCloseWithBatchesOnTheirWay(t *testing.T) {
	ts := newTestStream(t).start()
	ts.send(4, true)
	flying, err := ts.Stamp(t.Context(), makeLogs(3))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, ts.Close(ctx, ts.emit), "1 batches were still on their way")
	require.Equal(t, seal.KindBlock, ts.last().Kind, "what was settled is sealed, and the session not closed")
	flying.Settle(true)

	ts.start()
	require.Equal(t, seal.KindAdopt, ts.last().Kind)
	require.True(t, ts.last().Doubt)
	require.Equal(t, seal.Ranges{{First: 4, Last: 6}}, ts.last().Covered)
	ts.stop()
}

// TestCloseWaits for batches that are on their way.
func TestCloseWaits(t *testing.T) {
	defer goleak.VerifyNone(t)
	ts := newTestStream(t).start()
	flying, err := ts.Stamp(t.Context(), makeLogs(3))
	require.NoError(t, err)
	closed := make(chan error)
	go func() { closed <- ts.Close(context.Background(), ts.emit) }()
	require.Eventually(t, func() bool {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		return ts.idle != nil
	}, 30*time.Second, time.Millisecond)
	flying.Settle(true)
	require.NoError(t, <-closed)
	require.Equal(t, seal.KindClose, ts.last().Kind)
}

// TestAdoption: what a killed session left behind is settled by the next.
func TestAdoption(t *testing.T) {
	ts := newTestStream(t).start()
	session := ts.handle
	ts.send(5, true) // 0–4, sealed
	require.NoError(t, ts.tick())
	ts.send(2000, true)                            // 5–2004, settled; the store is told with the next commit
	ts.send(3, false)                              // 2005–2007, likewise
	_, err := ts.Stamp(t.Context(), makeLogs(200)) // 2008–2207, on their way
	require.NoError(t, err)
	ts.send(1, true) // 2208, settled; the store does not know

	sent := len(ts.notes)
	ts.start()
	var got []string
	for _, n := range ts.notes[sent:] {
		s := n.Seal
		got = append(got, fmt.Sprintf("%s %v %v %v", s.Kind, s.Doubt, s.Covered, s.Void))
		if s.Kind == seal.KindAdopt {
			require.Equal(t, session, s.Adopts)
		}
	}
	require.Equal(t, []string{
		"block false 0-4 ", // again: the store does not know that it was sent
		"open false  ",
		"adopt false 5-1028 2005-2007",
		"adopt false 1029-2004 ",
		"adopt true 2008-2135 ",
		"adopt true 2136-2208 ",
	}, got)
	require.EqualValues(t, 2000, ts.Stats().Adopted)
	require.EqualValues(t, 201, ts.Stats().Doubted)
	ts.stop()

	// After an orderly end there is nothing to adopt.
	sent = len(ts.notes)
	ts.start()
	require.Len(t, ts.notes, sent+1)
	ts.stop()
}

// TestUnsentSeals are sent again byte for byte, before anything else.
func TestUnsentSeals(t *testing.T) {
	ts := newTestStream(t).start()
	ts.refuse = errors.New("full")
	var texts []string
	for range 3 {
		ts.send(2, true)
		require.ErrorIs(t, ts.tick(), ts.refuse)
		texts = append(texts, ts.unsent[len(ts.unsent)-1].note)
	}
	require.Equal(t, 3, ts.Stats().Unsent)
	ts.refuse = nil
	sent := len(ts.notes)
	ts.start() // after a kill
	for i, text := range texts {
		n, err := seal.ParseNote(text)
		require.NoError(t, err)
		require.Equal(t, n, ts.notes[sent+i])
	}
	require.Equal(t, seal.KindOpen, ts.notes[sent+3].Seal.Kind)
	ts.stop()
	for key := range ts.store.m {
		require.NotContains(t, key, "/seal/", "sent seals stay in the store")
	}
}

// TestNoHeartbeatsWhileSealsWait: they would only pile up.
func TestNoHeartbeatsWhileSealsWait(t *testing.T) {
	ts := newTestStream(t).start()
	ts.refuse = errors.New("full")
	ts.send(1, true)
	for range 100 {
		ts.now.Uptime += defaultHeartbeat
		require.ErrorIs(t, ts.Seal(t.Context(), ts.emit), ts.refuse)
		require.Equal(t, defaultInterval, ts.Due(), "it is tried again later, not at once")
	}
	require.Equal(t, 1, ts.Stats().Unsent)
	ts.refuse = nil
	ts.stop()
}

func TestRollback(t *testing.T) {
	ts := newTestStream(t).start()
	ts.send(5, true)
	require.NoError(t, ts.tick())
	older := map[string][]byte{}
	for key, value := range ts.store.m {
		older[key] = slices.Clone(value)
	}
	ts.send(5, true)
	require.NoError(t, ts.tick())
	ts.send(5, true)
	require.NoError(t, ts.tick())
	ts.store.m = older
	ts.start()
	open := ts.last()
	require.Equal(t, seal.KindOpen, open.Kind)
	require.True(t, open.RolledBack)
	require.EqualValues(t, 2, open.RollbackTo)
	require.EqualValues(t, 4, open.Number, "the key file knows the number")
	require.Equal(t, ts.notes[3].TextHash(), open.Prev, "and the chain")
	require.EqualValues(t, 3, open.Size, "and the tree")

	ts.store.m = map[string][]byte{}
	ts.start()
	require.True(t, ts.last().RolledBack)
	require.EqualValues(t, 0, ts.last().RollbackTo)
	require.EqualValues(t, 5, ts.last().Number)
	ts.stop()
}

// TestOldKeyFile: a key file that was restored from a copy has no key left to use.
func TestOldKeyFile(t *testing.T) {
	ts := newTestStream(t).start()
	copied := slices.Clone(ts.file.data)
	ts.send(5, true)
	require.NoError(t, ts.tick())
	ts.file.data = copied
	require.ErrorContains(t, ts.open(), "restored from a copy")
}

// TestOtherStreamsState: a stream that was enrolled anew does not touch the old one's.
func TestOtherStreamsState(t *testing.T) {
	ts := newTestStream(t).start()
	ts.send(5, true)
	ts.file.data = nil
	ts.start()
	require.EqualValues(t, 0, ts.last().Number)
	require.False(t, ts.last().RolledBack)
	ts.stop()
}

// TestRollbackWithBothSlots: the keys of the last round are both in the key file
// and storage has neither. Nothing of that round was sent, so the older one is
// used: a seal number is never given to two seals, nor skipped.
func TestRollbackWithBothSlots(t *testing.T) {
	ts := newTestStream(t).start()
	older := map[string][]byte{}
	for key, value := range ts.store.m {
		older[key] = slices.Clone(value)
	}
	ts.send(1, true)
	require.NoError(t, ts.tick())
	ts.send(1, true)
	ts.store.setFail(errors.New("crash"), false)
	require.Error(t, ts.tick())
	ts.store.setFail(nil, false)
	ts.store.m = older
	k, err := LoadKeyFile(ts.file)
	require.NoError(t, err)
	require.NotNil(t, k.slots[0])
	require.NotNil(t, k.slots[1])
	ts.start()
	require.True(t, ts.last().RolledBack)
	require.EqualValues(t, 2, ts.last().Number)
	require.Equal(t, ts.notes[1].TextHash(), ts.last().Prev)
	ts.stop()
}

// TestStartOnAFullDisk: a session begins while nothing can be stored, since what makes room starts after it. Nothing is
// stamped before its seals are stored and sent, and a stop or a kill before that changes nothing.
func TestStartOnAFullDisk(t *testing.T) {
	full := errors.New("no space left on device")
	for _, done := range []bool{false, true} { // the write took effect all the same
		for name, before := range map[string]func(*testStream){
			"started": func(*testStream) {},
			"killed":  func(ts *testStream) { require.NoError(ts.t, ts.open()) },
			"stopped": func(ts *testStream) {
				require.NoError(ts.t, ts.open())
				require.ErrorIs(ts.t, ts.Close(ts.t.Context(), ts.emit), full)
			},
		} {
			t.Run(fmt.Sprintf("%s, done %v", name, done), func(t *testing.T) {
				ts := newTestStream(t).start()
				ts.send(2000, true)
				ts.send(1, true)
				ts.store.setFail(full, done)
				before(ts)
				require.NoError(t, ts.open())
				for range 2 {
					require.ErrorIs(t, ts.tick(), full)
					_, err := ts.Stamp(t.Context(), makeLogs(1))
					require.ErrorIs(t, err, full)
				}
				require.NotEqual(t, ts.handle, ts.last().Handle, "nothing is sent that is not known to be stored")
				ts.store.setFail(nil, false)
				require.NoError(t, ts.tick())
				ts.send(3, true)
				ts.stop()

				numbers := map[uint64]string{}
				var adopted uint64
				for i, n := range ts.notes {
					if earlier, ok := numbers[n.Seal.Number]; ok {
						require.Equal(t, earlier, ts.bodies[i], "a number is used once")
						continue
					}
					numbers[n.Seal.Number] = ts.bodies[i]
					if n.Seal.Kind == seal.KindAdopt {
						adopted += n.Seal.Covered.Len()
					}
				}
				require.EqualValues(t, 2001, adopted)
				require.Equal(t, seal.KindClose, ts.last().Kind)
				require.Len(t, numbers, int(ts.last().Number)+1, "none is missing")
			})
		}
	}
}
