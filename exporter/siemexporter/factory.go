// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/logseal/logseal/exporter/siemexporter/internal/metadata"
	_ "github.com/logseal/logseal/internal/grpcgzip" // gzip at a fraction of its cost
)

// NewFactory returns the factory of the siem exporter, which carries logs and nothing else.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	e, err := newExporter(cfg.(*Config), set)
	if err != nil {
		return nil, err
	}
	return &logsExporter{siem: e, drainTime: drainTime}, nil
}

// newQueued makes exporterhelper's exporter, with its queue and its retries around push.
func (e *siemExporter) newQueued(ctx context.Context, logger *zap.Logger) (exporter.Logs, error) {
	set := e.set
	set.Logger = logger
	return xexporterhelper.NewLogsRequest(ctx, set,
		func(ctx context.Context, logs plog.Logs) (xexporterhelper.Request, error) {
			return newRequest(ctx, logs)
		},
		e.push,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		// One request to push can become many to the server. The timeout is applied to each of those.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithRetry(e.config.RetryConfig),
		xexporterhelper.WithQueueBatch(e.queue, xexporterhelper.QueueBatchSettings{Encoding: encoding{}}),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
	)
}

// takeBound takes the bound of a request in bytes out of what exporterhelper sees, and returns it: exporterhelper drops a
// request when one record of it is larger than the bound, and [delivery] sends that record by itself.
func takeBound(queue configoptional.Optional[exporterhelper.QueueBatchConfig]) (configoptional.Optional[exporterhelper.QueueBatchConfig], int64) {
	if !queue.HasValue() || !queue.Get().Batch.HasValue() || queue.Get().Batch.Get().Sizer != exporterhelper.RequestSizerTypeBytes {
		return queue, 0
	}
	without, batch := *queue.Get(), *queue.Get().Batch.Get()
	maxBytes := batch.MaxSize
	batch.MaxSize = 0
	without.Batch = configoptional.Some(batch)
	if batch.MinSize == 0 { // nothing left to do
		without.Batch = configoptional.None[exporterhelper.BatchConfig]()
	}
	return configoptional.Some(without), maxBytes
}
