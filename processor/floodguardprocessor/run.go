// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/flood"
)

// Start takes over what the session before has not reported.
func (f *floodGuard) Start(ctx context.Context, host component.Host) (err error) {
	f.host = host
	if f.config.Storage != nil {
		if f.store, err = openStore(ctx, f, host); err != nil {
			return err
		}
	} else {
		f.set.Logger.Info("flood_guard has no storage: a kill loses the counts of what was shed and not reported")
	}
	if f.telemetry, err = newTelemetry(f.set.TelemetrySettings, f.set.ID, f.guard); err != nil {
		return errors.Join(err, f.closeStore(ctx))
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	f.running.Go(func() { f.run(running) })
	f.running.Go(func() { f.keepSaving(running) })
	return nil
}

// keepSaving stores what has changed until ctx ends. It has a goroutine of its own, for reports may wait for a full queue.
func (f *floodGuard) keepSaving(ctx context.Context) {
	if f.store == nil {
		return
	}
	alive := f.now()
	for wait := minSave; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		began := f.now()
		if began-alive >= f.config.ReportInterval {
			alive = began
			f.save(ctx, storage.GetOperation(aliveKey)) // writes that we are there
		} else {
			f.save(ctx)
		}
		wait = min(max(minSave, saveShare*(f.now()-began)), maxSave)
	}
}

// run sends what is due until ctx ends.
func (f *floodGuard) run(ctx context.Context) {
	interval := time.NewTicker(f.config.ReportInterval)
	defer interval.Stop()
	f.report(ctx, false) // of the session before
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.guard.Begun():
			f.report(ctx, false)
			// Many sources that begin one after the other are reported together.
			select {
			case <-ctx.Done():
				return
			case <-time.After(minSave):
			}
		case <-interval.C:
			f.report(ctx, true)
		}
	}
}

// maxReports is how many records of reports are sent at once.
const maxReports = 500

// report sends what is due to the next consumer. What it does not take stays due.
func (f *floodGuard) report(ctx context.Context, interval bool) {
	due := f.guard.Due(interval)
	f.say(due)
	for len(due) > 0 {
		some := due[:min(len(due), maxReports)]
		due = due[len(some):]
		sending, cancel := context.WithTimeout(context.WithValue(ctx, ownReport{}, true), f.emitTimeout)
		err := f.next.ConsumeLogs(sending, f.logs(some, time.Now()))
		cancel()
		f.guard.Confirm(some, err == nil)
		if err != nil {
			f.guard.Confirm(due, false)
			f.set.Logger.Debug("Reports are not taken; they are sent again", zap.Error(err))
			break
		}
		f.telemetry.reported(ctx, len(some))
		f.save(ctx)
	}
}

// saidAtOnce is how many sources one round names in the collector's own log.
const saidAtOnce = 10

// say writes into the collector's own log that shedding begins and ends.
func (f *floodGuard) say(due []flood.Report) {
	said := 0
	for i := range due {
		r := &due[i]
		if r.Phase == flood.Ongoing {
			continue
		}
		if said++; said > saidAtOnce {
			f.set.Logger.Warn("And further sources: their reports are among the logs", zap.Int("sources", len(due)-i))
			return
		}
		f.set.Logger.Warn("Flood", zap.String("phase", string(r.Phase)), zap.String("key.name", r.Key.Name), zap.String("key", r.Key.Value),
			zap.Stringer("limit", r.Limit), zap.Uint64("shed", r.Shed.Records), zap.Uint64("held", r.Held.Records))
	}
}

// Shutdown reports what is left. What nobody takes any more is stored, and the next session's first report.
func (f *floodGuard) Shutdown(ctx context.Context) error {
	if f.stop == nil {
		return f.closeStore(ctx)
	}
	f.stop()
	f.running.Wait()
	f.stop = nil
	f.report(ctx, true)
	f.telemetry.Shutdown()
	return f.closeStore(ctx)
}

func (f *floodGuard) closeStore(ctx context.Context) error {
	if f.store == nil {
		return nil
	}
	s := f.store
	f.store = nil
	return s.close(ctx, f)
}
