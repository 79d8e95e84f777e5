// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/internal/testpki"
)

// refuser refuses every client right after a handshake that went well on the client's side, in one of the ways that servers
// have: with an alert that is read, with a connection reset, or without a word.
func refuser(t *testing.T, p *pki) string {
	t.Helper()
	l := listen(t, anyPort)
	cfg := serverTLS(p.leaf)
	var open sync.WaitGroup
	t.Cleanup(open.Wait)
	t.Cleanup(func() { l.Close() })
	open.Go(func() {
		for way := 0; ; way++ {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer raw.Close()
				cfg := cfg.Clone()
				cfg.ClientAuth = tls.RequestClientCert
				if way%3 == 0 {
					cfg.ClientAuth = tls.RequireAnyClientCert // an alert
				}
				cfg.NextProtos = []string{"h2", "http/1.1"}
				c := tls.Server(raw, cfg)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				if c.HandshakeContext(ctx) != nil {
					time.Sleep(20 * time.Millisecond) // so that the alert is read
					return
				}
				if way%3 == 1 {
					_ = raw.(*net.TCPConn).SetLinger(0)
				}
			})
		}
	})
	return l.Addr().String()
}

// TestRefusedCertificateHasOneText: whichever way a server refuses this host's certificate, cause and text are the same.
func TestRefusedCertificateHasOneText(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		cfg, tel := testConfig(t, protocol, refuser(t, p), p.ca, p.leaf), newTestTelemetry(t)
		h := &statusHost{host: newHost(t, t.TempDir())}
		exp, stop := startExporterIn(t, cfg, h, tel.settings())
		t.Cleanup(stop)
		send(t, exp, "held", 5)
		require.Eventually(t, func() bool { return tel.sum(t, "otelcol_exporter_siem_retries") >= 20 }, 30*time.Second, 10*time.Millisecond)
		causes := tel.values(t, "otelcol_exporter_siem_retries", "cause") // at one moment: it goes on
		assert.Equal(t, []string{"handshake_client_certificate"}, causes)
		h.mu.Lock()
		defer h.mu.Unlock()
		texts := map[string]bool{}
		for _, event := range h.events {
			if event.Status() == componentstatus.StatusRecoverableError {
				texts[event.Err().Error()] = true
			}
		}
		assert.Len(t, texts, 1, "%v", texts)
	})
}

// TestConnectionEndsWithTheServersCertificate: a certificate that expires under an open connection.
func TestConnectionEndsWithTheServersCertificate(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		t.Parallel()
		p := newPKI()
		// Each handshake is shown a certificate of its own that is good for three seconds, however long it took until there; from the
		// first delivery on, the one that was shown last.
		var mu sync.Mutex
		var shown tls.Certificate
		fresh := true
		show := func(cert tls.Certificate) {
			mu.Lock()
			defer mu.Unlock()
			shown, fresh = cert, false
		}
		server := serverTLS(p.leaf)
		server.Certificates = nil
		server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			mu.Lock()
			defer mu.Unlock()
			if fresh {
				shown = p.ca.Renew(p.leaf, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(3 * time.Second) }).TLS()
			}
			cert := shown
			return &cert, nil
		}
		s := newSink()
		addr, _ := s.serve(t, protocol, anyPort, server)
		cfg, tel := testConfig(t, protocol, addr, p.ca, p.leaf), newTestTelemetry(t)
		exp := startExporterWith(t, cfg, tel.settings())
		requireDelivered(t, s, send(t, exp, "before", 5))
		mu.Lock()
		fresh = false
		mu.Unlock()
		// Within the five seconds of a look at the files.
		require.Eventually(t, func() bool {
			send(t, exp, "after", 1)
			return tel.sum(t, "otelcol_exporter_siem_retries", "cause", "handshake_expired") >= 1
		}, 30*time.Second, 100*time.Millisecond)
		show(p.ca.Renew(p.leaf).TLS())
		requireDelivered(t, s, send(t, exp, "renewed", 5))
	})
}

// TestStandbyIsProbed: a standby that cannot take over is down before it has to, whatever the reason.
func TestStandbyIsProbed(t *testing.T) {
	p := newPKI()
	mutual := serverTLS(p.leaf)
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, testpki.NewCA("clients").Pool()
	for name, tt := range map[string]struct {
		server *tls.Config // nil: nobody listens
		host   string
		up     int64
	}{
		"is right":                         {serverTLS(p.leaf), "", 1},
		"has a name that does not resolve": {nil, "standby.invalid:4317", 0},
		"is away":                          {nil, "127.0.0.1:1", 0},
		"has another key":                  {serverTLS(p.impostor), "", 0},
		"refuses our certificate":          {mutual, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, protocol Protocol) {
				first, second := newSink(), newSink()
				firstAddr, _ := first.serve(t, protocol, anyPort, serverTLS(p.leaf))
				secondAddr := tt.host
				if tt.server != nil {
					secondAddr, _ = second.serve(t, protocol, anyPort, tt.server)
				}
				cfg, tel := twoTargets(t, protocol, p, firstAddr, secondAddr), newTestTelemetry(t)
				exp := startExporterWith(t, cfg, tel.settings())
				requireDelivered(t, first, send(t, exp, "a", 5))
				tel.requireSum(t, "otelcol_exporter_siem_endpoint_up", tt.up, "endpoint", cfg.Endpoints[1].Endpoint)
				tel.requireSum(t, "otelcol_exporter_siem_endpoint_up", 1, "endpoint", cfg.Endpoints[0].Endpoint)
				assert.Zero(t, second.requestCount())
				tel.requireSum(t, "otelcol_exporter_siem_healthy", 1)
			})
		})
	}
}

// TestConnectionsAreKept: a server that knows HTTP/1.1 only sees as many handshakes as there are consumers.
func TestConnectionsAreKept(t *testing.T) {
	p := newPKI()
	s := newSink()
	s.respond(func(plog.Logs) (plogotlp.ExportResponse, error) { return plogotlp.NewExportResponse(), nil })
	server, handshakes := countingTLS(p.leaf)
	server.NextProtos = []string{"http/1.1"}
	addr, _ := s.serve(t, ProtocolHTTP, anyPort, server)
	cfg := testConfig(t, ProtocolHTTP, addr, p.ca, p.leaf)
	exp := startExporter(t, cfg)
	for range 500 {
		require.NoError(t, exp.ConsumeLogs(t.Context(), plogOf("x")))
	}
	require.Eventually(t, func() bool { return s.requestCount() >= 500 }, 30*time.Second, 10*time.Millisecond)
	// net/http may have begun a handshake when a connection became free, and kept both.
	consumers := int64(cfg.consumers())
	assert.LessOrEqual(t, handshakes.Load(), 2*consumers)
}
