// SPDX-License-Identifier: Apache-2.0

// Package kafkaexporter is the stock kafka exporter (the same type and options), for logs, made to lose nothing.
//
// The stock exporter drops a request whole when its message is larger than producer.max_message_bytes, and on every
// answer of a broker that is not retriable: a topic that may not be written, for example. Here a request is cut until its
// messages fit, and what a broker refuses waits in the queue and is sent again. What is not written has these values:
//
//	kafka:
//	  producer: {required_acks: all}
//	  sending_queue: {block_on_overflow: true}
//	  retry_on_failure: {max_elapsed_time: 0}
package kafkaexporter

import (
	"context"
	"errors"
	"fmt"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config is the stock exporter's.
type Config struct {
	Stock stock.Config `mapstructure:",squash"`
}

var _ confmap.Validator = (*Config)(nil)

// NewFactory returns the factory of kafka.
func NewFactory() exporter.Factory {
	inner := stock.NewFactory()
	return exporter.NewFactory(inner.Type(),
		func() component.Config {
			cfg := inner.CreateDefaultConfig().(*stock.Config)
			cfg.Producer.RequiredAcks = -1 // all
			cfg.BackOffConfig.MaxElapsedTime = 0
			queue := exporterhelper.NewDefaultQueueConfig()
			queue.BlockOnOverflow = true
			queue.Sizer = exporterhelper.RequestSizerTypeBytes
			queue.QueueSize = 2 << 30
			cfg.QueueBatchConfig = configoptional.Some(queue)
			return &Config{Stock: *cfg}
		},
		exporter.WithLogs(func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
			return newExporter(ctx, inner, set, cfg.(*Config).Stock)
		}, inner.LogsStability()))
}

// Validate refuses a configuration under which records get lost.
func (c *Config) Validate() error {
	var errs []error
	if queue := c.Stock.QueueBatchConfig.Get(); queue != nil {
		if queue.StorageID == nil && !queue.WaitForResult {
			errs = append(errs, errors.New("sending_queue.storage is not set, so a crash would lose the queued logs; write `sending_queue: {storage: …}`, or `sending_queue: {enabled: false}`, with which the receiver waits for the broker"))
		}
		if !queue.BlockOnOverflow {
			errs = append(errs, errors.New("sending_queue.block_on_overflow: false would drop logs when the queue is full; remove it (true is the default)"))
		}
		if batch := queue.Batch.Get(); batch != nil && batch.MaxSize > 0 && batch.Sizer == exporterhelper.RequestSizerTypeBytes {
			errs = append(errs, errors.New("sending_queue.batch.max_size in bytes drops a request for one record above it; remove it: requests are cut to producer.max_message_bytes"))
		}
	}
	if !c.Stock.BackOffConfig.Enabled {
		errs = append(errs, errors.New("retry_on_failure is switched off, so one refused request would lose its logs; remove `enabled: false`"))
	}
	if c.Stock.BackOffConfig.MaxElapsedTime != 0 {
		errs = append(errs, fmt.Errorf("retry_on_failure.max_elapsed_time: %s would drop logs after that time; remove it (0, for ever, is the default)", c.Stock.BackOffConfig.MaxElapsedTime))
	}
	if c.Stock.Producer.RequiredAcks == 0 {
		errs = append(errs, errors.New("producer.required_acks: 0 takes what is written to the network for delivered; remove it (all is the default)"))
	}
	return errors.Join(errs...)
}
