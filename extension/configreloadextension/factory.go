// SPDX-License-Identifier: Apache-2.0

package configreloadextension

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/extension/configreloadextension/internal/metadata"
)

// Config is empty: when a configuration is taken is the operator's to say, with SIGHUP.
type Config struct{}

// NewFactory returns the factory of config_reload.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, _ component.Config) (extension.Extension, error) {
			return &reporter{set: set}, nil
		},
		metadata.ExtensionStability,
	)
}

// reporter tells of refused configurations.
type reporter struct {
	set     extension.Settings
	builder *metadata.TelemetryBuilder
}

// Start begins to report.
func (r *reporter) Start(_ context.Context, host component.Host) error {
	var err error
	if r.builder, err = metadata.NewTelemetryBuilder(r.set.TelemetrySettings); err != nil {
		return err
	}
	if err := errors.Join(
		r.builder.RegisterExtensionConfigReloadCurrentCallback(func(_ context.Context, o metric.Int64Observer) error {
			current := int64(1)
			if why, _ := process.state(); why != nil {
				current = 0
			}
			o.Observe(current)
			return nil
		}),
		r.builder.RegisterExtensionConfigReloadRefusedCallback(func(_ context.Context, o metric.Int64Observer) error {
			_, refused := process.state()
			o.Observe(refused)
			return nil
		}),
	); err != nil {
		return err
	}
	process.report(func(why error) {
		if why == nil {
			componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
			return
		}
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(
			fmt.Errorf("the configuration on disk was refused, and the one before runs on: %w", why)))
	})
	return nil
}

// Shutdown ends that.
func (r *reporter) Shutdown(context.Context) error {
	process.report(nil)
	if r.builder != nil {
		r.builder.Shutdown()
	}
	return nil
}
