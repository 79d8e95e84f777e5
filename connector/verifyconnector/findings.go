// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/watch"
)

const (
	scopeName = "github.com/logseal/logseal/connector/verifyconnector"

	// sendTimeout is how long the next consumer has for a batch of findings; what it does not take is kept and tried again.
	sendTimeout = 5 * time.Second
	retryFirst  = 500 * time.Millisecond
	retryLast   = 10 * time.Second

	maxBatch = 500 // records of findings that are sent at once
	// maxWaiting bounds what waits while nobody takes anything. Beyond it all of it is forgotten, and what is open is sent when
	// something is taken again.
	maxWaiting = 10_000
)

// findings sends what was found to the next consumer, in order, and again until it is taken.
type findings struct {
	next consumer.Logs
	set  connector.Settings
	open func() []watch.Event // what is open now
	wake chan struct{}

	mu       sync.Mutex
	waiting  []watch.Event
	last     map[string]int // of each finding, where its last event is in waiting
	sending  int            // how many of waiting are on their way
	sent     uint64
	overflow bool // more waited than is kept
}

func newFindings(next consumer.Logs, set connector.Settings) *findings {
	return &findings{next: next, set: set, wake: make(chan struct{}, 1), last: map[string]int{}}
}

// add lets events wait to be sent. Of a finding that waits already, more of the same takes its place.
func (f *findings) add(events []watch.Event) {
	f.mu.Lock()
	for i := range events {
		e := events[i]
		if at, waits := f.last[e.UID]; waits && at >= f.sending && e.State == watch.Updated && f.waiting[at].State != watch.Resolved {
			e.State = f.waiting[at].State
			f.waiting[at] = e
			continue
		}
		if len(f.waiting) >= maxWaiting {
			f.overflow = true
			f.waiting = f.waiting[:f.sending]
			clear(f.last)
			break
		}
		f.last[e.UID] = len(f.waiting)
		f.waiting = append(f.waiting, e)
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// idle reports whether everything that was found has been taken.
func (f *findings) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting) == 0
}

// counts returns how many events were taken, and how many wait.
func (f *findings) counts() (sent uint64, waiting int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent, len(f.waiting)
}

// run sends what waits until ctx ends.
func (f *findings) run(ctx context.Context, health *health) {
	retry := retryFirst
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		for !f.idle() {
			err := f.send(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				retry = retryFirst
				health.set(troubleFindings, nil)
				continue
			}
			health.set(troubleFindings, fmt.Errorf("findings are not taken by the pipeline behind this connector; they are tried again: %w", err))
			select {
			case <-ctx.Done():
				return
			case <-time.After(retry):
			}
			retry = min(2*retry, retryLast)
		}
	}
}

// flush sends what waits, at the end, and reports whether all of it was taken.
func (f *findings) flush(ctx context.Context) bool {
	for !f.idle() {
		if err := f.send(ctx); err != nil {
			f.set.Logger.Warn("Findings are not taken at the stop; they are found again after the next start", zap.Error(err))
			return false
		}
	}
	return true
}

// send sends a batch of what waits.
func (f *findings) send(ctx context.Context) error {
	f.mu.Lock()
	f.sending = min(len(f.waiting), maxBatch)
	ld := f.logs(f.waiting[:f.sending])
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	err := f.next.ConsumeLogs(ctx, ld)
	cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.sending
	f.sending = 0
	if err != nil {
		return err
	}
	f.sent += uint64(n)
	f.waiting = append([]watch.Event(nil), f.waiting[n:]...)
	if f.overflow {
		f.overflow = false
		f.waiting = f.open()
	}
	clear(f.last)
	for i := range f.waiting {
		f.last[f.waiting[i].UID] = i
	}
	return nil
}

// logs makes a record of each event.
func (f *findings) logs(events []watch.Event) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	resource(rl.Resource(), f.set)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(scopeName)
	sl.Scope().SetVersion(f.set.BuildInfo.Version)
	sl.LogRecords().EnsureCapacity(len(events))
	for i := range events {
		ocsf.Render(sl.LogRecords().AppendEmpty(), &events[i], f.set.BuildInfo.Version)
	}
	return ld
}

// resource fills in who watches.
func resource(to pcommon.Resource, set connector.Settings) {
	to.Attributes().PutStr("service.name", set.BuildInfo.Command)
	for _, name := range []string{"service.name", "host.name"} {
		if value, found := set.Resource.Attributes().Get(name); found && value.AsString() != "" {
			to.Attributes().PutStr(name, value.AsString())
		}
	}
	if _, found := to.Attributes().Get("host.name"); !found {
		if name, err := os.Hostname(); err == nil {
			to.Attributes().PutStr("host.name", name)
		}
	}
}

// say writes a finding into the collector's own log, where an operator of a gateway looks first.
func say(logger *zap.Logger, e *watch.Event) {
	fields := []zap.Field{
		zap.String("code", string(e.Finding.Code)), zap.String("state", string(e.State)), zap.String("stream", e.Finding.Stream),
		zap.String("uid", e.UID), zap.String("finding", ocsf.Message(e)),
	}
	switch {
	case e.State == watch.Updated:
		logger.Debug("Finding", fields...)
	case e.State == watch.Opened && e.Verdict() == finding.Tampered:
		logger.Error("Finding", fields...)
	default:
		logger.Warn("Finding", fields...)
	}
}
