// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadata"
)

// NewFactory returns the factory of the flood_guard processor, which takes logs and nothing else.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		createDefaultConfig,
		processor.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	return newFloodGuard(cfg.(*Config), set, next)
}
