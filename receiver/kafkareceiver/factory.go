// SPDX-License-Identifier: Apache-2.0

// Package kafkareceiver is the stock kafka receiver (the same type and options), for logs, with a configuration that loses
// nothing and a refusal of one that does.
//
// The stock receiver marks a message as consumed before the pipeline has taken it: what is refused is committed, and gone.
// Here a message is marked after the pipeline has taken it, and is tried until then. What is not written has these values:
//
//	kafka:
//	  initial_offset: earliest
//	  message_marking: {after: true, on_error: false, on_permanent_error: false}
//	  error_backoff: {enabled: true, max_elapsed_time: 0}
package kafkareceiver

import (
	"context"
	"errors"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/kafkareceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

// Config is the stock receiver's.
type Config struct {
	Stock stock.Config `mapstructure:",squash"`
}

var (
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Validator   = (*Config)(nil)
)

// NewFactory returns the factory of kafka.
func NewFactory() receiver.Factory {
	inner := stock.NewFactory()
	return receiver.NewFactory(inner.Type(),
		func() component.Config {
			cfg := inner.CreateDefaultConfig().(*stock.Config)
			cfg.ConsumerConfig.InitialOffset = "earliest"
			cfg.MessageMarking = stock.MessageMarking{After: true}
			cfg.ErrorBackOff = configretry.NewDefaultBackOffConfig()
			cfg.ErrorBackOff.MaxElapsedTime = 0
			return &Config{Stock: *cfg}
		},
		receiver.WithLogs(func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			c := &cfg.(*Config).Stock
			if c.MessageMarking.OnPermanentError {
				set.Logger.Warn("message_marking.on_permanent_error is true: a message that cannot be decoded is skipped and lost", zap.Strings("topics", c.Logs.Topics))
			}
			w := &watched{}
			set.Logger = w.logger(set.Logger)
			next, err := w.consumer(next)
			if err != nil {
				return nil, err
			}
			if w.Logs, err = inner.CreateLogs(ctx, set, c, next); err != nil {
				return nil, err
			}
			return w, nil
		}, inner.LogsStability()))
}

// Unmarshal implements confmap.Unmarshaler, so that the stock receiver's own is called on its configuration.
func (c *Config) Unmarshal(conf *confmap.Conf) error { return conf.Unmarshal(&c.Stock) }

// Validate refuses a configuration under which a message that the pipeline has not taken is committed.
func (c *Config) Validate() error {
	var errs []error
	if !c.Stock.MessageMarking.After {
		errs = append(errs, errors.New("message_marking.after: false commits messages before the pipeline has taken them, so that what it refuses is lost; remove it (true is the default)"))
	}
	if c.Stock.MessageMarking.OnError {
		errs = append(errs, errors.New("message_marking.on_error: true commits messages that the pipeline has refused, and they are lost; remove it (false is the default)"))
	}
	if !c.Stock.ErrorBackOff.Enabled {
		errs = append(errs, errors.New("error_backoff is switched off, so one refused message would stop its partition until the group is rebalanced; remove `enabled: false`"))
	}
	return errors.Join(errs...)
}
