// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/logseal/logseal/exporter/siemexporter/internal/metadata"
)

// NewFactory returns the factory of the siem exporter, which carries logs and nothing else.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	config := cfg.(*Config)
	e, err := newExporter(config, set)
	if err != nil {
		return nil, err
	}
	logs, err := exporterhelper.NewLogs(ctx, set, cfg,
		e.pushLogs,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		// One request to pushLogs can become many to the server. The timeout is applied to each of those.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithRetry(config.RetryConfig),
		exporterhelper.WithQueue(e.queue),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
	)
	if err != nil {
		return nil, err
	}
	return &logsExporter{Logs: logs, siem: e}, nil
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
