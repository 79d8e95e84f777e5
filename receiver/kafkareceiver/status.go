// SPDX-License-Identifier: Apache-2.0

package kafkareceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// pausing begins the stock receiver's line about a partition that it stops reading. It says so nowhere else.
const pausing = "pausing partition due to"

// watched is a stock receiver that reports what it only logs: that the pipeline refuses, and that a partition is paused.
type watched struct {
	receiver.Logs
	host    atomic.Pointer[component.Host] // nil before the start
	refused atomic.Bool
}

func (w *watched) Start(ctx context.Context, host component.Host) error {
	w.host.Store(&host)
	return w.Logs.Start(ctx, host)
}

func (w *watched) report(event *componentstatus.Event) {
	if host := w.host.Load(); host != nil {
		componentstatus.ReportStatus(*host, event)
	}
}

// logger returns set's logger, listened to.
func (w *watched) logger(inner *zap.Logger) *zap.Logger {
	return inner.WithOptions(zap.Hooks(func(entry zapcore.Entry) error {
		if strings.HasPrefix(entry.Message, pausing) {
			w.report(componentstatus.NewRecoverableErrorEvent(errors.New(
				"a partition is not read any more: a message in it cannot be decoded, or the pipeline will never take it; the log names partition and offset")))
		}
		return nil
	}))
}

// consumer returns next, with its refusals reported.
func (w *watched) consumer(next consumer.Logs) (consumer.Logs, error) {
	return consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
		err := next.ConsumeLogs(ctx, logs)
		switch {
		case err != nil && ctx.Err() == nil && !consumererror.IsPermanent(err):
			if !w.refused.Swap(true) {
				w.report(componentstatus.NewRecoverableErrorEvent(fmt.Errorf("what was read is not taken, and waits: %w", err)))
			}
		case err == nil && w.refused.Swap(false):
			w.report(componentstatus.NewEvent(componentstatus.StatusOK))
		}
		return err
	}, consumer.WithCapabilities(next.Capabilities()))
}
