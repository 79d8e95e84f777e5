// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"reflect"

	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/configcheck"
)

// GetGRPCClientOptions implements extensionmiddleware.GRPCClient.
//
// A dial option can replace the client's credentials, which are the handshake, and cannot reach into them. So the credentials are made
// anew from the client's own `tls` section. Should an option that comes later replace them in turn, each request asks for the pins
// again before its headers are written.
func (p *pinner) GetGRPCClientOptions(ctx context.Context) ([]grpc.DialOption, error) {
	cfg, err := p.loadTLS(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	pinned, err := p.pin(cfg)
	if err != nil {
		return nil, err
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(watchedCredentials{credentials.NewTLS(pinned), p.watch}),
		grpc.WithPerRPCCredentials(requestGuard{p}),
	}, nil
}

// loadTLS reads what the `tls` section of the gRPC clients names. gRPC does not say which client asks, so they must be alike.
func (p *pinner) loadTLS(ctx context.Context) (*tls.Config, error) {
	p.mu.Lock()
	clients := p.clients
	p.mu.Unlock()
	if len(clients) == 0 {
		return nil, errors.New("a gRPC client asks for pins before the collector has said what its `tls` section is, as extensions do; they can be put into the gRPC clients of pipelines only")
	}
	first := clients[0]
	for _, other := range clients[1:] {
		if !reflect.DeepEqual(first.TLS, other.TLS) {
			return nil, fmt.Errorf("%s::tls and %s::tls differ, and over gRPC an extension serves one `tls` section; give each an extension of its own, `%s/NAME`",
				first.Key, other.Key, p.id.Type())
		}
	}
	if key := pemText(first); key != "" {
		return nil, fmt.Errorf("%s::tls::%s_pem: an extension cannot see it; write the PEM into a file, and the file's name under `%[2]s_file`", first.Key, key)
	}
	return loadSection(ctx, first)
}

// pemText returns which PEM stands in a section as text: ca, cert, key, or "" for none. The collector shows it to nobody to whom it passes its
// configuration on.
func pemText(client configcheck.Client) string {
	for _, key := range []string{"ca", "cert", "key"} {
		if text, _ := client.TLS[key+"_pem"].(string); text != "" {
			return key
		}
	}
	return ""
}

func loadSection(ctx context.Context, client configcheck.Client) (*tls.Config, error) {
	section := configtls.NewDefaultClientConfig()
	err := confmap.NewFromStringMap(client.TLS).Unmarshal(&section)
	var cfg *tls.Config
	if err == nil {
		cfg, err = section.LoadTLSConfig(ctx)
	}
	if err == nil && cfg == nil {
		err = errors.New("insecure would send in the clear, where there is no key to pin; remove it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s::tls: %w", client.Key, err)
	}
	return cfg, nil
}

// watchedCredentials tell the watch how each handshake went.
type watchedCredentials struct {
	credentials.TransportCredentials
	watch *watch
}

func (c watchedCredentials) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		c.watch.refused(authority, err)
	} else {
		c.watch.passed(authority)
	}
	return conn, info, err
}

func (c watchedCredentials) Clone() credentials.TransportCredentials {
	c.TransportCredentials = c.TransportCredentials.Clone()
	return c
}

// requestGuard refuses requests on connections whose handshake was not ours. It adds nothing to a request.
type requestGuard struct{ *pinner }

// GetRequestMetadata implements credentials.PerRPCCredentials. gRPC calls it before it writes a request's headers. Any code but Unavailable
// would make exporters give the data up.
func (g requestGuard) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	request, _ := credentials.RequestInfoFromContext(ctx)
	session, ok := request.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil, status.Errorf(codes.Unavailable, "%s: the connection is not TLS", g.id)
	}
	if g.mode == ModeReport {
		return nil, nil
	}
	if err := g.policy.Check(&session.State); err != nil {
		return nil, status.Errorf(codes.Unavailable, "%s: something has replaced the credentials of this client: %v", g.id, err)
	}
	return nil, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (requestGuard) RequireTransportSecurity() bool { return true }
