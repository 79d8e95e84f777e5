// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.uber.org/zap"
)

// client sends requests to one server.
type client interface {
	// export sends one request and waits for the answer. An error says that the server did not take the request.
	export(context.Context, plogotlp.ExportRequest) (plogotlp.ExportResponse, error)
	close() error
}

type siemExporter struct {
	config    *Config
	settings  component.TelemetrySettings
	userAgent string
	client    client
}

func newExporter(cfg *Config, set exporter.Settings) *siemExporter {
	return &siemExporter{
		config:   cfg,
		settings: set.TelemetrySettings,
		userAgent: fmt.Sprintf("%s/%s (%s/%s)",
			set.BuildInfo.Description, set.BuildInfo.Version, runtime.GOOS, runtime.GOARCH),
	}
}

// start makes the client. Only here are the host's extensions known, which authentication and storage need.
func (e *siemExporter) start(ctx context.Context, host component.Host) error {
	if id := e.config.QueueConfig.Get().StorageID; id != nil {
		if _, ok := host.GetExtensions()[*id]; !ok {
			return fmt.Errorf("sending_queue.storage names %q, which does not run; declare it under extensions and list it in service.extensions", id)
		}
	}
	if len(e.config.Pins) == 1 {
		e.settings.Logger.Warn("Only one pin is configured: when the server's key changes, delivery stops until the configuration does. Add the pin of a backup key.")
	}
	policy, err := newPolicy(e.config, e.settings.Logger)
	if err != nil {
		return err
	}
	e.client, err = newGRPCClient(ctx, e, host, policy)
	return err
}

func (e *siemExporter) shutdown(context.Context) error {
	if e.client == nil {
		return nil
	}
	return e.client.close()
}

func (e *siemExporter) pushLogs(ctx context.Context, ld plog.Logs) error {
	if e.client == nil {
		return errors.New("the exporter was not started")
	}
	response, err := e.client.export(ctx, plogotlp.NewExportRequestFromLogs(ld))
	if err != nil {
		return retryable(err)
	}
	if partial := response.PartialSuccess(); partial.RejectedLogRecords() != 0 || partial.ErrorMessage() != "" {
		e.settings.Logger.Warn("The server rejected a part of a request",
			zap.Int64("rejected_records", partial.RejectedLogRecords()),
			zap.String("message", clip(partial.ErrorMessage())))
	}
	return nil
}
