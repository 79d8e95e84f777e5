// SPDX-License-Identifier: Apache-2.0

package quietlog

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestRules(t *testing.T) {
	inner, seen := observer.New(zapcore.InfoLevel)
	logger := New(zap.New(inner, zap.AddStacktrace(zapcore.ErrorLevel)), Rules{
		"never": nil,
		"if stopped": func(fields []zapcore.Field) bool {
			err := Error(fields)
			return err != nil && err.Error() == "stopped"
		},
	}).With(zap.String("component", "x"))

	logger.Error("never")
	logger.Error("if stopped", zap.Int("n", 1), zap.Error(errors.New("stopped")))
	logger.Error("if stopped", zap.Error(errors.New("disk full")))
	logger.Error("if stopped")
	logger.Warn("another")
	logger.Debug("below the level")

	var messages []string
	for _, entry := range seen.All() {
		messages = append(messages, entry.Message)
		assert.Empty(t, entry.Stack)
		assert.Equal(t, "x", entry.ContextMap()["component"])
	}
	require.Equal(t, []string{"if stopped", "if stopped", "another"}, messages)
}
