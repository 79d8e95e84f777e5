// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/logseal/logseal/connector/verifyconnector/internal/metadata"
)

// NewFactory returns the factory of the verify connector: logs in, findings out as logs, figures out as metrics.
func NewFactory() connector.Factory {
	return connector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		connector.WithLogsToLogs(createLogsToLogs, metadata.LogsToLogsStability),
		connector.WithLogsToMetrics(createLogsToMetrics, metadata.LogsToMetricsStability),
	)
}

func createLogsToLogs(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Logs, error) {
	v := shared(set, cfg.(*Config))
	v.findings = newFindings(next, set)
	return v.entrance(), nil
}

func createLogsToMetrics(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Logs, error) {
	v := shared(set, cfg.(*Config))
	v.figures = &figures{next: next, set: set}
	return v.entrance(), nil
}

// The collector makes a connector once for each kind of pipeline that it feeds, and hands each of them the same records. They
// share what watches, so that no record is looked at twice and no state is kept twice.
var (
	instancesMu sync.Mutex
	instances   = map[*Config]*verify{}
)

func shared(set connector.Settings, config *Config) *verify {
	instancesMu.Lock()
	defer instancesMu.Unlock()
	v, found := instances[config]
	if !found {
		v = &verify{config: config, set: set}
		instances[config] = v
	}
	return v
}

func forget(config *Config) {
	instancesMu.Lock()
	defer instancesMu.Unlock()
	delete(instances, config)
}
