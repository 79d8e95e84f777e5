// SPDX-License-Identifier: Apache-2.0

package tlsserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/logseal/logseal/internal/testpki"
)

// rig is a server behind a listener that answers every line with a line.
type rig struct {
	dir    string
	server *Server
	addr   string

	mu      sync.Mutex
	refused []string
	closed  []string
	loaded  []string
}

func (g *rig) path(name string) string { return filepath.Join(g.dir, name) }

func newRig(t *testing.T, leaf, clientCA *testpki.Cert) *rig {
	t.Helper()
	g := &rig{dir: t.TempDir()}
	g.show(t, leaf)
	require.NoError(t, clientCA.WriteCert(g.path("client-ca.pem")))
	cfg := configtls.ServerConfig{
		Config:       configtls.Config{CertFile: g.path("server.pem"), KeyFile: g.path("server.key"), MinVersion: "1.3"},
		ClientCAFile: g.path("client-ca.pem"),
	}
	server, err := newServer(func() (*tls.Config, error) { return cfg.LoadTLSConfig(context.Background()) },
		Files{Cert: cfg.CertFile, Key: cfg.KeyFile, ClientCA: cfg.ClientCAFile},
		Events{
			Refused: func(_ net.Addr, reason string, _ error) { g.note(&g.refused, reason) },
			Closed:  func(_ net.Addr, reason string) { g.note(&g.closed, reason) },
			Loaded: func(err error) {
				text := ""
				if err != nil {
					text = err.Error()
				}
				g.note(&g.loaded, text)
			},
		}, interval)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := server.Listener(inner)
	t.Cleanup(func() { _ = listener.Close() })
	g.server, g.addr = server, inner.Addr().String()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return g
}

func (g *rig) show(t *testing.T, leaf *testpki.Cert) {
	t.Helper()
	require.NoError(t, leaf.WriteKey(g.path("server.key")))
	require.NoError(t, leaf.WriteCert(g.path("server.pem")))
}

func (g *rig) note(list *[]string, what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*list = append(*list, what)
}

func (g *rig) has(list *[]string, what string) func() bool {
	return func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return slices.ContainsFunc(*list, func(s string) bool { return s == what || (what != "" && strings.Contains(s, what)) })
	}
}

// dial connects as client, exchanges a line, and returns the connection and the certificate that the server showed.
func (g *rig) dial(root, client *testpki.Cert) (*tls.Conn, *x509.Certificate, error) {
	cfg := &tls.Config{RootCAs: root.Pool(), ServerName: "localhost"}
	if client != nil {
		// Not Certificates, from which crypto/tls picks only what the server's list of authorities allows.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert := client.TLS()
			return &cert, nil
		}
	}
	c, err := tls.Dial("tcp", g.addr, cfg)
	if err != nil {
		return nil, nil, err
	}
	return c, c.ConnectionState().PeerCertificates[0], ping(c)
}

func ping(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("ping")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 4))
	return err
}

// interval is that of the server under test; patience bounds every wait for it.
const (
	interval = 100 * time.Millisecond
	patience = 30 * time.Second
)

func TestRefusedClientsAreNamed(t *testing.T) {
	ca, foreign := testpki.NewCA("ca"), testpki.NewCA("foreign")
	g := newRig(t, ca.NewLeaf("server"), ca)
	serverOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	for name, tt := range map[string]struct {
		client *testpki.Cert
		reason string
		alert  string // what the client is told
	}{
		"no certificate":         {nil, ReasonNoCertificate, "certificate required"},
		"another authority":      {foreign.NewLeaf("agent"), ReasonUntrusted, "bad certificate"},
		"expired":                {ca.NewLeaf("agent", testpki.Expired()), ReasonExpired, "bad certificate"},
		"no client certificate":  {ca.NewLeaf("agent", serverOnly), ReasonCertificate, "bad certificate"},
		"signed by itself":       {testpki.NewSelfSigned("agent"), ReasonUntrusted, "bad certificate"},
		"the authority's twin":   {testpki.NewCA("ca").NewLeaf("agent"), ReasonUntrusted, "bad certificate"},
		"of a trusted authority": {ca.NewIntermediate("i").NewLeaf("agent"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g.mu.Lock()
			g.refused = nil
			g.mu.Unlock()
			c, _, err := g.dial(ca, tt.client)
			if c != nil {
				defer c.Close()
			}
			if tt.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			// The alert arrives whole, and is not lost in a reset.
			assert.Contains(t, err.Error(), tt.alert)
			assert.Eventually(t, g.has(&g.refused, tt.reason), patience, 10*time.Millisecond)
		})
	}
}

func TestRefusedConnectionsAreNamed(t *testing.T) {
	ca := testpki.NewCA("ca")
	g := newRig(t, ca.NewLeaf("server"), ca)
	for name, tt := range map[string]struct {
		do     func(*testing.T)
		reason string
	}{
		"plain HTTP": {func(t *testing.T) {
			c, err := net.Dial("tcp", g.addr)
			require.NoError(t, err)
			defer c.Close()
			_, err = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
			require.NoError(t, err)
			_, _ = io.ReadAll(c)
		}, ReasonNotTLS},
		"a probe of the port": {func(t *testing.T) {
			c, err := net.Dial("tcp", g.addr)
			require.NoError(t, err)
			require.NoError(t, c.Close())
		}, ReasonClosed},
		"TLS 1.2": {func(t *testing.T) {
			_, err := tls.Dial("tcp", g.addr, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MaxVersion: tls.VersionTLS12})
			require.Error(t, err)
		}, ReasonVersion},
		"a client that does not trust us": {func(t *testing.T) {
			_, err := tls.Dial("tcp", g.addr, &tls.Config{RootCAs: testpki.NewCA("other").Pool(), ServerName: "localhost"})
			require.Error(t, err)
		}, ReasonByClient},
	} {
		t.Run(name, func(t *testing.T) {
			tt.do(t)
			assert.Eventually(t, g.has(&g.refused, tt.reason), patience, 10*time.Millisecond)
		})
	}
}

// An authority that is added admits, one that is withdrawn does not, on open connections either.
func TestClientAuthoritiesAreFollowed(t *testing.T) {
	ca, second := testpki.NewCA("ca"), testpki.NewCA("second")
	g := newRig(t, ca.NewLeaf("server"), ca)
	agent, late := ca.NewLeaf("agent"), second.NewLeaf("late")
	open, _, err := g.dial(ca, agent)
	require.NoError(t, err)
	defer open.Close()
	_, _, err = g.dial(ca, late)
	require.Error(t, err)

	// Half a file withdraws nobody.
	whole, err := os.ReadFile(g.path("client-ca.pem"))
	require.NoError(t, err)
	require.NoError(t, second.WriteCert(g.path("second.pem")))
	other, err := os.ReadFile(g.path("second.pem"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(g.path("client-ca.pem"), append(slices.Clone(other), whole[:len(whole)/2]...), 0o600))
	require.Eventually(t, g.has(&g.loaded, "cut off"), patience, 20*time.Millisecond)
	assert.True(t, g.server.Stale())
	require.NoError(t, ping(open))

	require.NoError(t, os.WriteFile(g.path("client-ca.pem"), append(slices.Clone(other), whole...), 0o600))
	require.Eventually(t, func() bool {
		c, _, err := g.dial(ca, late)
		if c != nil {
			c.Close()
		}
		return err == nil
	}, patience, 20*time.Millisecond)
	assert.False(t, g.server.Stale())
	require.NoError(t, ping(open))

	require.NoError(t, os.WriteFile(g.path("client-ca.pem"), other, 0o600))
	require.Eventually(t, g.has(&g.closed, ReasonUntrusted), patience, 20*time.Millisecond)
	require.Error(t, ping(open), "the connection outlives its authority")
	_, _, err = g.dial(ca, agent)
	require.Error(t, err)
}

func TestCertificateIsFollowed(t *testing.T) {
	ca := testpki.NewCA("ca")
	first := ca.NewLeaf("server")
	g := newRig(t, first, ca)
	agent := ca.NewLeaf("agent")

	// A key that is not the certificate's, and a certificate that expired: the old one is shown on.
	second := ca.NewLeaf("server")
	require.NoError(t, second.WriteKey(g.path("server.key")))
	require.Eventually(t, g.has(&g.loaded, "private key does not match"), patience, 20*time.Millisecond)
	_, shown, err := g.dial(ca, agent)
	require.NoError(t, err)
	assert.Equal(t, first.X509.Raw, shown.Raw)

	g.show(t, ca.NewLeaf("server", testpki.Expired()))
	require.Eventually(t, g.has(&g.loaded, "expired"), patience, 20*time.Millisecond)
	_, shown, err = g.dial(ca, agent)
	require.NoError(t, err)
	assert.Equal(t, first.X509.Raw, shown.Raw)

	g.show(t, second)
	require.Eventually(t, func() bool {
		_, shown, err := g.dial(ca, agent)
		return err == nil && slices.Equal(second.X509.Raw, shown.Raw)
	}, patience, 20*time.Millisecond)
}

func TestConnectionEndsWithItsCertificate(t *testing.T) {
	ca := testpki.NewCA("ca")
	g := newRig(t, ca.NewLeaf("server"), ca)
	var open *tls.Conn
	require.Eventually(t, func() bool { // a busy machine may take longer for a handshake than the certificate is good
		short := ca.NewLeaf("agent", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(3 * time.Second) })
		c, _, err := g.dial(ca, short)
		if err != nil && c != nil {
			c.Close()
		}
		open = c
		return err == nil
	}, patience, 20*time.Millisecond)
	defer open.Close()
	require.Eventually(t, g.has(&g.closed, ReasonExpired), patience, 20*time.Millisecond)
	require.Error(t, ping(open))
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	ca := testpki.NewCA("ca")
	dir := t.TempDir()
	ca.NewLeaf("server").WriteFiles(t, dir, "server")
	require.NoError(t, os.WriteFile(dir+"/empty.pem", nil, 0o600))
	cfg := configtls.ServerConfig{Config: configtls.Config{CertFile: dir + "/server.pem", KeyFile: dir + "/server.key"}, ClientCAFile: dir + "/empty.pem"}
	_, err := New(func() (*tls.Config, error) { return cfg.LoadTLSConfig(context.Background()) },
		Files{Cert: cfg.CertFile, Key: cfg.KeyFile, ClientCA: cfg.ClientCAFile}, Events{})
	assert.ErrorContains(t, err, "no PEM block of type CERTIFICATE")
}
