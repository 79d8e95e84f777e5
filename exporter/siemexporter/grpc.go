// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"

	"github.com/logseal/logseal/pkg/tlspin"
)

// grpcClient sends over gRPC.
type grpcClient struct {
	conn *grpc.ClientConn
}

// exportMethod is LogsService's only one.
const exportMethod = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

func (d *dialer) dialGRPC(ctx context.Context, endpoint string, policy tlspin.Policy, watch *handshakeWatch) (client, error) {
	tlsConfig, err := loadTLS(ctx, *d.config.tls(), policy)
	if err != nil {
		return nil, err
	}
	own := ownExpiry(tlsConfig)
	watch.noteRequests(tlsConfig)
	cfg := d.config.grpc
	cfg.Endpoint = endpoint
	conn, err := cfg.ToClientConn(ctx, d.host.GetExtensions(), d.settings,
		configgrpc.WithGrpcDialOption(grpc.WithUserAgent(d.userAgent)),
		configgrpc.WithGrpcDialOption(grpc.WithConnectParams(d.connectParams())),
		// The last transport credentials win, over those that configgrpc or a middleware set.
		configgrpc.WithGrpcDialOption(grpc.WithTransportCredentials(watchedCredentials{
			TransportCredentials: credentials.NewTLS(tlsConfig),
			watch:                watch,
			own:                  own,
		})),
	)
	if err != nil {
		return nil, err
	}
	return &grpcClient{conn: conn}, nil
}

// connectParams makes gRPC try a broken connection again at the pace at which requests are, not at its own, which slows
// down to two minutes: a SIEM that comes back is found as soon as a request is due.
func (d *dialer) connectParams() grpc.ConnectParams {
	pace := backoff.DefaultConfig
	pace.BaseDelay = min(pace.BaseDelay, d.config.RetryConfig.InitialInterval)
	pace.MaxDelay = max(pace.BaseDelay, d.config.RetryConfig.MaxInterval)
	return grpc.ConnectParams{Backoff: pace, MinConnectTimeout: d.config.timeout()}
}

func (c *grpcClient) export(ctx context.Context, wire []byte) (answer, error) {
	response := plogotlp.NewExportResponse()
	if err := c.conn.Invoke(ctx, exportMethod, wire, &response, grpc.StaticMethod(), grpc.ForceCodecV2(encodedCodec{})); err != nil {
		return answer{}, grpcRefusal(err)
	}
	return answer{partialSuccess: newPartialSuccess(response)}, nil
}

// encodedCodec sends a request that is encoded already.
type encodedCodec struct{}

// Marshal takes a []byte, which gRPC only reads.
func (encodedCodec) Marshal(wire any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(wire.([]byte))}, nil
}

// Unmarshal fills a *plogotlp.ExportResponse.
func (encodedCodec) Unmarshal(answer mem.BufferSlice, response any) error {
	return response.(*plogotlp.ExportResponse).UnmarshalProto(answer.Materialize())
}

// Name is empty so that the content type is application/grpc, as without this codec.
func (encodedCodec) Name() string { return "" }

func (c *grpcClient) close() error { return c.conn.Close() }

// watchedCredentials tells a watch how each handshake went.
type watchedCredentials struct {
	credentials.TransportCredentials
	watch *handshakeWatch
	own   time.Time // when our certificate expires; zero without one
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
	c.watch.passed(&state, c.own)
	return &watchedConn{Conn: conn, watch: c.watch}, info, nil
}

func (c watchedCredentials) Clone() credentials.TransportCredentials {
	c.TransportCredentials = c.TransportCredentials.Clone()
	return c
}

// watchedConn notices that the server refuses our certificate: in TLS 1.3 that is the first thing that a client reads
// after a handshake which went well on its side. gRPC reads a connection from one goroutine.
type watchedConn struct {
	net.Conn
	watch *handshakeWatch
	heard bool
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.heard {
		return n, err
	}
	switch {
	case n > 0:
		c.heard = true
		c.watch.heard()
	case err != nil:
		c.heard = true // told once
		c.watch.hungUp(err)
	}
	return n, err
}
