// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/logseal/logseal/internal/queuewatch"
	"github.com/logseal/logseal/internal/quietlog"
)

const (
	// diskShare is the part of its file system, 1/diskShare, that the queue takes at most: a disk that is full stops more
	// than the collector.
	diskShare = 2
	// fullAfter is how long receivers wait for room until that is an outage of the agent, and not a peak.
	fullAfter = 5 * time.Second
	// remindInterval is how often the log says that logs still wait.
	remindInterval = 10 * time.Minute
	// drainTime is how long a stop waits at most for the SIEM to take what the queue holds.
	drainTime = 2 * time.Second
)

// directoryHolder is a storage extension that says where its files are.
type directoryHolder interface{ Directory() string }

// logsExporter puts requests into the queue, and watches over it. exporterhelper's exporter is made at the start: only then
// is the disk known that the queue is on.
type logsExporter struct {
	siem      *siemExporter
	queue     exporterhelper.QueueBatchConfig
	drainTime time.Duration

	exporter.Logs // nil before Start
	capacity      int64
	watch         *queuewatch.Watch
	pace          *pace

	inside   atomic.Int64 // calls that wait for the queue, or are being written
	lastTook atomic.Int64 // Unix nanoseconds of the last one that was taken, or that found nobody waiting

	stop    chan struct{}
	watcher sync.WaitGroup
}

func (l *logsExporter) Start(ctx context.Context, host component.Host) error {
	e := l.siem
	if queue := e.queue.Get(); queue != nil {
		l.queue = *queue
		if queue.StorageID != nil {
			l.queue.QueueSize = l.bound(host.GetExtensions()[*queue.StorageID])
		}
		l.capacity = l.queue.QueueSize
		*queue = l.queue
	}
	l.pace = newPace(time.Now())
	e.health.outlook = l.outlook
	l.watch = queuewatch.New(l.queue.Sizer, e.health.queueWrote)
	if l.queue.StorageID != nil {
		host = l.watch.Host(host, *l.queue.StorageID)
	}
	var err error
	if l.Logs, err = e.newQueued(ctx, l.quiet()); err != nil {
		return err
	}
	if err := l.Logs.Start(ctx, host); err != nil {
		// All that bbolt says of a file that another process has locked.
		if err.Error() == "timeout" {
			return fmt.Errorf("sending_queue.storage %q: the queue of exporter %q is in use by another process: give each collector a storage directory of its own, or end the other one (%w)",
				l.queue.StorageID, e.set.ID, err)
		}
		return err
	}
	if err := e.telemetry.observeQueue(l); err != nil {
		return err
	}
	l.stop = make(chan struct{})
	l.watcher.Go(l.watchOver)
	return nil
}

// bound returns queue_size, or less when the file system is small.
func (l *logsExporter) bound(extension component.Component) int64 {
	holder, ok := extension.(directoryHolder)
	if !ok || l.queue.Sizer != exporterhelper.RequestSizerTypeBytes {
		return l.queue.QueueSize
	}
	total, err := fileSystemSize(holder.Directory())
	if err != nil || total <= 0 {
		l.siem.logger.Warn("The size of the queue's disk is unknown, and sending_queue.queue_size holds as it is", zap.Error(err))
		return l.queue.QueueSize
	}
	share := total / diskShare
	if share >= l.queue.QueueSize {
		return l.queue.QueueSize
	}
	l.siem.logger.Warn("The queue's disk is small: the queue takes half of it, and less than sending_queue.queue_size",
		zap.Int64("queue_size", l.queue.QueueSize), zap.Int64("disk_bytes", total), zap.Int64("queue_bytes", share))
	return share
}

// quiet leaves out what exporterhelper says of data that it has not dropped: what is cut short by a stop stays in a queue
// on disk, what is refused goes back to the receiver, and what is sent again is told by our own log line, once.
func (l *logsExporter) quiet() *zap.Logger {
	return quietlog.New(l.siem.set.Logger, quietlog.Rules{
		"Exporting failed. Will retry the request after interval.": nil,
		"Exporting failed. Rejecting data.":                        nil,
		"Exporting failed. Dropping data.": func(fields []zapcore.Field) bool {
			return l.queue.StorageID != nil && l.siem.stopping.Load() && quietlog.Error(fields) != nil
		},
		"New queue metadata key not found, attempting to load legacy format.": nil,
	})
}

// Capabilities are known before the start: exporterhelper's batcher moves records between requests.
func (l *logsExporter) Capabilities() consumer.Capabilities {
	queue := l.siem.queue.Get()
	return consumer.Capabilities{MutatesData: queue != nil && queue.Batch.HasValue()}
}

// ConsumeLogs puts a request into the queue, and waits while there is no room.
func (l *logsExporter) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if l.Logs == nil {
		return errors.New("the exporter was not started")
	}
	return l.offer(ctx, logs, l.amount(logs))
}

// amount is the size of a request in the unit of queue_size.
func (l *logsExporter) amount(logs plog.Logs) int64 {
	switch l.queue.Sizer {
	case exporterhelper.RequestSizerTypeBytes:
		return int64(new(plog.ProtoMarshaler).LogsSize(logs))
	case exporterhelper.RequestSizerTypeItems:
		return int64(logs.LogRecordCount())
	default:
		return 1
	}
}

// offer halves a request that is larger than the whole queue: it would wait for room for ever.
func (l *logsExporter) offer(ctx context.Context, logs plog.Logs, amount int64) error {
	if records := logs.LogRecordCount(); amount > l.capacity && records > 1 {
		for _, half := range []span{{0, records / 2}, {records / 2, records}} {
			part := pick(logs, []span{half})
			if err := l.offer(ctx, part, l.amount(part)); err != nil {
				return err
			}
		}
		return nil
	}
	if amount > l.capacity {
		r, err := newRequest(ctx, logs)
		if err != nil {
			return err
		}
		return l.siem.bury(deadLetter{request: r, cause: causeTooLarge, reason: "the record is larger than the queue"})
	}
	if l.inside.Add(1) == 1 {
		l.lastTook.Store(time.Now().UnixNano())
	}
	defer l.inside.Add(-1)
	if err := l.watch.Admit(ctx, logs); err != nil {
		return err
	}
	// Counted first: a request can fail to reach the SIEM, and the outage be told, before the queue's call is back.
	l.pace.add(amount, time.Now())
	if err := l.Logs.ConsumeLogs(ctx, logs); err != nil {
		l.pace.add(-amount, time.Now())
		return err
	}
	l.lastTook.Store(time.Now().UnixNano())
	return nil
}

// watchOver tells when receivers wait for room, and reminds of what lasts.
func (l *logsExporter) watchOver() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	reminded := time.Now()
	for {
		select {
		case <-l.stop:
			return
		case now := <-tick.C:
			if l.inside.Load() > 0 && now.Sub(time.Unix(0, l.lastTook.Load())) > fullAfter {
				l.siem.health.queueFull()
			} else {
				l.siem.health.queueMoves()
			}
			if now.Sub(reminded) >= remindInterval {
				reminded = now
				l.siem.health.remind(remindInterval)
			}
		}
	}
}

// outlook says how long the queue lasts, for the log.
func (l *logsExporter) outlook() zap.Field {
	rate := l.pace.perSecond(time.Now())
	whole, moving := lasts(l.capacity, rate)
	if !moving {
		return zap.String("queue", "nothing has come in during the last hour")
	}
	text := fmt.Sprintf("at the rate of the last hour this queue holds %s", inHours(whole))
	if held, known := l.watch.Held(); known {
		left, _ := lasts(max(0, l.capacity-held), rate)
		text += fmt.Sprintf("; %d %% of it are in use, and it is full in %s", 100*held/l.capacity, inHours(left))
	}
	return zap.String("queue", text)
}

// drain waits until the SIEM has taken what the queue holds on disk, while it takes logs at all, and no longer than drainTime. When
// exporterhelper stops, such a queue keeps for the next start whatever is not under way: with an agent that stops in order that would be the
// seal that closes its stream, which is the last to enter, and the host would look silent.
func (l *logsExporter) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.drainTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for l.siem.health.delivers() {
		if held, known := l.watch.Held(); !known || held == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *logsExporter) Shutdown(ctx context.Context) error {
	if l.stop != nil {
		l.drain(ctx)
	}
	l.siem.beginStop()
	if l.stop != nil {
		close(l.stop)
		l.watcher.Wait()
		l.stop = nil
	}
	if l.Logs == nil {
		l.siem.telemetry.builder.Shutdown()
		return nil
	}
	return l.Logs.Shutdown(ctx)
}
