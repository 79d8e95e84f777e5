// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/logseal/logseal/pkg/tlsserver"
)

// secure makes the TLS side of a protocol. configtls reads the files; when they are read anew is ours to say.
func (r *otlp) secure(_ context.Context, protocol string, cfg configtls.ServerConfig, alpn []string, host component.Host) (*tlsserver.Server, error) {
	preferGoGroups := len(cfg.CurvePreferences) == 0
	cfg.ReloadInterval, cfg.ReloadClientCAFile = 0, false
	load := func() (*tls.Config, error) {
		loaded, err := cfg.LoadTLSConfig(context.Background())
		if err != nil {
			return nil, err
		}
		loaded.NextProtos = alpn
		if preferGoGroups {
			loaded.CurvePreferences = nil // configtls knows fewer hybrid post-quantum groups than crypto/tls
		}
		return loaded, nil
	}
	log := r.set.Logger.With(zap.String("protocol", protocol))
	refused := newRateLimited(log, "Refused a client during the handshake; nothing of it was taken")
	server, err := tlsserver.New(load, tlsserver.Files{Cert: cfg.CertFile, Key: cfg.KeyFile, ClientCA: cfg.ClientCAFile}, tlsserver.Events{
		Refused: func(peer net.Addr, reason string, err error) {
			r.telemetry.handshakeRefused(reason)
			if reason == tlsserver.ReasonClosed {
				return // port scans, and load balancers that look whether the port is open
			}
			refused.warn(reason, zap.Stringer("peer", peer), zap.String("reason", reason), zap.String("error", clip(err.Error())))
		},
		Closed: func(peer net.Addr, reason string) {
			r.telemetry.connectionClosed(reason)
			log.Warn("Ended a connection: the client would not be admitted any more", zap.Stringer("peer", peer), zap.String("reason", reason))
		},
		Loaded: func(err error) {
			if err != nil {
				log.Error("The certificate, key or client authorities on disk cannot be used; those loaded before stay in use, and it is tried again", zap.Error(err))
				componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("the certificates on disk cannot be used: %w", err)))
				return
			}
			log.Info("Certificate, key and client authorities were read anew")
			componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
		},
	})
	if err != nil {
		return nil, fmt.Errorf("protocols.%s.tls: %w", protocol, err)
	}
	r.secured = append(r.secured, server)
	return server, nil
}

// serverCredentials gives gRPC the connections of a tlsserver.Server.
type serverCredentials struct{ server *tlsserver.Server }

func (c serverCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, err := c.server.Handshake(context.Background(), raw)
	if err != nil {
		return nil, nil, err
	}
	state := secured.ConnectionState()
	if chain := tlsserver.PeerChain(secured); chain != nil {
		state.VerifiedChains = [][]*x509.Certificate{chain}
	}
	return secured, credentials.TLSInfo{
		State:          state,
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

func (serverCredentials) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these credentials are a server's")
}

func (serverCredentials) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls", SecurityVersion: "1.3"} //nolint:staticcheck // part of the interface
}

func (c serverCredentials) Clone() credentials.TransportCredentials { return c }

func (serverCredentials) OverrideServerName(string) error { return nil }

// grpcPeer returns the address and the verified certificate of a gRPC client, nil when it showed none.
func grpcPeer(ctx context.Context) (string, *x509.Certificate) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", nil
	}
	if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
		return p.Addr.String(), info.State.VerifiedChains[0][0]
	}
	return p.Addr.String(), nil
}

type connKey struct{}

// contextWithConn is http.Server.ConnContext.
func contextWithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// httpPeer is grpcPeer for HTTP.
func httpPeer(ctx context.Context) (string, *x509.Certificate) {
	c, ok := ctx.Value(connKey{}).(net.Conn)
	if !ok {
		return "", nil
	}
	if chain := tlsserver.PeerChain(c); chain != nil {
		return c.RemoteAddr().String(), chain[0]
	}
	return c.RemoteAddr().String(), nil
}
