// SPDX-License-Identifier: Apache-2.0

package kafkaexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/logseal/logseal/internal/queuewatch"
	"github.com/logseal/logseal/internal/quietlog"
)

// kafkaExporter is the queue and the retries around a stock exporter that has neither.
type kafkaExporter struct {
	exporter.Logs               // the queue
	storage       *component.ID // that it is on; nil in memory
	watch         *queuewatch.Watch
	producer      exporter.Logs
	logger        *zap.Logger
	host          component.Host
	stopping      atomic.Bool

	mu  sync.Mutex
	bad bool // the last request was not taken
}

func newExporter(ctx context.Context, inner exporter.Factory, set exporter.Settings, cfg stock.Config) (exporter.Logs, error) {
	e := &kafkaExporter{logger: set.Logger}
	if queue := cfg.QueueBatchConfig.Get(); queue != nil && queue.StorageID != nil {
		e.storage, e.watch = queue.StorageID, queuewatch.New(queue.Sizer, nil)
	}

	direct, directSet := cfg, set
	direct.QueueBatchConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	direct.BackOffConfig.Enabled = false
	// Its metrics would be counted twice under one name.
	directSet.ID = component.NewIDWithName(set.ID.Type(), set.ID.Name()+"_producer")
	directSet.Logger = quietlog.New(set.Logger, quietlog.Rules{
		// Nothing is rejected, and report tells why a request waits.
		"kafka records export failed":           nil,
		"kafka record exceeds max message size": nil,
		"Exporting failed. Rejecting data. Try enabling retry_on_failure config option to retry on retryable errors. Try enabling sending_queue to survive temporary failures.": nil,
	})
	var err error
	if e.producer, err = inner.CreateLogs(ctx, directSet, &direct); err != nil {
		return nil, err
	}

	queued := set
	queued.Logger = quietlog.New(set.Logger, quietlog.Rules{
		"Exporting failed. Will retry the request after interval.": nil,
		"Exporting failed. Rejecting data.":                        nil,
		"Exporting failed. Dropping data.":                         func([]zapcore.Field) bool { return e.storage != nil && e.stopping.Load() },
	})
	e.Logs, err = exporterhelper.NewLogs(ctx, queued, &cfg, e.push,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}), // the stock exporter has its own, for each message
		exporterhelper.WithRetry(cfg.BackOffConfig),
		exporterhelper.WithQueue(cfg.QueueBatchConfig),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(func(ctx context.Context) error { return e.producer.Shutdown(ctx) }),
	)
	return e, err
}

// silentHost takes no status: the stock exporter reports OK with every connection, also while every request is refused.
type silentHost struct{ component.Host }

func (e *kafkaExporter) start(ctx context.Context, host component.Host) error {
	e.host = host
	return e.producer.Start(ctx, silentHost{host})
}

// Start starts the queue.
func (e *kafkaExporter) Start(ctx context.Context, host component.Host) error {
	if e.storage != nil {
		host = e.watch.Host(host, *e.storage)
	}
	return e.Logs.Start(ctx, host)
}

// ConsumeLogs puts a request into the queue.
func (e *kafkaExporter) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if e.storage != nil {
		if err := e.watch.Admit(ctx, logs); err != nil {
			return err
		}
	}
	return e.Logs.ConsumeLogs(ctx, logs)
}

func (e *kafkaExporter) Shutdown(ctx context.Context) error {
	e.stopping.Store(true)
	return e.Logs.Shutdown(ctx)
}

// push sends one request, and returns an error when anything of it has to wait. No error from here is a permanent one, for
// which exporterhelper would drop the request.
func (e *kafkaExporter) push(ctx context.Context, logs plog.Logs) error {
	remaining, err := e.send(ctx, logs)
	if !e.stopping.Load() {
		e.report(err)
	}
	if err == nil {
		return nil
	}
	return consumererror.NewLogs(errors.New(err.Error()), remaining)
}

// send cuts a request that is too large for a message until its parts fit, and returns what was not sent.
func (e *kafkaExporter) send(ctx context.Context, logs plog.Logs) (remaining plog.Logs, err error) {
	if err = e.producer.ConsumeLogs(ctx, logs); err == nil || !tooLarge(err) {
		return logs, err
	}
	records := logs.LogRecordCount()
	if records < 2 {
		return logs, fmt.Errorf("one record is too large for a message, and waits: raise producer.max_message_bytes, and max.message.bytes of the topic: %w", err)
	}
	// Both halves are tried, so that a record that fits nowhere does not keep back what comes behind it.
	front, frontErr := e.send(ctx, slice(logs, 0, records/2))
	back, backErr := e.send(ctx, slice(logs, records/2, records))
	remaining = plog.NewLogs()
	if frontErr != nil {
		front.ResourceLogs().MoveAndAppendTo(remaining.ResourceLogs())
	}
	if backErr != nil {
		back.ResourceLogs().MoveAndAppendTo(remaining.ResourceLogs())
	}
	return remaining, errors.Join(frontErr, backErr)
}

func tooLarge(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}

// report tells the operator and the collector when requests begin to wait and when they are taken again.
func (e *kafkaExporter) report(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bad == (err != nil) {
		return
	}
	e.bad = err != nil
	if err != nil {
		e.logger.Warn("Logs wait in the queue and are sent again", zap.Error(err))
		componentstatus.ReportStatus(e.host, componentstatus.NewRecoverableErrorEvent(errors.New(err.Error())))
		return
	}
	e.logger.Info("The broker takes logs again")
	componentstatus.ReportStatus(e.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// slice copies the records from..to-1, counted in the order in which they stand, with their resources and scopes.
func slice(logs plog.Logs, from, to int) plog.Logs {
	out, at := plog.NewLogs(), 0
	logs.CopyTo(out)
	out.ResourceLogs().RemoveIf(func(resource plog.ResourceLogs) bool {
		resource.ScopeLogs().RemoveIf(func(scope plog.ScopeLogs) bool {
			scope.LogRecords().RemoveIf(func(plog.LogRecord) bool {
				at++
				return at <= from || at > to
			})
			return scope.LogRecords().Len() == 0
		})
		return resource.ScopeLogs().Len() == 0
	})
	return out
}
