// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/exporter/siemexporter/internal/metadata"
)

// telemetry counts what metadata.yaml declares. Every metric carries the exporter's ID, as exporterhelper's do.
type telemetry struct {
	builder  *metadata.TelemetryBuilder
	exporter attribute.KeyValue
}

func newTelemetry(set exporter.Settings) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &telemetry{builder: builder, exporter: attribute.String("exporter", set.ID.String())}, nil
}

// observe registers the gauges.
func (t *telemetry) observe(health *health, ages *ages, ts targets) error {
	common := metric.WithAttributes(t.exporter)
	if err := t.builder.RegisterExporterSiemHealthyCallback(func(_ context.Context, o metric.Int64Observer) error {
		if health.isGood() {
			o.Observe(1, common)
		} else {
			o.Observe(0, common)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := t.builder.RegisterExporterSiemOldestQueuedAgeCallback(func(_ context.Context, o metric.Float64Observer) error {
		o.Observe(ages.oldest(time.Now()).Seconds(), common)
		return nil
	}); err != nil {
		return err
	}
	if err := t.builder.RegisterExporterSiemEndpointUpCallback(func(_ context.Context, o metric.Int64Observer) error {
		for _, target := range ts.list {
			up := int64(1)
			if target.down.Load() {
				up = 0
			}
			o.Observe(up, metric.WithAttributes(t.exporter, attribute.String("endpoint", target.endpoint)))
		}
		return nil
	}); err != nil {
		return err
	}
	if err := t.builder.RegisterExporterSiemUntrustedPeerCallback(func(_ context.Context, o metric.Int64Observer) error {
		for _, target := range ts.list {
			untrusted := int64(0)
			if target.watch.untrusted() {
				untrusted = 1
			}
			o.Observe(untrusted, metric.WithAttributes(t.exporter, attribute.String("endpoint", target.endpoint)))
		}
		return nil
	}); err != nil {
		return err
	}
	if err := t.observeUnacknowledged(ts); err != nil {
		return err
	}
	return t.builder.RegisterExporterSiemPeerCertificateExpiryCallback(func(_ context.Context, o metric.Float64Observer) error {
		for _, target := range ts.list {
			if seconds, ok := target.watch.untilExpiry(time.Now()); ok {
				o.Observe(seconds, metric.WithAttributes(t.exporter, attribute.String("endpoint", target.endpoint)))
			}
		}
		return nil
	})
}

// observeUnacknowledged registers the gauge of what was taken and may still be lost at the server.
func (t *telemetry) observeUnacknowledged(ts targets) error {
	return t.builder.RegisterExporterSiemUnacknowledgedRecordsCallback(func(_ context.Context, o metric.Int64Observer) error {
		for _, target := range ts.list {
			if records, counts := target.unacknowledged(); counts {
				o.Observe(records, metric.WithAttributes(t.exporter, attribute.String("endpoint", target.endpoint)))
			}
		}
		return nil
	})
}

// observeQueue registers the gauges of the queue.
func (t *telemetry) observeQueue(l *logsExporter) error {
	common := metric.WithAttributes(t.exporter)
	return errors.Join(
		t.builder.RegisterExporterSiemQueueOutageToleranceCallback(func(_ context.Context, o metric.Float64Observer) error {
			if whole, moving := lasts(l.capacity, l.pace.perSecond(time.Now())); moving {
				o.Observe(whole.Seconds(), common)
			}
			return nil
		}),
		t.builder.RegisterExporterSiemQueueTimeToFullCallback(func(_ context.Context, o metric.Float64Observer) error {
			held, known := l.watch.Held()
			if left, moving := lasts(max(0, l.capacity-held), l.pace.perSecond(time.Now())); known && moving {
				o.Observe(left.Seconds(), common)
			}
			return nil
		}),
	)
}

func (t *telemetry) connected(endpoint string, state *tls.ConnectionState) {
	t.builder.ExporterSiemConnections.Add(context.Background(), 1, metric.WithAttributes(t.exporter,
		attribute.String("endpoint", endpoint),
		attribute.String("tls_version", tls.VersionName(state.Version)),
		attribute.String("key_exchange", state.CurveID.String())))
}

func (t *telemetry) handshakeRefused(endpoint, reason string) {
	t.builder.ExporterSiemRefusedHandshakes.Add(context.Background(), 1, metric.WithAttributes(t.exporter,
		attribute.String("endpoint", endpoint), attribute.String("reason", reason)))
}

func (t *telemetry) retry(cause string) {
	t.builder.ExporterSiemRetries.Add(context.Background(), 1, metric.WithAttributes(t.exporter, attribute.String("cause", cause)))
}

func (t *telemetry) rejected(n int64) {
	t.builder.ExporterSiemRejectedRecords.Add(context.Background(), n, metric.WithAttributes(t.exporter))
}

func (t *telemetry) deadLettered(cause string, n int) {
	t.builder.ExporterSiemDeadLetteredRecords.Add(context.Background(), int64(n),
		metric.WithAttributes(t.exporter, attribute.String("cause", cause)))
}
