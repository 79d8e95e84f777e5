// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/extension/encryptedstorageextension/internal/metadata"
	"github.com/logseal/logseal/pkg/seglog"
)

// telemetry reads the store's counters when somebody looks.
type telemetry struct{ *metadata.TelemetryBuilder }

func newTelemetry(set component.TelemetrySettings, id component.ID, stats func() seglog.Stats) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	with := metric.WithAttributeSet(attribute.NewSet(attribute.String("storage", id.String())))
	number := func(of func(seglog.Stats) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(of(stats()), with)
			return nil
		}
	}
	err = errors.Join(
		builder.RegisterExtensionEncryptedStorageBytesCallback(number(func(s seglog.Stats) int64 { return s.Bytes })),
		builder.RegisterExtensionEncryptedStorageEntriesCallback(number(func(s seglog.Stats) int64 { return s.Entries })),
		builder.RegisterExtensionEncryptedStorageFullCallback(number(func(s seglog.Stats) int64 {
			if s.FullSince.IsZero() {
				return 0
			}
			return 1
		})),
		builder.RegisterExtensionEncryptedStorageLiveBytesCallback(number(func(s seglog.Stats) int64 { return s.LiveBytes })),
		builder.RegisterExtensionEncryptedStorageLostEntriesCallback(number(func(s seglog.Stats) int64 { return s.Lost })),
		builder.RegisterExtensionEncryptedStorageOldKeySegmentsCallback(number(func(s seglog.Stats) int64 { return int64(s.OldKey) })),
		builder.RegisterExtensionEncryptedStorageRefusedWritesCallback(number(func(s seglog.Stats) int64 { return s.Refused })),
		builder.RegisterExtensionEncryptedStorageWrittenBytesCallback(number(func(s seglog.Stats) int64 { return s.WrittenBytes })),
	)
	if err != nil {
		builder.Shutdown()
		return nil, err
	}
	return &telemetry{builder}, nil
}
