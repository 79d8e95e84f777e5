// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"fmt"
	"runtime"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/pkg/tlspin"
)

// client sends requests to one server.
type client interface {
	// export sends one ExportLogsServiceRequest, encoded, and waits for the answer. An error is a *refusal: the server did
	// not take the request, as far as we know.
	export(ctx context.Context, wire []byte) (partialSuccess, error)
	// close ends the connections. No request may be under way.
	close() error
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
}

func newDialer(cfg *Config, set exporter.Settings, host component.Host) *dialer {
	return &dialer{
		config:   cfg,
		settings: set.TelemetrySettings,
		host:     host,
		userAgent: fmt.Sprintf("%s/%s (%s/%s)",
			set.BuildInfo.Description, set.BuildInfo.Version, runtime.GOOS, runtime.GOARCH),
	}
}

// dial makes a client for an endpoint. It does not wait for a connection.
func (d *dialer) dial(ctx context.Context, endpoint string, policy tlspin.Policy, watch *handshakeWatch) (client, error) {
	if d.config.Protocol == ProtocolHTTP {
		return d.dialHTTP(ctx, endpoint, policy, watch)
	}
	return d.dialGRPC(ctx, endpoint, policy, watch)
}
