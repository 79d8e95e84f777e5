// SPDX-License-Identifier: Apache-2.0

// Package lossless makes a stock stanza-based receiver keep its promise: what it has marked as read in its storage has
// been accepted by the next consumer.
//
// The stock receivers break it in two places, both tried at v0.160.0:
//
//   - Their emitter gathers up to 100 records for up to 100 ms while the position is saved already: a SIGKILL loses
//     them. Feature gate stanza.synchronousLogEmitter ends that, but it is process-wide, and takes tcp_log from 8 to
//     255 µs a record. It is read only while a receiver is created, so [NewFactory] opens it for just that long.
//   - On a stop, a batch that waits for its turn to be retried is given up, and the position is saved behind it. Here a
//     position is not saved any more once a stop has begun and a batch was refused after the last save; the next start
//     reads again from there (duplicates, no loss).
package lossless

import (
	"context"
	"fmt"
	"sync"
	_ "time/tzdata" // for `location` in a container's image, which has no /usr/share/zoneinfo

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/xreceiver"
)

const synchronousEmitterGate = "stanza.synchronousLogEmitter"

// gate guards the process-wide feature gate: two receivers must not restore each other's setting.
var gate sync.Mutex

// Option changes the factory.
type Option func(*options)

type options struct {
	deprecatedType *component.Type
	newCheck       func(component.Config) func() error
	newFactory     func(report func(error)) receiver.Factory
}

// DeprecatedType keeps the alias that the stock receiver answers to.
func DeprecatedType(alias component.Type) Option {
	return func(o *options) { o.deprecatedType = &alias }
}

// NewFactory returns a factory of the same type and configuration as stock whose log receivers lose nothing that they
// have marked as read.
func NewFactory(stock receiver.Factory, opts ...Option) receiver.Factory {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	factoryOptions := []xreceiver.FactoryOption{
		xreceiver.WithLogs(func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			p := newPosition()
			p.status = newStatus(set.Logger)
			set.Logger = quiet(set.Logger, p)
			wrapped, err := consumer.NewLogs(p.consume(next), consumer.WithCapabilities(next.Capabilities()))
			if err != nil {
				return nil, err
			}
			from := stock
			if o.newFactory != nil {
				from = o.newFactory(p.status.reached)
			}
			inner, err := createSynchronous(func() (receiver.Logs, error) { return from.CreateLogs(ctx, set, cfg, wrapped) })
			if err != nil {
				return nil, err
			}
			r := &logsReceiver{Logs: inner, position: p}
			if o.newCheck != nil {
				r.check = o.newCheck(cfg)
			}
			return r, nil
		}, stock.LogsStability()),
	}
	if o.deprecatedType != nil {
		factoryOptions = append(factoryOptions, xreceiver.WithDeprecatedTypeAlias(*o.deprecatedType))
	}
	return xreceiver.NewFactory(stock.Type(), stock.CreateDefaultConfig, factoryOptions...)
}

// createSynchronous runs create with the gate open, and leaves the gate as the operator set it.
func createSynchronous(create func() (receiver.Logs, error)) (receiver.Logs, error) {
	gate.Lock()
	defer gate.Unlock()
	before, known := false, false
	featuregate.GlobalRegistry().VisitAll(func(g *featuregate.Gate) {
		if g.ID() == synchronousEmitterGate {
			before, known = g.IsEnabled(), true
		}
	})
	if !known {
		// Refusing to start is the only safe answer: without the gate a kill loses records.
		return nil, fmt.Errorf("feature gate %s is not there: this build of pkg/stanza cannot emit synchronously", synchronousEmitterGate)
	}
	if before {
		return create()
	}
	if err := featuregate.GlobalRegistry().Set(synchronousEmitterGate, true); err != nil {
		return nil, err
	}
	r, err := create()
	if restore := featuregate.GlobalRegistry().Set(synchronousEmitterGate, false); restore != nil && err == nil {
		return nil, restore
	}
	return r, err
}

// logsReceiver is the stock receiver, with its storage, its stop and its progress watched.
type logsReceiver struct {
	receiver.Logs
	position *position
	check    func() error // nil: there is none

	stopCheck context.CancelFunc
	checker   sync.WaitGroup
}

// Start hands the stock receiver a host whose storage extensions know when a position may be saved.
func (r *logsReceiver) Start(ctx context.Context, host component.Host) error {
	r.position.status.host = host
	if err := r.Logs.Start(ctx, watchedHost{Host: host, position: r.position}); err != nil {
		return err
	}
	if r.check != nil {
		checking, stop := context.WithCancel(context.WithoutCancel(ctx))
		r.stopCheck = stop
		r.checker.Go(func() { r.position.status.watch(checking, r.check) })
	}
	return nil
}

// Shutdown returns when no record is on its way to the next consumer any more: that consumer is shut down next, and the
// stock journald receiver does not wait for its own goroutine.
func (r *logsReceiver) Shutdown(ctx context.Context) error {
	if r.stopCheck != nil {
		r.stopCheck()
		r.checker.Wait()
	}
	r.position.stop()
	err := r.Logs.Shutdown(ctx)
	r.position.drain()
	return err
}
