// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/adapter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
)

// directReceiver makes records of lines without stanza's entries and operators between them.
type directReceiver struct {
	set     receiver.Settings
	cfg     *stock.FileLogConfig
	files   *files
	next    consumer.Logs
	obsrecv *receiverhelper.ObsReport
	client  storage.Client
}

// isDirect says whether nothing happens to a line on its way to a record.
func isDirect(cfg *stock.FileLogConfig) bool {
	in := &cfg.InputConfig
	return !planFor(cfg).stock && len(cfg.Operators) == 0 && len(in.Attributes) == 0 && len(in.Resource) == 0
}

func newDirectReceiver(set receiver.Settings, cfg *stock.FileLogConfig, in *inputConfig, next consumer.Logs) (*directReceiver, error) {
	obsrecv, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	r := &directReceiver{set: set, cfg: cfg, next: next, obsrecv: obsrecv}
	if r.files, err = newFiles(set.TelemetrySettings, in, r.emit); err != nil {
		return nil, err
	}
	return r, nil
}

// Start finds the same client and keys as the stock receiver, so that either goes on where the other was.
func (r *directReceiver) Start(ctx context.Context, host component.Host) error {
	client, err := adapter.GetStorageClient(ctx, host, r.cfg.StorageID, r.set.ID)
	if err != nil {
		return err
	}
	r.client = client
	return r.files.start(operator.NewScopedPersister(r.cfg.InputConfig.ID(), client))
}

func (r *directReceiver) Shutdown(ctx context.Context) error {
	err := r.files.stop()
	if r.client != nil {
		err = errors.Join(err, r.client.Close(ctx))
	}
	return err
}

func (r *directReceiver) emit(ctx context.Context, lines []line, attributes map[string]any) error {
	if len(lines) == 0 {
		return nil
	}
	ld := r.files.logs(lines, attributes)
	op := r.obsrecv.StartLogsOp(ctx)
	err := r.consume(ctx, ld)
	if err != nil {
		r.set.Logger.Error("ConsumeLogs() failed", zap.Error(err))
	}
	r.obsrecv.EndLogsOp(op, "stanza", len(lines), err)
	return nil // it is said already
}

// consume repeats what is refused, as retry_on_failure says.
func (r *directReceiver) consume(ctx context.Context, ld plog.Logs) error {
	retry := &r.cfg.RetryOnFailure
	begun := time.Now()
	for delay := retry.InitialInterval; ; delay = min(delay*3/2, retry.MaxInterval) {
		err := r.next.ConsumeLogs(ctx, ld)
		if err == nil || !retry.Enabled || consumererror.IsPermanent(err) {
			return err
		}
		if rest := (consumererror.Logs{}); errors.As(err, &rest) {
			ld = rest.Data()
		}
		wait := delay/2 + rand.N(delay+1) // half to one and a half of it, so that receivers do not come all at once
		if retry.MaxElapsedTime > 0 && time.Since(begun)+wait > retry.MaxElapsedTime {
			return err
		}
		r.set.Logger.Debug("ConsumeLogs() failed. Will retry the request after interval.", zap.Error(err), zap.Duration("interval", wait))
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// attribute is one attribute of a record.
type attribute struct {
	key   string
	value any
}

// logs makes a request of lines of one file.
func (f *files) logs(lines []line, attributes map[string]any) plog.Logs {
	attrs := make([]attribute, 0, len(attributes))
	f.fileAttributes(attributes, func(key string, value any) { attrs = append(attrs, attribute{key, value}) })
	slices.SortFunc(attrs, func(a, b attribute) int { return strings.Compare(a.key, b.key) })

	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(len(lines))
	observed := pcommon.NewTimestampFromTime(time.Now())
	for _, l := range lines {
		lr := records.AppendEmpty()
		lr.SetObservedTimestamp(observed)
		lr.Body().SetStr(l.body)
		m := lr.Attributes()
		m.EnsureCapacity(len(attrs))
		for _, a := range attrs {
			if text, ok := a.value.(string); ok {
				m.PutStr(a.key, text)
			} else {
				_ = m.PutEmpty(a.key).FromRaw(a.value)
			}
		}
		f.lineAttributes(l, func(key string, value any) { _ = m.PutEmpty(key).FromRaw(value) })
	}
	return ld
}
