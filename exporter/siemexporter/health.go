// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// health is whether data waits, and why: as the component's status, a gauge, and one log line a change.
type health struct {
	logger *zap.Logger
	host   component.Host
	// linger is how long a cause that lies in the records outlives the last request that met it. Other requests succeed
	// in between, and would make the status flap.
	linger time.Duration

	bad atomic.Bool // the answer to isGood, read on every success

	mu    sync.Mutex
	cause string
	since time.Time // when the cause was met last
}

func (h *health) isGood() bool { return !h.bad.Load() }

// succeeded is called after every request that the server took.
func (h *health) succeeded() {
	if h.isGood() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.bad.Load() || (h.cause == causeDeadLetter && time.Since(h.since) < h.linger) {
		return
	}
	h.bad.Store(false)
	h.cause = ""
	h.logger.Info("The SIEM takes logs again")
	componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// waits is called after every request whose data waits for another attempt.
func (h *health) waits(r *refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = time.Now()
	if h.bad.Load() && h.cause == r.cause {
		return
	}
	h.bad.Store(true)
	h.cause = r.cause
	h.logger.Warn("Logs wait in the queue and are sent again",
		zap.String("cause", r.cause), zap.String("reason", r.message))
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(errors.New(r.Error())))
}
