// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/pkg/flood"
	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadata"
)

// telemetry reads the guard's counters when somebody looks, so that counting costs a record nothing.
type telemetry struct {
	*metadata.TelemetryBuilder
	plain metric.MeasurementOption
}

// topKeys is how many sources the metrics name: an attacker who invents keys must not invent series.
const topKeys = 10

func newTelemetry(set component.TelemetrySettings, id component.ID, guard *flood.Guard) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	processor := attribute.String("processor", id.String())
	t := &telemetry{builder, metric.WithAttributeSet(attribute.NewSet(processor))}
	outcomes := map[string]metric.MeasurementOption{}
	for _, outcome := range []string{"kept", "shed", "held"} {
		outcomes[outcome] = metric.WithAttributeSet(attribute.NewSet(processor, attribute.String("outcome", outcome)))
	}
	byOutcome := func(of func(flood.Count) uint64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			stats := guard.Stats()
			o.Observe(int64(of(stats.Kept)), outcomes["kept"])
			o.Observe(int64(of(stats.Shed)), outcomes["shed"])
			o.Observe(int64(of(stats.Held)), outcomes["held"])
			return nil
		}
	}
	number := func(of func(flood.Stats) uint64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(of(guard.Stats())), t.plain)
			return nil
		}
	}
	err = errors.Join(
		builder.RegisterProcessorFloodGuardRecordsCallback(byOutcome(func(c flood.Count) uint64 { return c.Records })),
		builder.RegisterProcessorFloodGuardBytesCallback(byOutcome(func(c flood.Count) uint64 { return c.Bytes })),
		builder.RegisterProcessorFloodGuardKeysCallback(number(func(s flood.Stats) uint64 { return uint64(s.Sources) })),
		builder.RegisterProcessorFloodGuardNewcomerRecordsCallback(number(func(s flood.Stats) uint64 { return s.WithoutState })),
		builder.RegisterProcessorFloodGuardTopKeysCallback(func(_ context.Context, o metric.Int64Observer) error {
			for _, top := range guard.Top(topKeys) {
				o.Observe(int64(top.Records), metric.WithAttributeSet(attribute.NewSet(processor,
					attribute.String("key_name", top.Key.Name), attribute.String("key", top.Key.Value))))
			}
			return nil
		}),
	)
	if err != nil {
		builder.Shutdown()
		return nil, err
	}
	return t, nil
}

func (t *telemetry) reported(ctx context.Context, n int) {
	t.ProcessorFloodGuardReports.Add(ctx, int64(n), t.plain)
}
