// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal/watch"
)

// verify is the connector: a queue that requests are put into, and one goroutine that looks at them, lets time pass, and stores
// the state. What it finds is sent by another one, for a full queue behind it must not keep it from looking.
type verify struct {
	config *Config
	set    connector.Settings

	findings  *findings // nil where no pipeline of logs takes them
	figures   *figures  // nil where no pipeline of metrics takes them
	entrances int

	// Set by Start:
	host      component.Host
	watcher   *watch.Watcher
	trust     *trustFile
	cas       *authorities
	starts    *checkpoints
	store     *store // nil without storage
	health    *health
	queue     *queue
	telemetry *telemetry
	running   sync.WaitGroup
	stop      func()
	started   bool
	stopped   bool
}

const (
	// tick is how often time passes for the watcher.
	tick = time.Second

	// What is not stored at a kill was not watched, and a seal that is not leaves a gap in its stream. So the state is stored this often
	// while there is something to look at, as long as storing takes at most one in saveShare of the time.
	minSave   = 100 * time.Millisecond
	saveShare = 20
)

// entrance is the consumer of one of the pipelines' kinds. All get the same; the first one hands it on.
type entrance struct {
	component.StartFunc
	component.ShutdownFunc
	*verify
	first bool
}

func (v *verify) entrance() connector.Logs {
	v.entrances++
	return &entrance{StartFunc: v.start, ShutdownFunc: v.shutdown, verify: v, first: v.entrances == 1}
}

// Capabilities says that what comes is left as it is.
func (e *entrance) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeLogs puts the logs into the queue, if there is room, and never fails: the records' way to their store does not lead
// through here.
func (e *entrance) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if e.first {
		e.queue.offer(ctx, ld)
	}
	return nil
}

// start begins to watch, at the first call. The collector starts each kind of pipeline that it feeds, one after the other.
func (v *verify) start(ctx context.Context, host component.Host) (err error) {
	if v.started {
		return nil
	}
	v.started = true
	v.host = host
	v.health = &health{host: host, logger: v.set.Logger}
	v.trust = newTrustFile(v.config.Trust, v.set.Logger, v.health)
	if v.config.Storage != nil {
		if v.store, err = openStore(ctx, v, host); err != nil {
			return err
		}
	}
	trusted, err := v.store.trust(ctx)
	if err != nil { // the records' way would be closed if this stopped the start
		v.set.Logger.Error("The trust lines of before cannot be read", zap.Error(err))
	}
	config := v.config.engine()
	config.Trust = v.trust.read(trusted)
	v.store.keepTrust(v.trust.text)
	v.cas = newAuthorities(v.config.Trust.CAFile, v.set.Logger, v.health)
	config.Roots, _ = v.cas.follow()
	v.starts = &checkpoints{path: v.config.Trust.CheckpointFile, health: v.health}
	if v.watcher, err = watch.New(config); err != nil {
		return err
	}
	if v.store != nil {
		if err := v.watcher.Load(v.store.read(ctx), time.Now()); err != nil {
			// The records' way would be closed if this stopped the start.
			v.set.Logger.Error("The state of before cannot be read: streams are watched as if for the first time", zap.Error(err))
		}
		v.save(ctx, false) // from now on it is not known that nothing came after it
	} else {
		v.set.Logger.Warn("verify has no storage: a restart forgets all streams, and what was rolled back or replaced meanwhile does not show")
	}
	v.queue = newQueue(v.watcher)
	if v.telemetry, err = newTelemetry(v); err != nil {
		return errors.Join(err, v.closeStore(ctx))
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	v.stop = stop
	v.running.Go(func() { v.run(running) })
	if v.findings != nil {
		v.findings.open = v.watcher.Open
		v.running.Go(func() { v.findings.run(running, v.health) })
	}
	if v.figures != nil {
		v.running.Go(func() { v.figures.run(running, v) })
	}
	return nil
}

// run looks at what comes, until ctx ends.
func (v *verify) run(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var followed time.Time
	var save <-chan time.Time // while something has come since the last time
	wait := minSave
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-v.queue.requests:
			v.observe(r)
			if save == nil {
				save = time.After(wait)
			}
		case began := <-save:
			v.save(ctx, false)
			save, wait = nil, max(minSave, saveShare*time.Since(began))
		case now := <-ticker.C:
			if now.Sub(followed) >= followInterval {
				followed = now
				if list, changed := v.trust.follow(); changed {
					v.tell(v.watcher.SetTrust(list, now))
					v.store.keepTrust(v.trust.text)
				}
				if roots, changed := v.cas.follow(); changed {
					v.watcher.SetRoots(roots)
				}
				v.tell(v.starts.follow(v.watcher, now))
			}
			v.tell(v.watcher.Tick(now))
			v.trust.writeLearned(v.watcher.Learned)
			v.save(ctx, false)
			v.health.set(troubleQueue, v.queue.trouble(now))
		}
	}
}

func (v *verify) observe(r request) {
	now := time.Now()
	for _, part := range byPeer(r.logs, r.address) {
		v.tell(v.watcher.Observe(part.logs, part.peer, now))
	}
	v.queue.done(r)
}

// tell hands findings to whom it concerns: to the pipelines, and to this process's own log.
func (v *verify) tell(events []watch.Event) {
	if len(events) == 0 {
		return
	}
	for i := range events {
		say(v.set.Logger, &events[i])
	}
	if v.findings != nil {
		v.findings.add(events)
	}
}

// save stores the state, once what was found by then has been taken: a kill in between finds it again, and does not lose it.
func (v *verify) save(ctx context.Context, last bool) {
	if v.store == nil || v.findings != nil && !v.findings.idle() && !last {
		return
	}
	err := v.store.save(ctx, v.watcher.Save(last))
	if err != nil {
		err = fmt.Errorf("storage %s takes no state, and a restart would not know what was seen since: %w", v.config.Storage, err)
	}
	v.health.set(troubleStorage, err)
}

// shutdown looks at what is left, tells what it finds, and stores the state, at the first call: what feeds this has stopped by
// then, and what takes the findings has not.
func (v *verify) shutdown(ctx context.Context) error {
	forget(v.config)
	if v.stopped || !v.started {
		return nil
	}
	v.stopped = true
	if v.stop == nil {
		return v.closeStore(ctx)
	}
	v.stop()
	v.running.Wait()
	v.queue.drain(v.observe)
	delivered := true
	if v.findings != nil {
		delivered = v.findings.flush(ctx)
	}
	// What nobody has taken is found again after the restart, from the state that was stored before it was found.
	if delivered {
		v.save(ctx, true)
	}
	v.trust.writeLearned(v.watcher.Learned)
	v.telemetry.Shutdown()
	return v.closeStore(ctx)
}

func (v *verify) closeStore(ctx context.Context) error {
	if v.store == nil {
		return nil
	}
	s := v.store
	v.store = nil
	return s.close(ctx)
}
