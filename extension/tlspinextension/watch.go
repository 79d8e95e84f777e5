// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/logseal/logseal/extension/tlspinextension/internal/metadata"
	"github.com/logseal/logseal/pkg/tlspin"
)

const (
	// remindInterval is how often the same is logged again.
	remindInterval = time.Hour
	// maxReminded bounds how many different lines are logged in that time: a server may show another key each time.
	maxReminded = 100
	// quietPeriod is how long after the last refused handshake the extension is healthy again, should the server never be asked again. It is longer
	// than what gRPC and exporters wait between two attempts.
	quietPeriod = 5 * time.Minute
	// maxText bounds what is repeated of an error, in bytes.
	maxText = 512
)

// watch tells of handshakes: as metrics, in the log, and as the status of the extension.
type watch struct {
	builder   *metadata.TelemetryBuilder
	extension attribute.KeyValue
	logger    *zap.Logger

	mu       sync.Mutex
	host     component.Host // nil while the extension does not run
	refusing map[string]bool
	quiet    *time.Timer
	told     map[string]time.Time
}

func newWatch(set extension.Settings) (*watch, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &watch{
		builder: builder, extension: attribute.String("extension", set.ID.String()), logger: set.Logger,
		refusing: map[string]bool{}, told: map[string]time.Time{},
	}, nil
}

func (w *watch) start(ctx context.Context, host component.Host) {
	// A counter that begins with its first event has no increase for an alert to see.
	w.builder.ExtensionTLSPinRefusedHandshakes.Add(ctx, 0, w.with(tlspin.ReasonPin))
	w.builder.ExtensionTLSPinReportedHandshakes.Add(ctx, 0, w.with(tlspin.ReasonPin))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host = host
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host = nil
	if w.quiet != nil {
		w.quiet.Stop()
	}
	w.builder.Shutdown()
}

func (w *watch) with(reason string) metric.AddOption {
	return metric.WithAttributeSet(attribute.NewSet(w.extension, attribute.String("reason", reason)))
}

// refused is called when either side has refused a handshake.
func (w *watch) refused(server string, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client's own shutdown
	}
	reason, text := tlspin.Reason(err), clip(err.Error())
	w.builder.ExtensionTLSPinRefusedHandshakes.Add(context.Background(), 1, w.with(reason))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.due(server + " " + text) {
		w.logger.Error("A handshake failed, and nothing was sent", zap.String("server", server), zap.String("reason", reason), zap.String("error", text))
	}
	if w.host == nil {
		return
	}
	w.refusing[server] = true
	if w.quiet == nil {
		w.quiet = time.AfterFunc(quietPeriod, w.forget)
	} else {
		w.quiet.Reset(quietPeriod)
	}
	componentstatus.ReportStatus(w.host, componentstatus.NewRecoverableErrorEvent(errors.New(server+": "+text)))
}

// passed is called when a handshake with the server went well.
func (w *watch) passed(server string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refusing[server] {
		delete(w.refusing, server)
		w.logger.Info("Handshakes pass again", zap.String("server", server))
		w.recover()
	}
}

// forget ends the unhealthy state after a while in which nothing was refused.
func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.refusing)
	w.recover()
}

func (w *watch) recover() {
	if len(w.refusing) == 0 && w.host != nil {
		componentstatus.ReportStatus(w.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// reported is called for each session that breaks the policy and is let through. The status stays as it is: logs flow, and a health check
// that fails for what was asked only to be told would stop them.
func (w *watch) reported(state tls.ConnectionState, breach error) {
	reason, text := tlspin.Reason(breach), clip(breach.Error())
	w.builder.ExtensionTLSPinReportedHandshakes.Add(context.Background(), 1, w.with(reason))
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.due(text) {
		return
	}
	fields := []zap.Field{zap.String("reason", reason), zap.String("error", text)}
	if errors.Is(breach, tlspin.ErrMismatch) {
		fields = append(fields, zap.Stringer("pin_of_its_key", tlspin.Of(state.PeerCertificates[0])),
			zap.String("remedy", "compare the pin with what the server's owner tells you in another way, and write it under `pins`"))
	}
	w.logger.Warn("`mode: enforce` would refuse this server", fields...)
}

// due tells whether a line is to be logged: the first time, and once in each remindInterval.
func (w *watch) due(line string) bool {
	now := time.Now()
	if last, seen := w.told[line]; seen && now.Sub(last) < remindInterval {
		return false
	}
	if len(w.told) >= maxReminded {
		for line, last := range w.told {
			if now.Sub(last) >= remindInterval {
				delete(w.told, line)
			}
		}
		if len(w.told) >= maxReminded {
			return false
		}
	}
	w.told[line] = now
	return true
}

// clip bounds a text of which the other side may have written a part.
func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}
