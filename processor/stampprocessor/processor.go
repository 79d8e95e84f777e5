// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal/sealer"
)

// emitTimeout is how long the next consumer has for a seal. What it does not take is kept and tried again, so a consumer
// that waits for room, such as a full queue, must hold up neither the sealing nor a stop.
const emitTimeout = 5 * time.Second

// stamp is the processor: it stamps what passes, and a goroutine of its own makes and sends the seals.
type stamp struct {
	config *Config
	set    processor.Settings
	next   consumer.Logs

	clock       sealer.Clock // of the system if nil
	emitTimeout time.Duration

	// Set by Start:
	host      component.Host
	name      string // claimed
	sealer    *sealer.Sealer
	client    storage.Client
	leaves    *sealer.LeafLog
	telemetry *telemetry
	stop      context.CancelFunc
	stopped   chan struct{}

	status status
}

func newStamp(config *Config, set processor.Settings, next consumer.Logs) *stamp {
	return &stamp{config: config, set: set, next: next, emitTimeout: emitTimeout}
}

// Capabilities says that nothing is changed that others have as well, which the collector marks as read-only: ConsumeLogs copies that itself. If it
// said otherwise, a connector that sends a few records of its own through this stamp, as verify does, would pass for one that changes whatever
// comes to it, and the collector would copy all of that.
func (s *stamp) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// Start opens the stream, makes the session's open seal and tries to send it before anything else.
func (s *stamp) Start(ctx context.Context, host component.Host) error {
	s.host = host
	s.status.logger, s.status.host = s.set.Logger, host
	if err := s.open(ctx, host); err != nil {
		return errors.Join(err, s.close(ctx))
	}
	s.seal(ctx)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.stopped = stop, make(chan struct{})
	go s.run(running)
	return nil
}

// ConsumeLogs stamps the records and hands them on. Its errors are retryable: nothing was forwarded that a seal will
// not cover, and a retry is stamped anew.
func (s *stamp) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if ld.IsReadOnly() {
		shared := ld
		ld = plog.NewLogs()
		shared.CopyTo(ld)
	}
	batch, err := s.sealer.Stamp(ctx, ld)
	if ctx.Err() == nil {
		s.status.set(stamping, err)
	}
	if err != nil {
		return fmt.Errorf("stamp: %w", err)
	}
	forwarded := false
	// Deferred, so that a panic which somebody recovers from does not leave the session open for ever.
	defer func() { batch.Settle(forwarded) }()
	err = s.next.ConsumeLogs(ctx, ld)
	forwarded = err == nil
	return err
}

// run makes and sends what is due until ctx ends.
func (s *stamp) run(ctx context.Context) {
	defer close(s.stopped)
	timer := time.NewTimer(s.sealer.Due())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.sealer.Ready():
			// Due has moved closer.
		case <-timer.C:
			s.seal(ctx)
		}
		timer.Reset(s.sealer.Due())
	}
}

// seal makes and sends what is due, and tells the operator when that begins to fail and when it works again.
func (s *stamp) seal(ctx context.Context) {
	err := s.sealer.Seal(ctx, s.emit)
	if ctx.Err() != nil {
		return // stopping; Shutdown tries once more
	}
	s.status.set(sealing, err)
}

// emit sends seals to the next consumer.
func (s *stamp) emit(ctx context.Context, ld plog.Logs) error {
	ctx, cancel := context.WithTimeout(ctx, s.emitTimeout)
	defer cancel()
	return s.next.ConsumeLogs(ctx, ld)
}

// Shutdown ends the session. What cannot be sent any more is the next session's first record.
func (s *stamp) Shutdown(ctx context.Context) error {
	if s.stop != nil {
		s.stop()
		<-s.stopped
	}
	return s.close(ctx)
}

// close gives back everything that open took. The closed sealer stays: it refuses a record that comes late.
func (s *stamp) close(ctx context.Context) error {
	if s.telemetry != nil {
		s.telemetry.Shutdown()
	}
	if s.sealer != nil {
		// The context of a shutdown has no deadline of its own.
		closing, cancel := context.WithTimeout(ctx, s.emitTimeout)
		defer cancel()
		if err := s.sealer.Close(closing, s.emit); err != nil {
			s.set.Logger.Warn("The session ends with something left to do; the next start does it", zap.Error(err))
		}
	}
	var err error
	if s.client != nil {
		err = s.client.Close(ctx)
	}
	if s.leaves != nil {
		err = errors.Join(err, s.leaves.Close())
	}
	if s.name != "" {
		names.release(s.name)
	}
	s.client, s.leaves, s.name, s.telemetry, s.stop = nil, nil, "", nil, nil
	return err
}
