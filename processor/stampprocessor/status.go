// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

// What can be wrong with a stamp processor.
const (
	stamping = iota // it refuses records: nothing is read any more
	sealing         // seals cannot be made or sent: records stay unsealed for longer
	works
)

// status tells the operator and the collector when something begins to fail and when it works again.
type status struct {
	logger *zap.Logger
	host   component.Host

	bad atomic.Bool // read for every batch
	mu  sync.Mutex
	why [works]error
}

var (
	begins = [works]string{
		"Records are refused. Nothing is lost: receivers wait, and nothing more is read until they are taken",
		"Sealing fails. Nothing is lost: it is tried again until it works",
	}
	ends = [works]string{"Records are taken again", "Sealing works again"}
)

// set notes the outcome of one of the works. What fails in another way than before is not reported again.
func (s *status) set(work int, err error) {
	if err == nil && !s.bad.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.why[work] == nil) == (err == nil) {
		return
	}
	s.why[work] = err
	worst := errors.Join(s.why[:]...)
	s.bad.Store(worst != nil)
	if err != nil {
		s.logger.Warn(begins[work], zap.Error(err))
	} else {
		s.logger.Info(ends[work])
	}
	if worst != nil {
		componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(worst))
	} else {
		componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}
