// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
)

// Emit sends logs to the next consumer. When it returns nil they are its.
type Emit func(context.Context, plog.Logs) error

// sendAtOnce is how many seals are sent as one batch: some 400 KB at most as a
// rule, well below what receivers take.
const sendAtOnce = 64

// Due returns how long it is until [Sealer.Seal] has something to do: 0 if it has.
func (s *Sealer) Due() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.sealAt()
	switch {
	case s.failed != nil, s.stats.Unsent > 0 && s.settledLen == 0:
		at = s.retryAt // and no heartbeat before that: see roundDue
	case s.stats.Unsent > 0:
		at = min(at, s.retryAt)
	}
	return max(0, at-s.cfg.Clock().Uptime)
}

// sealAt returns the uptime at which the next round is due. s.mu is held.
func (s *Sealer) sealAt() time.Duration {
	at := s.lastRound + s.cfg.Heartbeat
	if s.settledLen > 0 {
		at = min(at, s.oldest+s.cfg.Interval)
	}
	if s.settledLen >= s.cfg.MaxRecords {
		at = min(at, s.lastRound+minRound)
	}
	return at
}

// signal tells whoever waits that Due may have moved closer.
func (s *Sealer) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Seal does what is due: it sends seals that are not sent yet, and makes and sends
// the seals over what was settled, or a heartbeat. It may be called at any time.
// An error is worth telling the operator; everything is tried again when due.
func (s *Sealer) Seal(ctx context.Context, emit Emit) error {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	if s.ended {
		return ErrClosed
	}
	makeErr := s.finish(ctx)
	if makeErr == nil && s.roundDue() {
		s.round = s.take()
		if len(s.round.drafts) == 0 {
			s.round.drafts = []*seal.Seal{{Kind: seal.KindHeartbeat}}
		}
		makeErr = s.finish(ctx)
	}
	sendErr := s.send(ctx, emit)
	if makeErr == nil && len(s.unsent) > maxUnsent {
		makeErr = fmt.Errorf("%d seals could not be sent", len(s.unsent))
	}
	s.mu.Lock()
	s.failed = makeErr
	if makeErr != nil || sendErr != nil {
		s.retryAt = s.cfg.Clock().Uptime + s.cfg.Interval
	}
	s.mu.Unlock()
	return errors.Join(makeErr, sendErr)
}

// roundDue reports whether it is time for a round. With seals that cannot be sent,
// a heartbeat would tell nobody anything.
func (s *Sealer) roundDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unsent) > maxUnsent || (len(s.unsent) > 0 && s.settledLen == 0) {
		return false
	}
	return s.sealAt() <= s.cfg.Clock().Uptime
}

// send sends the seals that are not sent yet, oldest first. s.sealing is held.
func (s *Sealer) send(ctx context.Context, emit Emit) error {
	for len(s.unsent) > 0 {
		n := min(sendAtOnce, len(s.unsent))
		if err := emit(ctx, s.logs(s.unsent[:n])); err != nil {
			return fmt.Errorf("seals cannot be sent: %w", err)
		}
		for _, stored := range s.unsent[:n] {
			s.sent = append(s.sent, stored.number)
		}
		s.unsent = s.unsent[n:]
		s.mu.Lock()
		s.opened = s.opened || s.firstUnsent() > s.openNumber
		s.stats.Unsent = len(s.unsent)
		s.mu.Unlock()
	}
	return nil
}

// logs returns seals as log records.
func (s *Sealer) logs(seals []storedSeal) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for key, value := range s.cfg.SealResource {
		rl.Resource().Attributes().PutStr(key, value)
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(seal.ScopeName)
	sl.LogRecords().EnsureCapacity(len(seals))
	for _, stored := range seals {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetEventName(seal.EventName)
		lr.SetTimestamp(pcommon.NewTimestampFromTime(stored.time))
		lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(stored.time))
		lr.SetSeverityNumber(plog.SeverityNumberInfo)
		lr.Body().SetStr(stored.note)
	}
	return ld
}

// Close ends the session: it waits for the batches that are on their way until ctx
// is done, seals what is settled, adds a close seal if nothing is left open, sends
// the seals, and closes the key file. What it could not do the next start does.
// A call of [Sealer.Seal] that is under way is waited for: cancel its context
// first. Further calls do nothing.
func (s *Sealer) Close(ctx context.Context, emit Emit) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	var idle chan struct{}
	if s.inFlight > 0 {
		idle = make(chan struct{})
		s.idle = idle
	}
	s.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}

	s.sealing.Lock()
	defer s.sealing.Unlock()
	s.ended = true
	// Storage answers or fails by itself, and should get this even if time is up.
	store := context.WithoutCancel(ctx)
	err := s.finish(store)
	if err == nil {
		err = s.end(store)
	}
	sendErr := s.send(ctx, emit)
	if err == nil && len(s.sent) > 0 {
		err = s.cfg.Store.Batch(store, s.markSent(&s.state, nil)...)
	}
	s.chain.Erase()
	return errors.Join(err, sendErr, s.cfg.Keys.Close())
}

// end makes the last round. s.sealing is held.
func (s *Sealer) end(ctx context.Context) error {
	s.round = s.take()
	s.mu.Lock()
	open, seqEnd := s.inFlight, s.nextSeq
	s.mu.Unlock()
	if open == 0 {
		s.round.drafts = append(s.round.drafts, &seal.Seal{Kind: seal.KindClose, End: seqEnd})
		s.round.state.closed = true
	}
	if len(s.round.drafts) == 0 {
		s.round = nil
	} else if err := s.finish(ctx); err != nil {
		return err
	}
	if open > 0 {
		return fmt.Errorf("%d batches were still on their way; the next start settles them", open)
	}
	return nil
}
