// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

type statusHost struct {
	host
	last *componentstatus.Event
}

func (h *statusHost) Report(event *componentstatus.Event) { h.last = event }

// What is mended of two troubles does not hide the other.
func TestStatusOfTwoTroubles(t *testing.T) {
	h := &statusHost{}
	s := status{logger: zap.NewNop(), host: h}
	s.set(stamping, nil)
	require.Nil(t, h.last)
	s.set(sealing, errors.New("queue full"))
	s.set(stamping, errors.New("no space left"))
	assert.EqualError(t, h.last.Err(), "no space left\nqueue full")
	s.set(sealing, nil)
	assert.EqualError(t, h.last.Err(), "no space left")
	s.set(stamping, nil)
	assert.Equal(t, componentstatus.StatusOK, h.last.Status())
}
