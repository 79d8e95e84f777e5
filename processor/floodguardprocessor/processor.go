// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"github.com/logseal/logseal/pkg/flood"
)

// errHeld is retryable. It names no source: receivers write it into their own logs.
var errHeld = errors.New("flood_guard holds this batch, for a source in it is above its limit: it passes later (on_exceed: hold)")

// floodGuard is the processor: it decides about what passes, and a goroutine of its own sends the reports and stores the
// state.
type floodGuard struct {
	config  *Config
	set     processor.Settings
	next    consumer.Logs
	guard   *flood.Guard
	reserve *reserve
	passes  sync.Pool
	stalls  stalls
	now     func() time.Duration // the guard's time, of the monotonic clock, which nobody sets back

	emitTimeout time.Duration

	// Set by Start:
	host      component.Host
	store     *store // nil without storage
	telemetry *telemetry
	stop      context.CancelFunc
	running   sync.WaitGroup
	failing   atomic.Bool // storing failed the last time it was tried
}

// emitTimeout is how long the next consumer has for reports. What it does not take is kept and tried again.
const emitTimeout = 5 * time.Second

func newFloodGuard(config *Config, set processor.Settings, next consumer.Logs) (*floodGuard, error) {
	reserve, err := newReserve(config.Reserve, set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	f := &floodGuard{
		config: config, set: set, next: next, guard: flood.New(config.engine()), reserve: reserve,
		now: func() time.Duration { return time.Since(started) }, emitTimeout: emitTimeout,
	}
	f.passes.New = func() any {
		p := &pass{keyer: keyer{names: config.Key}, reserve: reserve}
		p.reserved = p.isReserved // made once: a closure for each record would be garbage
		return p
	}
	return f, nil
}

// Capabilities says that what comes is left as it is: what passes of a batch in which something is shed is a copy.
func (f *floodGuard) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// pass is one look through a batch.
type pass struct {
	keyer
	reserve  *reserve
	kept     []bool // of each record
	claims   bool   // one of them calls itself a report
	reserved func() bool

	// Where it is:
	ctx context.Context
	rl  plog.ResourceLogs
	sl  plog.ScopeLogs
	lr  plog.LogRecord
}

func (p *pass) isReserved() bool { return p.reserve.holds(p.ctx, p.rl, p.sl, p.lr) }

// decide asks the guard about every record.
func (p *pass) decide(b *flood.Batch, ld plog.Logs) (kept, over uint64) {
	defer func() { kept, over = b.Decided() }() // deferred: a condition that panics must not leave the guard locked
	p.kept, p.claims = p.kept[:0], false
	for _, rl := range ld.ResourceLogs().All() {
		p.rl = rl
		p.resourceLogs(rl)
		extra := resourceSize(rl)
		for _, sl := range rl.ScopeLogs().All() {
			p.sl = sl
			extra += scopeSize(sl)
			for _, lr := range sl.LogRecords().All() {
				p.lr = lr
				p.claims = p.claims || isClaim(lr)
				p.kept = append(p.kept, b.Admit(p.record(lr), sizer.LogRecordSize(lr)+extra, p.reserved))
				extra = 0
			}
		}
	}
	return
}

// ConsumeLogs hands on what the guard lets pass. What the next consumer refuses was not received: the receiver sends it
// again, and all of it is decided anew.
func (f *floodGuard) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	p := f.passes.Get().(*pass)
	p.ctx = ctx
	p.batch(ctx)
	b := f.guard.Begin(f.now())
	kept, over := p.decide(b, ld)
	disclaim := p.claims && f.disclaims(ctx)
	switch {
	case over > 0 && f.config.OnExceed == onExceedHold:
		f.release(p)
		f.settle(b, true)
		return errHeld
	case over > 0 && kept > 0:
		ld = keep(ld, p.kept)
	case disclaim:
		all := plog.NewLogs()
		ld.CopyTo(all)
		ld = all
	}
	f.release(p)
	if over > 0 && kept == 0 {
		f.settle(b, true)
		return nil
	}
	if disclaim {
		f.disclaim(ld)
	}
	forwarded := false
	// Deferred, so that a panic which somebody recovers from leaves no batch open.
	defer func() { f.settle(b, forwarded) }()
	began := f.now()
	err := f.next.ConsumeLogs(ctx, ld)
	forwarded = err == nil
	f.stalls.answered(f.guard, began, f.now(), forwarded)
	return err
}

// release gives a pass back, without what it refers to.
func (f *floodGuard) release(p *pass) {
	p.ctx, p.rl, p.sl, p.lr = nil, plog.ResourceLogs{}, plog.ScopeLogs{}, plog.LogRecord{}
	p.client, p.resource = flood.Key{}, flood.Key{}
	if cap(p.kept) <= maxPooled {
		f.passes.Put(p)
	}
}

// maxPooled is the size in records of the largest batch whose memory is kept for the next.
const maxPooled = 1 << 16

// settle counts a batch. When a source begins to shed, that is stored before the receiver is told that its records are
// taken: whatever happens then, it is on record.
func (f *floodGuard) settle(b *flood.Batch, accepted bool) {
	if b.Settle(accepted, time.Now()) && f.store != nil {
		f.store.begun(f)
	}
}

// keep copies the records that passed.
func keep(ld plog.Logs, kept []bool) plog.Logs {
	out := plog.NewLogs()
	i := 0
	for _, rl := range ld.ResourceLogs().All() {
		var toResource plog.ResourceLogs
		hasResource := false
		for _, sl := range rl.ScopeLogs().All() {
			var toScope plog.ScopeLogs
			hasScope := false
			for _, lr := range sl.LogRecords().All() {
				i++
				if !kept[i-1] {
					continue
				}
				if !hasResource {
					toResource, hasResource = out.ResourceLogs().AppendEmpty(), true
					rl.Resource().CopyTo(toResource.Resource())
					toResource.SetSchemaUrl(rl.SchemaUrl())
				}
				if !hasScope {
					toScope, hasScope = toResource.ScopeLogs().AppendEmpty(), true
					sl.Scope().CopyTo(toScope.Scope())
					toScope.SetSchemaUrl(sl.SchemaUrl())
				}
				lr.CopyTo(toScope.LogRecords().AppendEmpty())
			}
		}
	}
	return out
}

// stalls finds times in which nothing could pass: the next consumer refused, or took long for a batch.
type stalls struct {
	mu           sync.Mutex
	refused      bool
	refusedSince time.Duration
	until        time.Duration // of the last
}

// minStall is what is no stall yet.
const minStall = time.Second

func (s *stalls) answered(g *flood.Guard, began, now time.Duration, forwarded bool) {
	s.mu.Lock()
	since := began
	if !forwarded {
		if !s.refused {
			s.refused, s.refusedSince = true, began
		}
		s.mu.Unlock()
		return
	}
	if s.refused {
		since, s.refused = min(s.refusedSince, began), false
	}
	since = max(since, s.until)
	stalled := now - since
	if stalled >= minStall {
		s.until = now
	}
	s.mu.Unlock()
	if stalled >= minStall {
		g.Stall(now, stalled)
	}
}
