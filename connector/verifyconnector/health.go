// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// trouble is a reason not to be watching as configured.
type trouble int

const (
	troubleTrust trouble = iota
	troubleAuthorities
	troubleCheckpoints
	troubleLearned
	troubleStorage
	troubleQueue
	troubleFindings
	troubles
)

// health is what is wrong at the moment, as the component's status and in its log.
type health struct {
	host   component.Host
	logger *zap.Logger

	mu      sync.Mutex
	current [troubles]error
}

// set says what is wrong of one kind; nil: nothing.
func (h *health) set(of trouble, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.current[of]
	h.current[of] = err
	if (before == nil) == (err == nil) && (err == nil || before.Error() == err.Error()) {
		return
	}
	if err != nil {
		h.logger.Error("Not watching as configured", zap.Error(err))
	} else {
		h.logger.Info("Watching as configured again", zap.NamedError("before", before))
	}
	if all := errors.Join(h.current[:]...); all != nil {
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(all))
	} else {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// good reports whether nothing is wrong.
func (h *health) good() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(h.current[:]...) == nil
}
