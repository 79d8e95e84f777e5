// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

// What the next consumer refuses is void, and its retry gets other numbers.
func TestRefusedRecordsAreVoid(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	ld := makeLogs(10)
	b.next.refuse.Store(true)
	err := p.ConsumeLogs(t.Context(), ld)
	require.ErrorIs(t, err, errRefused)
	b.next.refuse.Store(false)
	require.NoError(t, p.ConsumeLogs(t.Context(), ld))
	id, _ := b.next.records[0].Attributes().Get(seal.IDKey)
	parsed, err := seal.ParseID(id.Str())
	require.NoError(t, err)
	assert.EqualValues(t, 10, parsed.Seq)
	require.NoError(t, p.Shutdown(t.Context()))
	report := b.verify(t)
	assert.EqualValues(t, 10, report.Streams[0].Voids)
	assert.EqualValues(t, 10, report.Verified)
}

// A seal that cannot be sent is kept, through a stop, and is the next session's first record.
func TestUnsentSealsAreTheNextSessionsFirst(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	b.next.refuseSeals.Store(true)
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(5)))
	eventually(t, func() bool { return p.sealer.Stats().Unsent > 0 }, "a seal that was refused")
	require.NoError(t, p.Shutdown(t.Context()))
	assert.NotEmpty(t, b.logs.FilterMessageSnippet("the next start does it").All())
	b.next.refuseSeals.Store(false)

	again := b.start(t, b.config())
	require.NoError(t, again.Shutdown(t.Context()))
	numbers := []uint64{}
	for _, one := range b.next.texts(t) {
		numbers = append(numbers, one.Number)
	}
	assert.Equal(t, []uint64{0, 1, 2, 3, 4}, numbers, "in order, none twice")
	assert.Equal(t, []seal.Kind{seal.KindOpen, seal.KindBlock, seal.KindClose, seal.KindOpen, seal.KindClose}, b.next.kinds(t))
	b.verify(t)
}

// A consumer that blocks holds up neither a start nor a stop for longer than the timeout, and nothing is forwarded
// before the open seal.
func TestBlockingConsumer(t *testing.T) {
	b := newBench(t)
	b.next.block.Store(true)
	p := b.create(t, b.config()).(*stamp)
	p.emitTimeout = 50 * time.Millisecond
	require.NoError(t, p.Start(t.Context(), b.host))
	assert.Len(t, b.logs.FilterMessageSnippet("Sealing fails").All(), 1)
	err := p.ConsumeLogs(t.Context(), makeLogs(1))
	require.Error(t, err)
	assert.False(t, consumererror.IsPermanent(err), "a receiver must try again")

	b.next.block.Store(false)
	eventually(t, func() bool { return b.logs.FilterMessageSnippet("Sealing works again").Len() == 1 }, "the open seal")
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(1)))
	b.next.block.Store(true)
	require.NoError(t, p.Shutdown(t.Context())) // without the timeout it does not come back
	b.next.block.Store(false)
	require.NoError(t, b.start(t, b.config()).Shutdown(t.Context()))
	b.verify(t)
}

// A stop while a batch is with the next consumer waits for it, but not for ever; the next start settles it.
func TestStopWithABatchOnItsWay(t *testing.T) {
	b := newBench(t)
	p := b.create(t, b.config()).(*stamp)
	p.emitTimeout = 50 * time.Millisecond
	require.NoError(t, p.Start(t.Context(), b.host))
	b.next.block.Store(true)
	ctx, giveUp := context.WithCancel(t.Context())
	sent := make(chan error)
	go func() { sent <- p.ConsumeLogs(ctx, makeLogs(3)) }()
	eventually(t, func() bool { return p.sealer.Stats().InFlight == 1 }, "the batch")
	require.NoError(t, p.Shutdown(t.Context()))
	giveUp()
	require.Error(t, <-sent)
	b.next.block.Store(false)

	again := b.start(t, b.config())
	assert.EqualValues(t, 3, again.sealer.Stats().Doubted)
	require.NoError(t, again.Shutdown(t.Context()))
	report := b.report(t)
	require.Len(t, report.Findings, 1)
	assert.Equal(t, finding.Doubt, report.Findings[0].Code)
}

// A consumer that panics, under a receiver that recovers, does not leave its batch open.
func TestPanickingConsumer(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	b.next.panics.Store(true)
	require.Panics(t, func() { _ = p.ConsumeLogs(t.Context(), makeLogs(2)) })
	b.next.panics.Store(false)
	assert.Zero(t, p.sealer.Stats().InFlight)
	require.NoError(t, p.Shutdown(t.Context()))
	assert.EqualValues(t, 2, b.verify(t).Streams[0].Voids)
}

// Ten senders at once, batches of all sizes, one in five refused, and a restart now and then.
func TestConcurrentSendersAndRestarts(t *testing.T) {
	b := newBench(t)
	accepted := 0
	for range 3 {
		cfg := b.config()
		cfg.Seal.MaxRecords = 100
		p := b.start(t, cfg)
		b.next.refuseSome.Store(true)
		var senders sync.WaitGroup
		var mu sync.Mutex
		for range 10 {
			senders.Go(func() {
				for range 40 {
					n := 1 + rand.IntN(30)
					if err := p.ConsumeLogs(t.Context(), makeLogs(n)); err == nil {
						mu.Lock()
						accepted += n
						mu.Unlock()
					} else {
						assert.ErrorIs(t, err, errRefused)
					}
				}
			})
		}
		senders.Wait()
		b.next.refuseSome.Store(false)
		require.NoError(t, p.Shutdown(t.Context()))
	}
	report := b.verify(t)
	assert.EqualValues(t, accepted, report.Verified)
	assert.NotZero(t, report.Streams[0].Voids)
}

// The wall clock steps back and forth by an hour: nobody raises an alarm, and seals are made on time.
func TestClockSteps(t *testing.T) {
	b := newBench(t)
	p := b.create(t, b.config()).(*stamp)
	system := sealer.SystemClock()
	var mu sync.Mutex
	var step time.Duration
	p.clock = func() sealer.Reading {
		mu.Lock()
		defer mu.Unlock()
		r := system()
		r.Time = r.Time.Add(step)
		return r
	}
	require.NoError(t, p.Start(t.Context(), b.host))
	for i, by := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		mu.Lock()
		step = by
		mu.Unlock()
		require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(7)))
		eventually(t, func() bool { return len(b.next.texts(t)) == i+2 }, "the seal after a step")
	}
	require.NoError(t, p.Shutdown(t.Context()))
	b.verify(t)
}

// Storage that cannot be written: from the first seal that cannot be stored on nothing is forwarded, everything is
// retryable, and when it works again so does the stamp.
func TestFailingStorage(t *testing.T) {
	b := newBench(t)
	failing := &failingStorage{inner: b.host[storageID]}
	b.host[storageID] = failing
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(4)))
	failing.fail.Store(true)
	eventually(t, func() bool { return p.ConsumeLogs(t.Context(), makeLogs(4)) != nil }, "stamping refuses")
	before := b.next.count()
	refused := p.sealer.Stats().Refused
	for range 3 {
		err := p.ConsumeLogs(t.Context(), makeLogs(4))
		require.ErrorIs(t, err, errDiskFull)
		assert.False(t, consumererror.IsPermanent(err))
	}
	assert.Equal(t, before, b.next.count())
	eventually(t, func() bool { return b.logs.FilterMessageSnippet("Sealing fails").Len() == 1 }, "the operator is told")
	assert.EqualValues(t, refused+12, p.sealer.Stats().Refused)
	failing.fail.Store(false)
	eventually(t, func() bool { return p.ConsumeLogs(t.Context(), makeLogs(4)) == nil }, "stamping again")
	require.NoError(t, p.Shutdown(t.Context()))
	b.verify(t)
}

// Storage that takes no writes at the start, as on a disk that a queue has filled: the agent starts, so that the queue
// is drained, and refuses records until there is room. What the session before left behind is settled then.
func TestStartOnAFullDisk(t *testing.T) {
	b := newBench(t)
	storage := &failingStorage{inner: b.host[storageID]}
	b.host[storageID] = storage
	p := b.start(t, b.config())
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(4)))
	storage.full.Store(true)
	require.NoError(t, p.Shutdown(t.Context()), "it says what is left to do")
	p = b.start(t, b.config())
	assert.Equal(t, 1, b.logs.FilterMessageSnippet("Sealing fails").Len(), "the operator is told")
	err := p.ConsumeLogs(t.Context(), makeLogs(4))
	require.ErrorIs(t, err, errDiskFull)
	assert.False(t, consumererror.IsPermanent(err))
	storage.full.Store(false)
	eventually(t, func() bool { return p.ConsumeLogs(t.Context(), makeLogs(4)) == nil }, "stamping again")
	require.NoError(t, p.Shutdown(t.Context()))
	report := b.verify(t)
	assert.EqualValues(t, 8, report.Verified)
}

// Leaves that cannot be stored: nothing is forwarded.
func TestFailingLeafLog(t *testing.T) {
	b := newBench(t)
	p := b.start(t, b.config())
	before := b.next.count()
	dir := b.keyFile() + ".leaves"
	require.NoError(t, os.Remove(dir))
	err := p.ConsumeLogs(t.Context(), makeLogs(4))
	require.ErrorContains(t, err, dir)
	assert.False(t, consumererror.IsPermanent(err))
	assert.Equal(t, before, b.next.count())
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, p.ConsumeLogs(t.Context(), makeLogs(4)))
	require.NoError(t, p.Shutdown(t.Context()))
	report := b.verify(t)
	assert.EqualValues(t, 4, report.Verified)
}

var errDiskFull = errors.New("no space left on device")
