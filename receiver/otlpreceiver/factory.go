// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	_ "github.com/logseal/logseal/internal/grpcgzip" // gzip at a fraction of its cost
	"github.com/logseal/logseal/receiver/otlpreceiver/internal/metadata"
)

// NewFactory returns the factory of the otlp receiver, which takes logs and nothing else.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return newOTLP(cfg.(*Config), set, next)
}
