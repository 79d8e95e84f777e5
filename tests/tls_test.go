// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/internal/testpki"
)

// seconds bounds the wait for what the docs say takes five seconds, on a busy machine.
const seconds = time.Minute

// tlsGateway is a gateway with certificates of its own, which the test replaces, and both protocols.
type tlsGateway struct {
	site           *testbed.Site
	root           *testpki.Cert // of the server's certificate
	clients        *testpki.Cert // the authority of the clients' certificates
	gateway        *testbed.Process
	grpcAddr, http string
	dir            string
}

func newTLSGateway(t *testing.T) *tlsGateway {
	t.Helper()
	site := newSite(t)
	g := &tlsGateway{site: site, root: testpki.NewCA("root"), clients: testpki.NewCA("clients"), dir: t.TempDir()}
	g.show(t, g.root.NewLeaf("gateway"))
	require.NoError(t, g.clients.WriteCert(g.path("client-ca.crt")))
	ports, err := testbed.FreePorts(1)
	require.NoError(t, err)
	g.grpcAddr, g.http = site.Gateway.Env["LOGSEAL_LISTEN"], testbed.Loopback(ports[0])
	site.Gateway.Env["LOGSEAL_SERVER_CERT_FILE"] = g.path("server.crt")
	site.Gateway.Env["LOGSEAL_SERVER_KEY_FILE"] = g.path("server.key")
	site.Gateway.Env["LOGSEAL_CLIENT_CA_FILE"] = g.path("client-ca.crt")
	site.Gateway.Args = append(site.Gateway.Args, "--config", fmt.Sprintf(
		"yaml:receivers: {otlp: {protocols: {http: {endpoint: %q, tls: {cert_file: %q, key_file: %q, client_ca_file: %q, min_version: \"1.3\"}}}}}",
		g.http, g.path("server.crt"), g.path("server.key"), g.path("client-ca.crt")))
	g.gateway = start(t, site.Gateway)
	return g
}

func (g *tlsGateway) path(name string) string { return filepath.Join(g.dir, name) }

func (g *tlsGateway) show(t *testing.T, leaf *testpki.Cert) {
	t.Helper()
	require.NoError(t, leaf.WriteKey(g.path("server.key")))
	require.NoError(t, leaf.WriteCert(g.path("server.crt")))
}

func (g *tlsGateway) trust(t *testing.T, authorities ...*testpki.Cert) {
	t.Helper()
	var bundle []byte
	for _, authority := range authorities {
		require.NoError(t, authority.WriteCert(g.path("one.crt")))
		one, err := os.ReadFile(g.path("one.crt"))
		require.NoError(t, err)
		bundle = append(bundle, one...)
	}
	require.NoError(t, os.WriteFile(g.path("client-ca.crt"), bundle, 0o600))
}

// client shows a certificate whatever the server asks for, as OpenSSL does; nil shows none.
func (g *tlsGateway) client(cert *testpki.Cert) *tls.Config {
	cfg := &tls.Config{RootCAs: g.root.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS13}
	if cert != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			shown := cert.TLS()
			return &shown, nil
		}
	}
	return cfg
}

// sender returns a function that sends one record over a connection that is kept, and a counter of connections made.
func (g *tlsGateway) sender(t *testing.T, protocol string, cert *testpki.Cert) func() error {
	t.Helper()
	if protocol == "grpc" {
		conn, err := grpc.NewClient(g.grpcAddr, grpc.WithTransportCredentials(credentials.NewTLS(g.client(cert))))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			return export(ctx, conn, nestedRequest(1))
		}
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: g.client(cert)}}
	t.Cleanup(client.CloseIdleConnections)
	return func() error {
		response, err := client.Post("https://"+g.http+"/v1/logs", "application/x-protobuf", bytes.NewReader(nestedRequest(1)))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body) // or the connection is not kept
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("HTTP %s", response.Status)
		}
		return nil
	}
}

// shown returns the certificate that the server shows.
func (g *tlsGateway) shown(t *testing.T, protocol string, client *testpki.Cert) *x509.Certificate {
	t.Helper()
	addr := g.grpcAddr
	if protocol == "http" {
		addr = g.http
	}
	cfg := g.client(client)
	cfg.NextProtos = []string{"h2"}
	c, err := tls.Dial("tcp", addr, cfg)
	require.NoError(t, err)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	require.NoError(t, testbed.Until(deadline(t, seconds), func() (bool, error) { return cond(), nil }), what)
}

func (g *tlsGateway) metric(t *testing.T, name string) float64 {
	t.Helper()
	value, err := g.gateway.Metric(deadline(t, seconds), name)
	require.NoError(t, err)
	return value
}

// Without a restart: a client authority that is added admits, one that is withdrawn does not, on connections that are open
// either; a renewed certificate is shown; files that cannot be used are not, and the gateway says so.
func TestGatewayFollowsItsCertificates(t *testing.T) {
	t.Parallel()
	g := newTLSGateway(t)
	second := testpki.NewCA("second")
	first, late := g.clients.NewLeaf("first"), second.NewLeaf("late")

	open := map[string]func() error{}
	for _, protocol := range []string{"grpc", "http"} {
		open[protocol] = g.sender(t, protocol, first)
		require.NoError(t, open[protocol](), protocol)
		require.Error(t, g.sender(t, protocol, late)(), protocol)
	}

	g.trust(t, g.clients, second)
	for protocol := range open {
		eventually(t, protocol+": an authority that was added does not admit", func() bool { return g.sender(t, protocol, late)() == nil })
		require.NoError(t, open[protocol](), protocol)
	}

	g.trust(t, second)
	eventually(t, "connections outlive their authority", func() bool {
		return g.metric(t, "otelcol_receiver_otlp_closed_connections") >= 2
	})
	for protocol := range open {
		assert.Error(t, open[protocol](), protocol)
		assert.Error(t, g.sender(t, protocol, first)(), protocol)
		assert.NoError(t, g.sender(t, protocol, late)(), protocol)
	}

	before := g.shown(t, "grpc", late)
	renewed := g.root.NewLeaf("gateway")
	require.NoError(t, renewed.WriteKey(g.path("server.key"))) // the certificate comes later, or never
	eventually(t, "a key that is not the certificate's goes unsaid", func() bool {
		return g.metric(t, "otelcol_receiver_otlp_certificates_current") == 0 && g.site.Gateway.LogContains("private key does not match public key")
	})
	for protocol := range open {
		assert.Equal(t, before.Raw, g.shown(t, protocol, late).Raw)
		assert.NoError(t, g.sender(t, protocol, late)(), protocol)
	}
	require.NoError(t, renewed.WriteCert(g.path("server.crt")))
	for protocol := range open {
		eventually(t, protocol+": a renewed certificate is not shown", func() bool {
			return slices.Equal(renewed.X509.Raw, g.shown(t, protocol, late).Raw)
		})
	}
	assert.InDelta(t, 1, g.metric(t, "otelcol_receiver_otlp_certificates_current"), 0)

	// The client's certificate expires under an open connection.
	closed := g.metric(t, "otelcol_receiver_otlp_closed_connections")
	for protocol := range open {
		eventually(t, protocol+": a certificate that is still good is refused", func() bool { // a busy machine may take longer than it is good
			short := second.NewLeaf("short", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(4 * time.Second) })
			return g.sender(t, protocol, short)() == nil
		})
	}
	eventually(t, "a connection outlives its certificate", func() bool {
		return g.metric(t, "otelcol_receiver_otlp_closed_connections") >= closed+2
	})
	require.NoError(t, g.gateway.Stop(seconds))
}

// Whoever is refused during the handshake leaves a line with his address and the reason, and is counted.
func TestRefusedClientsLeaveATrace(t *testing.T) {
	t.Parallel()
	g := newTLSGateway(t)
	for _, tt := range []struct {
		reason string
		cert   *testpki.Cert
	}{
		{"no_certificate", nil},
		{"untrusted_chain", testpki.NewCA("foreign").NewLeaf("agent")},
		{"expired", g.clients.NewLeaf("agent", testpki.Expired())},
	} {
		for _, protocol := range []string{"grpc", "http"} {
			require.Error(t, g.sender(t, protocol, tt.cert)(), tt.reason)
		}
		eventually(t, tt.reason+" leaves no line", func() bool { return g.site.Gateway.LogContains(`"reason": "` + tt.reason + `"`) })
	}
	assert.True(t, g.site.Gateway.LogContains(`"peer": "127.0.0.1:`))
	eventually(t, "a refusal is not counted", func() bool { // it is when the client has read its alert, or has not
		return g.metric(t, "otelcol_receiver_otlp_refused_handshakes") >= 6
	})

	// A client that knocks again and again does not fill the log.
	for range 50 {
		c, err := net.Dial("tcp", g.grpcAddr)
		require.NoError(t, err)
		_, err = c.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	eventually(t, "handshakes are not counted", func() bool {
		return g.metric(t, "otelcol_receiver_otlp_refused_handshakes") >= 56
	})
	text, err := os.ReadFile(g.site.Gateway.LogFile())
	require.NoError(t, err)
	assert.Equal(t, 1, bytes.Count(text, []byte(`"reason": "not_tls"`)))
}
