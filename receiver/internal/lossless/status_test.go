// SPDX-License-Identifier: Apache-2.0

package lossless

import (
	"context"
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

func TestStatus(t *testing.T) {
	h := &statusHost{}
	s := newStatus(zap.NewNop())
	s.host = h
	type key struct{}
	one, other := context.WithValue(t.Context(), key{}, 1), context.WithValue(t.Context(), key{}, 2)

	s.answered(one, nil)
	require.Nil(t, h.last, "nothing has changed")
	s.answered(one, errors.New("full"))
	require.Equal(t, componentstatus.StatusRecoverableError, h.last.Status())
	assert.ErrorContains(t, h.last.Err(), "full")
	s.answered(other, errors.New("full"))
	s.answered(other, nil)
	require.Equal(t, componentstatus.StatusRecoverableError, h.last.Status(), "one batch waits still")
	s.reached(errors.New("permission denied"))
	s.answered(one, nil)
	assert.EqualError(t, h.last.Err(), "permission denied")
	s.reached(nil)
	require.Equal(t, componentstatus.StatusOK, h.last.Status())
	s.saved(errors.New("no space left"))
	assert.ErrorContains(t, h.last.Err(), "no space left")
	s.saved(nil)
	require.Equal(t, componentstatus.StatusOK, h.last.Status())
}
