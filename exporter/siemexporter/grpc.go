// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"net"

	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/logseal/logseal/pkg/tlspin"
)

// grpcClient sends over gRPC.
type grpcClient struct {
	conn *grpc.ClientConn
	logs plogotlp.GRPCClient
}

func (d *dialer) dialGRPC(ctx context.Context, endpoint string, policy tlspin.Policy, watch *handshakeWatch) (client, error) {
	tlsConfig, err := loadTLS(ctx, *d.config.tls(), policy)
	if err != nil {
		return nil, err
	}
	cfg := d.config.grpc
	cfg.Endpoint = endpoint
	conn, err := cfg.ToClientConn(ctx, d.host.GetExtensions(), d.settings,
		configgrpc.WithGrpcDialOption(grpc.WithUserAgent(d.userAgent)),
		configgrpc.WithGrpcDialOption(grpc.WithConnectParams(d.connectParams())),
		// The last transport credentials win, over those that configgrpc or a middleware set.
		configgrpc.WithGrpcDialOption(grpc.WithTransportCredentials(watchedCredentials{
			TransportCredentials: credentials.NewTLS(tlsConfig),
			watch:                watch,
		})),
	)
	if err != nil {
		return nil, err
	}
	return &grpcClient{conn: conn, logs: plogotlp.NewGRPCClient(conn)}, nil
}

// connectParams makes gRPC try a broken connection again at the pace at which requests are, not at its own, which slows
// down to two minutes: a SIEM that comes back is found as soon as a request is due.
func (d *dialer) connectParams() grpc.ConnectParams {
	pace := backoff.DefaultConfig
	pace.BaseDelay = min(pace.BaseDelay, d.config.RetryConfig.InitialInterval)
	pace.MaxDelay = max(pace.BaseDelay, d.config.RetryConfig.MaxInterval)
	return grpc.ConnectParams{Backoff: pace, MinConnectTimeout: d.config.timeout()}
}

func (c *grpcClient) export(ctx context.Context, request plogotlp.ExportRequest) (partialSuccess, error) {
	response, err := c.logs.Export(ctx, request)
	if err != nil {
		return partialSuccess{}, grpcRefusal(err)
	}
	return newPartialSuccess(response), nil
}

func (c *grpcClient) close() error { return c.conn.Close() }

// watchedCredentials tells a watch how each handshake went.
type watchedCredentials struct {
	credentials.TransportCredentials
	watch *handshakeWatch
}

func (c watchedCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		c.watch.refused(err)
		return conn, info, err
	}
	var state tls.ConnectionState
	if tlsInfo, ok := info.(credentials.TLSInfo); ok {
		state = tlsInfo.State
	}
	c.watch.passed(&state)
	return &watchedConn{Conn: conn, watch: c.watch}, info, nil
}

func (c watchedCredentials) Clone() credentials.TransportCredentials {
	return watchedCredentials{TransportCredentials: c.TransportCredentials.Clone(), watch: c.watch}
}

// watchedConn notices that the server refuses our certificate: in TLS 1.3 that is the first thing that a client reads
// after a handshake which went well on its side.
type watchedConn struct {
	net.Conn
	watch *handshakeWatch
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && tlspin.Reason(err) == tlspin.ReasonClientCert {
		c.watch.refused(err)
	}
	return n, err
}
