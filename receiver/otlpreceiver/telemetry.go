// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/tlsserver"
	"github.com/logseal/logseal/receiver/otlpreceiver/internal/metadata"
)

// telemetry counts what metadata.yaml declares. Every metric carries the receiver's ID, as receiverhelper's do.
type telemetry struct {
	builder  *metadata.TelemetryBuilder
	receiver attribute.KeyValue
}

func newTelemetry(set receiver.Settings) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &telemetry{builder: builder, receiver: attribute.String("receiver", set.ID.String())}, nil
}

// observe registers the gauges: over all protocols, the one that is worst.
func (t *telemetry) observe(servers []*tlsserver.Server) error {
	if len(servers) == 0 {
		return nil
	}
	common := metric.WithAttributes(t.receiver)
	if err := t.builder.RegisterReceiverOtlpCertificatesCurrentCallback(func(_ context.Context, o metric.Int64Observer) error {
		current := int64(1)
		for _, server := range servers {
			if server.Stale() {
				current = 0
			}
		}
		o.Observe(current, common)
		return nil
	}); err != nil {
		return err
	}
	return t.builder.RegisterReceiverOtlpCertificateExpiryCallback(func(_ context.Context, o metric.Float64Observer) error {
		var first time.Time
		for _, server := range servers {
			if end := server.CertificateExpiry(); !end.IsZero() && (first.IsZero() || end.Before(first)) {
				first = end
			}
		}
		if !first.IsZero() {
			o.Observe(time.Until(first).Seconds(), common)
		}
		return nil
	})
}

func (t *telemetry) handshakeRefused(reason string) {
	t.builder.ReceiverOtlpRefusedHandshakes.Add(context.Background(), 1, metric.WithAttributes(t.receiver, attribute.String("reason", reason)))
}

func (t *telemetry) connectionClosed(reason string) {
	t.builder.ReceiverOtlpClosedConnections.Add(context.Background(), 1, metric.WithAttributes(t.receiver, attribute.String("reason", reason)))
}

func (t *telemetry) mismatched(records int) {
	t.builder.ReceiverOtlpMismatchedRecords.Add(context.Background(), int64(records), metric.WithAttributes(t.receiver))
}

// logInterval is how often a client's doings are logged that could be repeated at will; the metrics count every one.
const logInterval = time.Minute

// maxKinds bounds how many kinds have an interval of their own.
const maxKinds = 100

// rateLimited logs one line an interval and kind, with the number of those that were not logged since.
type rateLimited struct {
	logger *zap.Logger
	text   string

	mu    sync.Mutex
	kinds map[string]*occurrence
}

type occurrence struct {
	next   time.Time
	silent int
}

func newRateLimited(logger *zap.Logger, text string) *rateLimited {
	return &rateLimited{logger: logger, text: text, kinds: map[string]*occurrence{}}
}

func (l *rateLimited) warn(kind string, fields ...zap.Field) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kinds) >= maxKinds && l.kinds[kind] == nil {
		kind = "" // all others share one
	}
	seen := l.kinds[kind]
	if seen == nil {
		seen = &occurrence{}
		l.kinds[kind] = seen
	}
	if now := time.Now(); now.Before(seen.next) {
		seen.silent++
		return
	} else {
		seen.next = now.Add(logInterval)
	}
	l.logger.Warn(l.text, append(fields, zap.Int("not_logged_since_last", seen.silent))...)
	seen.silent = 0
}

// clip bounds a text that the other side may have written.
func clip(text string) string {
	const most = 256
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
