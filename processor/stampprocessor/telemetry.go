// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/processor/stampprocessor/internal/metadata"
)

// telemetry reads the sealer's counters when somebody looks, so that counting costs a record nothing.
type telemetry struct{ *metadata.TelemetryBuilder }

func newTelemetry(set component.TelemetrySettings, id component.ID, stats func() sealer.Stats) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	processor := attribute.String("processor", id.String())
	plain := metric.WithAttributeSet(attribute.NewSet(processor))
	number := func(of func(sealer.Stats) uint64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(of(stats())), plain)
			return nil
		}
	}
	sent := metric.WithAttributeSet(attribute.NewSet(processor, attribute.String("delivery", "sent")))
	doubt := metric.WithAttributeSet(attribute.NewSet(processor, attribute.String("delivery", "doubt")))
	err = errors.Join(
		builder.RegisterProcessorStampRecordsCallback(number(func(s sealer.Stats) uint64 { return s.Records })),
		builder.RegisterProcessorStampRefusedRecordsCallback(number(func(s sealer.Stats) uint64 { return s.Refused })),
		builder.RegisterProcessorStampVoidedRecordsCallback(number(func(s sealer.Stats) uint64 { return s.Voided })),
		builder.RegisterProcessorStampSealsCallback(number(func(s sealer.Stats) uint64 { return s.Seals })),
		builder.RegisterProcessorStampUnsentSealsCallback(number(func(s sealer.Stats) uint64 { return uint64(s.Unsent) })),
		builder.RegisterProcessorStampUnsealedRecordsCallback(number(func(s sealer.Stats) uint64 { return uint64(s.Waiting) })),
		builder.RegisterProcessorStampUnsealedAgeCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(stats().Oldest.Seconds(), plain)
			return nil
		}),
		builder.RegisterProcessorStampAdoptedRecordsCallback(func(_ context.Context, o metric.Int64Observer) error {
			now := stats()
			o.Observe(int64(now.Adopted), sent)
			o.Observe(int64(now.Doubted), doubt)
			return nil
		}),
	)
	if err != nil {
		builder.Shutdown()
		return nil, err
	}
	return &telemetry{builder}, nil
}
