// SPDX-License-Identifier: Apache-2.0

package redactprocessor

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/pkg/redact"
	"github.com/logseal/logseal/processor/redactprocessor/internal/metadata"
)

type redactProcessor struct {
	engine    *redact.Engine
	telemetry *metadata.TelemetryBuilder
}

// newProcessor compiles the engine, so that a missing key file or a failing self-test stops the collector at start.
func newProcessor(set processor.Settings, cfg *Config) (*redactProcessor, error) {
	engine, err := redact.New(*cfg)
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &redactProcessor{engine, telemetry}, nil
}

func (p *redactProcessor) shutdown(context.Context) error {
	p.telemetry.Shutdown()
	return nil
}

func (p *redactProcessor) processLogs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	before := ld.LogRecordCount()
	p.engine.Logs(ld, recorder{ctx, p.telemetry})
	after := ld.LogRecordCount()
	if after < before {
		p.telemetry.ProcessorRedactDroppedRecords.Add(ctx, int64(before-after))
	}
	if after == 0 && before > 0 {
		return ld, processorhelper.ErrSkipProcessingData
	}
	return ld, nil
}

// recorder turns the engine's counts into metrics.
type recorder struct {
	ctx context.Context
	t   *metadata.TelemetryBuilder
}

func (r recorder) Matches(rule, action, location string, n int64) {
	r.t.ProcessorRedactMatches.Add(r.ctx, n, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("rule", rule), attribute.String("action", action), attribute.String("location", location))))
}

func (r recorder) Suppressed(rule string, n int64) {
	r.t.ProcessorRedactSuppressed.Add(r.ctx, n, metric.WithAttributeSet(attribute.NewSet(attribute.String("rule", rule))))
}

func (r recorder) Failures(reason string, n int64) {
	r.t.ProcessorRedactFailures.Add(r.ctx, n, metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
}

func (r recorder) Scanned(n int64) {
	r.t.ProcessorRedactScannedBytes.Add(r.ctx, n)
}
