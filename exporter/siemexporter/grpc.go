// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/logseal/logseal/pkg/tlspin"
)

// grpcClient sends over one gRPC connection.
type grpcClient struct {
	conn *grpc.ClientConn
	logs plogotlp.GRPCClient
}

func newGRPCClient(ctx context.Context, e *siemExporter, host component.Host, policy tlspin.Policy) (client, error) {
	cfg := e.config.ClientConfig
	tlsConfig, err := loadTLS(ctx, cfg.TLS, policy)
	if err != nil {
		return nil, err
	}
	// A connection that failed is tried again at the pace at which requests are, not at gRPC's own, which slows down to
	// two minutes: a SIEM that comes back is found as soon as a request is due.
	reconnect := backoff.DefaultConfig
	reconnect.BaseDelay = min(reconnect.BaseDelay, e.config.RetryConfig.InitialInterval)
	reconnect.MaxDelay = max(reconnect.BaseDelay, e.config.RetryConfig.MaxInterval)

	conn, err := cfg.ToClientConn(ctx, host.GetExtensions(), e.settings,
		configgrpc.WithGrpcDialOption(grpc.WithUserAgent(e.userAgent)),
		configgrpc.WithGrpcDialOption(grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           reconnect,
			MinConnectTimeout: e.config.TimeoutConfig.Timeout,
		})),
		// The last transport credentials win, over those that configgrpc or a middleware set.
		configgrpc.WithGrpcDialOption(grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig))),
	)
	if err != nil {
		return nil, err
	}
	return &grpcClient{conn: conn, logs: plogotlp.NewGRPCClient(conn)}, nil
}

func (c *grpcClient) export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	return c.logs.Export(ctx, request)
}

func (c *grpcClient) close() error { return c.conn.Close() }
