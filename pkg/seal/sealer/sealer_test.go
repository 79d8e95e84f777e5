// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

func TestBlocksOfEverySize(t *testing.T) {
	ts := newTestStream(t).start()
	var blocks seal.Tree
	for size := 1; size <= seal.MaxBlock+1; size++ {
		if atGroup := (size+1)%16 < 3 && size/16%8 == 0; size > 49 && size < 1007 && !atGroup {
			continue // all where groups begin and end, of every eighth group
		}
		before := len(ts.notes)
		ld := ts.send(size, true)
		require.NoError(t, ts.tick())
		leaves := leavesOf(t, ld)
		for _, n := range ts.notes[before:] {
			s := n.Seal
			require.Equal(t, seal.KindBlock, s.Kind)
			k := int(s.Covered.Len())
			require.Equal(t, seal.AppendGroups(nil, leaves[:k], seal.GroupSize), s.Groups)
			root := seal.Root(leaves[:k])
			blocks.Append(root)
			require.Equal(t, blocks.Root(), s.Root)
			for i := range k {
				require.Equal(t, leaves[i][:2], s.Prefixes[2*i:2*i+2])
			}
			leaves = leaves[k:]
		}
		require.Empty(t, leaves)
	}
	ts.stop()
	require.Equal(t, seal.KindClose, ts.last().Kind)
}

func TestIDs(t *testing.T) {
	ts := newTestStream(t).start()
	var seq uint64
	for _, size := range []int{1, 9, 1, 95, 1000} {
		ld := makeLogs(size)
		// What comes in as an id is replaced, whatever it is.
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		records.At(0).Attributes().PutStr(seal.IDKey, "aaaaaaaa-7")
		records.At(size-1).Attributes().PutEmptyMap(seal.IDKey).PutStr("x", "y")
		samples.Duplicate(records.At(size/2).Attributes(), seal.IDKey, "aaaaaaaa-8")
		b, err := ts.Stamp(t.Context(), ld)
		require.NoError(t, err)
		b.Settle(true)
		for _, lr := range records.All() {
			require.Equal(t, map[string]any{seal.IDKey: seal.ID{Handle: ts.handle, Seq: seq}.String()}, lr.Attributes().AsRaw())
			require.Equal(t, 1, lr.Attributes().Len())
			seq++
		}
	}
	require.EqualValues(t, seq, ts.Stats().Records)
	ts.stop()
}

func TestSealIsDue(t *testing.T) {
	ts := newTestStream(t).start()
	require.Equal(t, defaultHeartbeat, ts.Due())
	ts.now.Uptime += 30 * time.Second
	require.NoError(t, ts.Seal(t.Context(), ts.emit))
	require.Len(t, ts.notes, 1, "nothing was due")

	ts.send(3, true)
	require.Equal(t, defaultInterval, ts.Due())
	<-ts.Ready()
	ts.now.Uptime += defaultInterval / 2
	ts.send(3, true)
	require.Equal(t, defaultInterval/2, ts.Due(), "the first record waits no longer for the second")
	require.Equal(t, defaultInterval/2, ts.Stats().Oldest)
	require.NoError(t, ts.tick())
	require.Equal(t, seal.Ranges{{First: 0, Last: 5}}, ts.last().Covered)
	require.Equal(t, defaultHeartbeat, ts.Due())

	ts.send(seal.MaxBlock, true)
	require.Equal(t, minRound, ts.Due(), "a full block waits no longer than for the round before")
	<-ts.Ready()
	require.NoError(t, ts.tick())
	require.NoError(t, ts.tick())
	require.Equal(t, seal.KindHeartbeat, ts.last().Kind)
	require.EqualValues(t, 2, ts.last().Size)

	// The wall clock has no part in it.
	ts.now.Time = ts.now.Time.Add(-time.Hour)
	require.Equal(t, defaultHeartbeat, ts.Due())
	ts.stop()
}

func TestOutOfOrderAndRefused(t *testing.T) {
	ts := newTestStream(t).start()
	var batches []*Batch
	for range 5 {
		b, err := ts.Stamp(t.Context(), makeLogs(10))
		require.NoError(t, err)
		batches = append(batches, b)
	}
	batches[3].Settle(true)
	batches[1].Settle(false)
	batches[4].Settle(true)
	batches[4].Settle(false) // once is enough
	require.NoError(t, ts.tick())
	require.Equal(t, seal.Ranges{{First: 30, Last: 49}}, ts.last().Covered)
	require.Equal(t, seal.Ranges{{First: 10, Last: 19}}, ts.last().Void)
	batches[0].Settle(true)
	batches[2].Settle(false)
	require.Equal(t, 10, ts.unsealed, "the voids are out, ten wait")
	require.NoError(t, ts.tick())
	require.Equal(t, seal.Ranges{{First: 0, Last: 9}}, ts.last().Covered)
	require.Equal(t, seal.Ranges{{First: 20, Last: 29}}, ts.last().Void)
	ts.stop()
	require.EqualValues(t, 50, ts.last().End)
	stats := ts.Stats()
	require.EqualValues(t, 20, stats.Voided)
	require.Zero(t, stats.InFlight+stats.Waiting+stats.Unsent)
	require.Len(t, ts.store.m, 1, "only the state is left in the store")
}

// TestManyVoids: more void ranges than one seal may hold.
func TestManyVoids(t *testing.T) {
	ts := newTestStream(t).start()
	for range 1300 {
		ts.send(1, false)
		ts.send(1, true)
	}
	require.NoError(t, ts.tick())
	ts.send(1, false)
	ts.stop()
	settled := map[uint64]bool{}
	for _, n := range ts.notes {
		for _, rs := range []seal.Ranges{n.Seal.Covered, n.Seal.Void} {
			for _, r := range rs {
				for seq := r.First; seq <= r.Last; seq++ {
					require.False(t, settled[seq])
					settled[seq] = true
				}
			}
		}
	}
	require.Len(t, settled, 2601)
}

func TestStampRefuses(t *testing.T) {
	ts := newTestStream(t)
	ts.cfg.MaxUnsealed = 100
	require.NoError(t, ts.open())
	_, err := ts.Stamp(t.Context(), makeLogs(1))
	require.ErrorContains(t, err, "open seal could not be sent yet")
	ts.refuse = errors.New("full")
	require.ErrorIs(t, ts.Seal(t.Context(), ts.emit), ts.refuse)
	_, err = ts.Stamp(t.Context(), makeLogs(1))
	require.ErrorContains(t, err, "open seal could not be sent yet")
	ts.refuse = nil
	require.Equal(t, defaultInterval, ts.Due())
	require.NoError(t, ts.tick())

	big, err := ts.Stamp(t.Context(), makeLogs(150))
	require.NoError(t, err, "a batch beyond the limit passes when it is alone")
	_, err = ts.Stamp(t.Context(), makeLogs(1))
	require.ErrorIs(t, err, ErrBusy)
	big.Settle(true)
	_, err = ts.Stamp(t.Context(), makeLogs(1))
	require.ErrorIs(t, err, ErrBusy, "settled is not sealed")
	require.NoError(t, ts.tick())
	ts.send(1, true)

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ts.Stamp(canceled, makeLogs(1))
	require.ErrorIs(t, err, context.Canceled)
	empty, err := ts.Stamp(t.Context(), plog.NewLogs())
	require.NoError(t, err)
	empty.Settle(true)
	ts.stop()
	_, err = ts.Stamp(t.Context(), makeLogs(1))
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, ts.Seal(t.Context(), ts.emit), ErrClosed)
	require.NoError(t, ts.Close(t.Context(), ts.emit))
	require.EqualValues(t, 4, ts.Stats().Refused-1)
}

// TestWritesFail: nothing is stamped that could stay unsealed, nothing is lost, and
// what could be written in part is written again with the same bytes.
func TestWritesFail(t *testing.T) {
	broken := errors.New("no space left on device")
	for name, c := range map[string]struct {
		fail, mend func(*testStream)
	}{
		"storage":              {func(ts *testStream) { ts.store.setFail(broken, false) }, func(ts *testStream) { ts.store.setFail(nil, false) }},
		"storage, after doing": {func(ts *testStream) { ts.store.setFail(broken, true) }, func(ts *testStream) { ts.store.setFail(nil, false) }},
		"key file":             {func(ts *testStream) { ts.file.fail = broken }, func(ts *testStream) { ts.file.fail = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newTestStream(t).start()
			ts.send(5, true)
			c.fail(ts)
			before := len(ts.notes)
			for range 3 {
				require.ErrorIs(t, ts.tick(), broken)
				require.Equal(t, defaultInterval, ts.Due())
				_, err := ts.Stamp(t.Context(), makeLogs(2))
				require.ErrorIs(t, err, broken)
			}
			require.Len(t, ts.notes, before, "a seal was sent that is not safe on disk")
			c.mend(ts)
			require.NoError(t, ts.tick())
			ts.send(7, true)
			ts.stop()
			require.Equal(t, seal.KindClose, ts.last().Kind)
			for i, n := range ts.notes {
				require.EqualValues(t, i, n.Seal.Number)
			}
		})
	}
}

func TestCommitFails(t *testing.T) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprint("done ", done), func(t *testing.T) {
			broken := errors.New("no space left on device")
			ts := newTestStream(t).start()
			ts.store.setFail(broken, done)
			for range 3 {
				_, err := ts.Stamp(t.Context(), makeLogs(4))
				require.ErrorIs(t, err, broken)
			}
			ts.store.setFail(nil, false)
			ts.send(2, true)
			require.NoError(t, ts.tick())
			require.Equal(t, seal.Ranges{{First: 12, Last: 13}}, ts.last().Covered)
			require.Equal(t, seal.Ranges{{First: 0, Last: 11}}, ts.last().Void)
			ts.stop()
		})
	}
}

// TestGroupCommit: batches that come while a commit is under way share the next.
func TestGroupCommit(t *testing.T) {
	defer goleak.VerifyNone(t)
	ts := newTestStream(t).start()
	hold := make(chan struct{})
	ts.store.mu.Lock()
	ts.store.hold = hold
	before := ts.store.sets
	ts.store.mu.Unlock()
	var wg sync.WaitGroup
	stamp := func() {
		wg.Go(func() {
			b, err := ts.Stamp(context.Background(), makeLogs(3))
			if err != nil {
				t.Error(err)
				return
			}
			b.Settle(true)
		})
	}
	waiting := func(n int, committing bool) func() bool {
		return func() bool {
			ts.mu.Lock()
			defer ts.mu.Unlock()
			return len(ts.waiting) == n && ts.committing == committing
		}
	}
	stamp()
	require.Eventually(t, waiting(0, true), 30*time.Second, time.Millisecond)
	for range 10 {
		stamp()
	}
	require.Eventually(t, waiting(10, true), 30*time.Second, time.Millisecond)
	close(hold)
	wg.Wait()
	require.Equal(t, 2, ts.store.sets-before)
	require.NoError(t, ts.tick())
	require.Equal(t, seal.Ranges{{First: 0, Last: 32}}, ts.last().Covered)
	ts.stop()
}

// TestConcurrent stamps, settles and seals from many goroutines at once.
func TestConcurrent(t *testing.T) {
	defer goleak.VerifyNone(t)
	ts := newTestStream(t).start()
	var wg sync.WaitGroup
	var mu sync.Mutex
	leaves := map[string]seal.Hash{}
	for g := range 10 {
		wg.Go(func() {
			for i := range 50 {
				ld := makeLogs(1 + (g+i)%40)
				b, err := ts.Stamp(context.Background(), ld)
				if err != nil {
					t.Error(err)
					return
				}
				forwarded := (g+i)%7 > 0
				if forwarded {
					list := leavesOf(t, ld)
					mu.Lock()
					for j, leaf := range list {
						id, _ := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(j).Attributes().Get(seal.IDKey)
						leaves[id.Str()] = leaf
					}
					mu.Unlock()
				}
				b.Settle(forwarded)
			}
		})
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				ts.sealing.Lock()
				ts.round = ts.take()
				if len(ts.round.drafts) == 0 {
					ts.round = nil
				} else if err := ts.finish(context.Background()); err != nil {
					t.Error(err)
				}
				ts.sealing.Unlock()
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-done
	ts.stop()
	covered := 0
	for _, n := range ts.notes {
		var block []seal.Hash
		for _, r := range n.Seal.Covered {
			for seq := r.First; seq <= r.Last; seq++ {
				leaf, ok := leaves[seal.ID{Handle: ts.handle, Seq: seq}.String()]
				require.True(t, ok, "seq %d was not forwarded", seq)
				block = append(block, leaf)
			}
		}
		if len(block) > 0 {
			require.Equal(t, seal.AppendGroups(nil, block, seal.GroupSize), n.Seal.Groups)
		}
		covered += len(block)
	}
	require.Equal(t, len(leaves), covered)
}

func TestPolicyInOpenSeal(t *testing.T) {
	ts := newTestStream(t)
	var err error
	ts.cfg.Policy, err = seal.NewPolicy([]string{"k8s.*", "added"}, nil)
	require.NoError(t, err)
	ts.cfg.Software, ts.cfg.Interval, ts.cfg.Heartbeat = "logseal/0.1.0", 2*time.Second, 5*time.Minute
	ts.start()
	s := ts.last()
	require.Equal(t, []string{"added", "k8s.*"}, s.Exclude)
	require.Equal(t, "logseal/0.1.0", s.Software)
	require.Equal(t, 2*time.Second, s.Interval)
	require.Equal(t, 5*time.Minute, s.Heartbeat)
	require.Equal(t, "web-17", s.Name)
	require.Equal(t, ts.Trust().Key, s.Key)
	ts.stop()

	for _, bad := range [][]string{{"*"}, {".*"}, {"a*"}, {"a.*.b"}, {"a b"}, {`a"`}, {`a\`}, {""}, {"é"}, {seal.IDKey}, {"a", "a"}, make([]string, 65)} {
		_, err := seal.NewPolicy(bad, nil)
		require.Error(t, err, "%q", bad)
		_, err = seal.NewPolicy(nil, bad)
		require.Error(t, err, "%q of resources", bad)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"interval":  {func(c *Config) { c.Interval = time.Microsecond }, "interval 1µs"},
		"heartbeat": {func(c *Config) { c.Heartbeat = -time.Second }, "heartbeat -1s"},
		"software":  {func(c *Config) { c.Software = "a b" }, "software"},
	} {
		t.Run(name, func(t *testing.T) {
			ts := newTestStream(t)
			c.change(&ts.cfg)
			require.ErrorContains(t, ts.open(), c.want)
		})
	}
	_, err := Open(t.Context(), Config{})
	require.Error(t, err)
}

// TestBytesPerRecord measures what stamps and seals cost as flat JSON, the way most
// SIEMs store it, at 1,000 records a second with the defaults.
func TestBytesPerRecord(t *testing.T) {
	ts := newTestStream(t)
	ts.cfg.SealResource = map[string]string{"service.name": "logseal", "host.name": "web-17"}
	ts.start()
	ts.nextSeq = 86_400_000 // after a day, when ids are eight digits long
	var total, records int
	count := func(_ context.Context, ld plog.Logs) error {
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			flat := ld.ResourceLogs().At(0).Resource().Attributes().AsRaw()
			flat["timestamp"] = lr.Timestamp().AsTime().Format(time.RFC3339Nano)
			flat["severity"] = lr.SeverityNumber().String()
			flat["event_name"], flat["body"] = lr.EventName(), lr.Body().Str()
			line, err := json.Marshal(flat)
			require.NoError(t, err)
			total += len(line) + 1
		}
		return nil
	}
	for range 2 * 60 * 10 { // two minutes, in batches of 100
		ld := makeLogs(100)
		b, err := ts.Stamp(t.Context(), ld)
		require.NoError(t, err)
		b.Settle(true)
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			id, _ := lr.Attributes().Get(seal.IDKey)
			total += len(fmt.Sprintf(`%q:%q,`, seal.IDKey, id.Str()))
			records++
		}
		ts.now.Uptime += 100 * time.Millisecond
		ts.now.Time = ts.now.Time.Add(100 * time.Millisecond)
		if ts.Due() == 0 {
			require.NoError(t, ts.Seal(t.Context(), count))
		}
	}
	perRecord := float64(total) / float64(records)
	t.Logf("%.1f bytes a record: %d records, %d seals", perRecord, records, ts.Stats().Seals)
	require.LessOrEqual(t, perRecord, 40.0)
	ts.stop()
}
