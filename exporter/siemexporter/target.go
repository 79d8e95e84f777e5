// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/tlspin"
)

// maxTurns is how many requests are under way at a target that acknowledges late. More wait for that.
const maxTurns = 10

// timeoutsToRenew is how many requests in a row time out before connections are made anew.
const timeoutsToRenew = 3

// target is one SIEM.
type target struct {
	protocol Protocol
	endpoint string
	policy   tlspin.Policy
	watch    *handshakeWatch
	dial     func(context.Context, *target) (client, error)
	timeout  time.Duration
	logger   *zap.Logger

	maxMessageBytes int        // of syslog
	link            syslogLink // likewise

	turns    chan struct{} // has room for the requests under way
	receipts receipts      // of what the server took and has not stored yet

	// mu is held for reading while a request is under way, so that the client is never closed under one.
	mu     sync.RWMutex
	client client // nil after close

	timeouts atomic.Int64 // in a row
	asked    atomic.Int64 // when it was last sent something, Unix nanoseconds
	down     atomic.Bool  // the last request was not taken

	// restMu guards the pause after a failure, in which other targets are preferred.
	restMu sync.Mutex
	rest   time.Time
}

// renew replaces the client by one with certificates and keys as they lie on disk now. Connections are made anew, and
// with them every check of the server is. When that is not possible, the old client stays.
func (t *target) renew(ctx context.Context) error {
	fresh, err := t.dial(ctx, t)
	if err != nil {
		return err
	}
	// Waits for the requests under way: each is bounded by the timeout.
	t.mu.Lock()
	old := t.client
	t.client = fresh
	t.mu.Unlock()
	if old == nil {
		return nil
	}
	return old.close()
}

// export sends one request.
//
// A path that swallows packets leaves a connection that looks alive for a quarter of an hour, and both gRPC and HTTP/2
// keep sending into it. After some timeouts in a row, connections are made anew. Keepalive pings would find out sooner,
// but a server closes the connection of a client that pings more often than it likes.
func (t *target) export(ctx context.Context, wire []byte) (partialSuccess, *refusal) {
	t.asked.Store(time.Now().UnixNano())
	taken, err := t.exportOnce(ctx, wire)
	if err == nil && taken.receipt != nil {
		err = t.receipts.await(ctx, taken.receipt)
	}
	if err == nil {
		t.timeouts.Store(0)
		t.setDown(nil)
		return taken.partialSuccess, nil
	}
	r := asRefusal(err)
	if r.cause != causeDeadline {
		t.timeouts.Store(0)
	} else if t.timeouts.Add(1) == timeoutsToRenew {
		t.timeouts.Store(0)
		if err := t.renew(ctx); err != nil {
			r = &refusal{cause: r.cause, message: r.message + "; connections cannot be made anew: " + clip(err.Error())}
		}
	}
	r = t.watch.explain(r)
	if r.verdict == held {
		t.setDown(r)
	}
	told := *r // a copy: the refusal of a handshake is shared
	told.message = t.endpoint + ": " + r.message
	return partialSuccess{}, &told
}

func (t *target) exportOnce(ctx context.Context, wire []byte) (taken answer, err error) {
	t.turns <- struct{}{}
	defer func() { <-t.turns }()
	err = t.withClient(ctx, func(ctx context.Context, c client) error {
		taken, err = c.export(ctx, wire)
		return err
	})
	return taken, err
}

// withClient calls f with the client, which is not closed meanwhile, and for no longer than the timeout.
func (t *target) withClient(ctx context.Context, f func(context.Context, client) error) error {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.client == nil {
		return &refusal{cause: "not_started", message: "the exporter does not run"}
	}
	return f(ctx, t.client)
}

// askForStored asks which numbers of a channel the server has stored.
func (t *target) askForStored(ctx context.Context, channel string, numbers []uint64) (stored []uint64, err error) {
	err = t.withClient(ctx, func(ctx context.Context, c client) error {
		stored, err = c.(storer).stored(ctx, channel, numbers)
		return err
	})
	return stored, err
}

// unacknowledged returns how many records the server has taken and not acknowledged, and false where its answer does both. A metric reads it: it
// waits for nothing that is under way.
func (t *target) unacknowledged() (records int64, counts bool) {
	switch t.protocol {
	case ProtocolSplunkHEC:
		return int64(t.receipts.records()), true
	case ProtocolSyslog:
		return t.link.tail.records.Load(), true
	default:
		return 0, false
	}
}

// setDown notes whether the target takes requests; why is nil when it does. A change is logged.
func (t *target) setDown(why *refusal) {
	switch {
	case t.down.Load() == (why != nil) || !t.down.CompareAndSwap(why == nil, why != nil):
	case why != nil:
		t.logger.Warn("A SIEM does not take logs", zap.String("endpoint", t.endpoint),
			zap.String("cause", why.cause), zap.String("reason", why.message))
	default:
		t.logger.Info("A SIEM takes logs again", zap.String("endpoint", t.endpoint))
	}
}

func (t *target) close() error {
	t.receipts.close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client == nil {
		return nil
	}
	err := t.client.close()
	t.client = nil
	return err
}

// ready reports whether the target may be tried. After a pause, one caller is told so and tries; the others go on to the
// next target until that one is back with an answer.
func (t *target) ready(now time.Time) bool {
	t.restMu.Lock()
	defer t.restMu.Unlock()
	if t.rest.IsZero() {
		return true
	}
	if now.Before(t.rest) {
		return false
	}
	t.rest = now.Add(t.timeout)
	return true
}

// setRest begins a pause, or ends it when until is zero.
func (t *target) setRest(until time.Time) {
	t.restMu.Lock()
	defer t.restMu.Unlock()
	t.rest = until
}

// targets are the SIEMs in the order of preference.
type targets struct {
	list []*target
	// pause is how long a target that failed is passed over while another one works.
	pause time.Duration
}

// export sends one request to the first target that takes it. A target that is down is passed over until its pause is
// over; when all are down, all are asked, in order: the pace is that of the retries.
func (ts targets) export(ctx context.Context, wire []byte) (partialSuccess, *refusal) {
	if len(ts.list) == 1 {
		return ts.list[0].export(ctx, wire)
	}
	var first *refusal
	for _, anyway := range []bool{false, true} {
		for _, t := range ts.list {
			if !anyway && !t.ready(time.Now()) {
				continue
			}
			partial, refused := t.export(ctx, wire)
			if refused == nil {
				t.setRest(time.Time{})
				return partial, nil
			}
			// Another SIEM would judge the records alike, and one that asks for time is not down.
			if refused.verdict != held || refused.delay > 0 {
				t.setRest(time.Time{})
				return partial, refused
			}
			t.setRest(time.Now().Add(ts.pause))
			if first == nil {
				first = refused
			}
		}
		if first != nil {
			break
		}
	}
	return partialSuccess{}, first
}

func (ts targets) renew(ctx context.Context) error {
	var errs []error
	for _, t := range ts.list {
		if err := t.renew(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.endpoint, err))
		}
	}
	return errors.Join(errs...)
}

// renewExpired makes the connections anew that rest on a certificate which has expired. The new handshake judges the
// certificates as they are now.
func (ts targets) renewExpired(ctx context.Context, logger *zap.Logger) {
	for _, t := range ts.list {
		if !t.watch.expired(time.Now()) {
			continue
		}
		logger.Warn("A certificate expired on which connections rest; they are made anew", zap.String("endpoint", t.endpoint))
		if err := t.renew(ctx); err != nil {
			logger.Warn("Connections cannot be made anew", zap.String("endpoint", t.endpoint), zap.Error(err))
		}
	}
}

func (ts targets) close() error {
	var errs []error
	for _, t := range ts.list {
		errs = append(errs, t.close())
	}
	return errors.Join(errs...)
}
