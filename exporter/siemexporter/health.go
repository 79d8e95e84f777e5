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
	"go.uber.org/zap/zapcore"
)

// What can be wrong. The queue comes first: while it takes nothing, nothing is read.
const (
	troubleQueue = iota
	troubleDelivery
	troubles
)

// Causes of trouble with the queue.
const (
	causeStorage   = "queue_not_written"
	causeQueueFull = "queue_full"
)

// health is whether data waits, and why: as the component's status, a gauge, and one log line a change.
type health struct {
	logger *zap.Logger
	host   component.Host
	// linger is how long a cause that lies in the records outlives the last request that met it. Other requests succeed
	// in between, and would make the status flap.
	linger time.Duration
	// outlook says how long the queue lasts.
	outlook func() zap.Field

	bad [troubles]atomic.Bool // read on every success

	mu    sync.Mutex
	cause [troubles]string
	why   [troubles]error
	began [troubles]time.Time // when the trouble began
	met   [troubles]time.Time // when it was met last
}

// isGood waits for a change to be told: who sees the gauge finds the log line and the status.
func (h *health) isGood() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.bad[troubleQueue].Load() && !h.bad[troubleDelivery].Load()
}

// delivers reports whether the SIEM takes logs, as far as is known.
func (h *health) delivers() bool { return !h.bad[troubleDelivery].Load() }

// succeeded is called after every request that the server took.
func (h *health) succeeded() {
	if !h.bad[troubleDelivery].Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause[troubleDelivery] == causeDeadLetter && time.Since(h.met[troubleDelivery]) < h.linger {
		return
	}
	h.end(troubleDelivery, "The SIEM takes logs again")
}

// waits is called after every request whose data waits for another attempt.
func (h *health) waits(r *refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	level, text := zap.WarnLevel, "Logs wait in the queue and are sent again"
	if somebodyElse[r.cause] {
		// No outage: an attack, or a key that was changed without us.
		level, text = zap.ErrorLevel, "Somebody else answers in the SIEM's place. He was refused during the handshake and received nothing; logs wait in the queue"
	}
	h.begin(troubleDelivery, r.cause, errors.New(r.Error()), level, text, r.message)
}

// queueWrote is called after every write of the queue's storage.
func (h *health) queueWrote(err error) {
	if err == nil && !h.bad[troubleQueue].Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil:
		h.begin(troubleQueue, causeStorage, errors.New("the queue cannot be written, and nothing more is read: "+err.Error()),
			zap.WarnLevel, "The queue cannot be written. Nothing is lost: receivers wait, and nothing more is read until there is room on its disk", err.Error())
	case h.cause[troubleQueue] == causeStorage:
		h.end(troubleQueue, "The queue can be written again")
	}
}

// queueFull is called while receivers wait for room in the queue, and queueMoves when they do not.
func (h *health) queueFull() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.bad[troubleQueue].Load() {
		h.begin(troubleQueue, causeQueueFull, errors.New("the queue is full, and nothing more is read until the SIEM takes logs"),
			zap.WarnLevel, "The queue is full. Nothing is lost: receivers wait, and nothing more is read until the SIEM takes logs", "sending_queue.queue_size is reached")
	}
}

func (h *health) queueMoves() {
	if !h.bad[troubleQueue].Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause[troubleQueue] == causeQueueFull {
		h.end(troubleQueue, "There is room in the queue again")
	}
}

// begin notes a trouble and tells of it when it is a new one. mu is held.
func (h *health) begin(kind int, cause string, why error, level zapcore.Level, text, reason string) {
	now := time.Now()
	h.met[kind] = now
	if h.bad[kind].Load() && h.cause[kind] == cause {
		return
	}
	if !h.bad[kind].Load() {
		h.began[kind] = now
	}
	h.cause[kind], h.why[kind] = cause, why
	h.bad[kind].Store(true)
	h.logger.Log(level, text, zap.String("cause", cause), zap.String("reason", reason), h.outlook())
	h.report()
}

// end notes that a trouble is over. mu is held.
func (h *health) end(kind int, text string) {
	if !h.bad[kind].Load() {
		return
	}
	h.cause[kind], h.why[kind] = "", nil
	h.bad[kind].Store(false)
	h.logger.Info(text, zap.Duration("after", time.Since(h.began[kind]).Round(time.Second)))
	h.report()
}

// report gives the collector the worst that is wrong. mu is held.
func (h *health) report() {
	for _, why := range h.why {
		if why != nil {
			componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(why))
			return
		}
	}
	componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// remind logs what has been wrong for at least that long.
func (h *health) remind(age time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for kind := range troubles {
		if since := time.Since(h.began[kind]); h.bad[kind].Load() && since >= age {
			h.logger.Warn("Logs still wait", zap.String("cause", h.cause[kind]), zap.NamedError("reason", h.why[kind]),
				zap.Duration("for", since.Round(time.Second)), h.outlook())
		}
	}
}
