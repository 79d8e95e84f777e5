// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// client sends requests to one server.
type client interface {
	// export sends the records of one ExportLogsServiceRequest, encoded, in the words of its protocol, and waits for the answer.
	// An error is a *refusal: the server did not take the request, as far as we know.
	export(ctx context.Context, wire []byte) (answer, error)
	// close ends the connections. No request may be under way.
	close() error
}

// storer is a client of servers that give receipts.
type storer interface {
	// stored returns those numbers of a channel that the server has stored.
	stored(ctx context.Context, channel string, numbers []uint64) ([]uint64, error)
}

// answer is what a server says to a request that it took.
type answer struct {
	partialSuccess
	// receipt, when set, is to be asked for until the server has stored the request: it has only promised to.
	receipt *receipt
}

// partialSuccess is what a server says about a request that it took: that it did not take all of it, or a warning.
type partialSuccess struct {
	rejected int64
	message  string
}

func newPartialSuccess(response plogotlp.ExportResponse) partialSuccess {
	partial := response.PartialSuccess()
	return partialSuccess{rejected: partial.RejectedLogRecords(), message: clip(partial.ErrorMessage())}
}

// dialer makes clients, each with certificates and keys as they lie on disk at that moment.
type dialer struct {
	config    *Config
	settings  component.TelemetrySettings
	host      component.Host
	userAgent string
	stop      <-chan struct{} // closed when the exporter stops

	// acknowledges is what each endpoint has said of that, for the log.
	acknowledges sync.Map
}

func newDialer(cfg *Config, set exporter.Settings, host component.Host, stop <-chan struct{}) *dialer {
	return &dialer{
		stop:     stop,
		config:   cfg,
		settings: set.TelemetrySettings,
		host:     host,
		userAgent: fmt.Sprintf("%s/%s (%s/%s)",
			set.BuildInfo.Description, set.BuildInfo.Version, runtime.GOOS, runtime.GOARCH),
	}
}

// dial makes a client for a target. It does not wait for a connection.
func (d *dialer) dial(ctx context.Context, t *target) (client, error) {
	switch d.config.Protocol {
	case ProtocolHTTP:
		return d.dialHTTP(ctx, t.endpoint, t.policy, t.watch)
	case ProtocolSplunkHEC:
		return d.dialHEC(ctx, t.endpoint, t.policy, t.watch)
	case ProtocolSyslog:
		return d.dialSyslog(ctx, t)
	default:
		return d.dialGRPC(ctx, t.endpoint, t.policy, t.watch)
	}
}
