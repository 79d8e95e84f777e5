// SPDX-License-Identifier: Apache-2.0

package lossless

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/logseal/logseal/internal/quietlog"
)

// checkInterval is how often a receiver looks whether it reaches what it is to read.
// The receiver itself looks five times a second.
const checkInterval = 5 * time.Second

// Check gives the receiver's status a look at what it is to read. newCheck is called for each receiver; what it returns says
// why some of what is to be read is not, nil when all of it is. That is called at the start and every few seconds, and must not block.
func Check(newCheck func(component.Config) func() error) Option {
	return func(o *options) { o.newCheck = newCheck }
}

// Reporting makes each receiver with a factory of its own, which is given the way to say that some of what is to be read is
// not, or, with nil, that all of it is again. It may be called from any goroutine between the start and the stop.
func Reporting(newFactory func(report func(error)) receiver.Factory) Option {
	return func(o *options) { o.newFactory = newFactory }
}

// The reasons for which a receiver does not get on, the gravest first.
const (
	unreadable = iota // what it is to read, or a part of it
	refused           // the next consumer does not take what was read
	unsaved           // the position cannot be saved
	reasons
)

// status is whether a receiver gets on: as the component's status, and one log line a change. The stock receivers log
// an error a batch, and report no status at all.
type status struct {
	logger *zap.Logger
	host   component.Host

	bad atomic.Bool // read for every batch

	mu      sync.Mutex
	why     [reasons]error
	waiting map[context.Context]struct{} // batches that were refused and not taken since
}

func newStatus(logger *zap.Logger) *status {
	return &status{logger: logger, waiting: map[context.Context]struct{}{}}
}

// answered notes the answer of the next consumer to a batch. A batch is known by its context, under which it is tried
// again; nil is the answer to one that was taken, or given up.
func (s *status) answered(batch context.Context, err error) {
	if err == nil && !s.bad.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.waiting[batch] = struct{}{}
		s.set(refused, fmt.Errorf("what was read is not taken, and waits: %w", err))
		return
	}
	delete(s.waiting, batch)
	if len(s.waiting) == 0 {
		s.set(refused, nil)
	}
}

func (s *status) saved(err error) {
	if err == nil && !s.bad.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("how far was read cannot be saved; a restart would read again from where it was saved last: %w", err)
	}
	s.set(unsaved, err)
}

func (s *status) reached(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(unreadable, err)
}

// set reports a change. A reason that only reads otherwise than before is none. mu is held.
func (s *status) set(reason int, err error) {
	before := s.why[reason]
	if (before == nil) == (err == nil) && (err == nil || reason != unreadable || before.Error() == err.Error()) {
		return
	}
	s.why[reason] = err
	worst := errors.Join(s.why[:]...)
	s.bad.Store(worst != nil)
	if err != nil {
		s.logger.Warn("The receiver does not get on", zap.Error(err))
	} else {
		s.logger.Info("The receiver gets on again", zap.NamedError("after", before))
	}
	if s.host == nil {
		return // not started
	}
	if worst != nil {
		componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(worst))
	} else {
		componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// watch calls check until ctx ends.
func (s *status) watch(ctx context.Context, check func() error) {
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for {
		s.reached(check())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// quiet leaves out what stock code says of a batch that a stop cuts short: its position is not saved, and the next start
// reads it again.
func quiet(logger *zap.Logger, p *position) *zap.Logger {
	cutShort := func([]zapcore.Field) bool { return p.isStopping() }
	return quietlog.New(logger, quietlog.Rules{
		"ConsumeLogs() failed": cutShort,
		"failed to emit token": cutShort,
	})
}
