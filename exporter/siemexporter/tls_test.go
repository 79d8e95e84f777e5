// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
)

// pki is what the cases below need: an authority, the right server, and what may stand in its place.
type pki struct {
	ca, intermediate, leaf, impostor, backup *testpki.Cert
}

func newPKI() *pki {
	ca := testpki.NewCA("ca")
	intermediate := ca.NewIntermediate("intermediate")
	return &pki{
		ca: ca, intermediate: intermediate,
		leaf:     intermediate.NewLeaf("siem"),
		impostor: intermediate.NewLeaf("impostor"),
		backup:   intermediate.NewLeaf("backup"),
	}
}

func serverTLS(cert *testpki.Cert) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert.TLS()}}
}

// TestWrongPartyGetsNothing is every way in which the other side can be the wrong one: it gets no record, the data
// waits, and flows when the right server is back at the same address.
func TestWrongPartyGetsNothing(t *testing.T) {
	eachProtocol(t, testWrongPartyGetsNothing)
}

func testWrongPartyGetsNothing(t *testing.T, protocol Protocol) {
	p := newPKI()
	selfSigned := testpki.NewSelfSigned("self")
	tls12 := serverTLS(p.leaf)
	tls12.MaxVersion = tls.VersionTLS12

	for name, wrong := range map[string]*tls.Config{
		"wrong pin, right chain":          serverTLS(p.impostor),
		"right pin, wrong host name":      serverTLS(p.intermediate.Renew(p.leaf, testpki.Names("elsewhere.example.com"))),
		"right pin, expired":              serverTLS(p.intermediate.Renew(p.leaf, testpki.Expired())),
		"right pin, untrusted chain":      serverTLS(testpki.NewCA("ca").Renew(p.leaf)),
		"self-signed, pinned, no CA":      serverTLS(selfSigned),
		"TLS 1.2 only, right certificate": tls12,
		"plaintext":                       nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			party, right := newSink(), newSink()
			addr, stop := party.serve(t, protocol, anyPort, wrong)
			tel := newTestTelemetry(t)
			exp := startExporterWith(t, testConfig(t, protocol, addr, p.ca, p.leaf, selfSigned), tel.settings())
			sent := send(t, exp, "held", 20)

			waitRefused(t, tel, 3)
			stop()
			assert.Zero(t, party.requestCount())

			right.serve(t, protocol, addr, serverTLS(p.leaf))
			requireDelivered(t, right, sent)
			assert.Zero(t, party.requestCount())
		})
	}
}

// TestSilentServer accepts TCP connections and says nothing.
func TestSilentServer(t *testing.T) { eachProtocol(t, testSilentServer) }

func testSilentServer(t *testing.T, protocol Protocol) {
	p := newPKI()
	listener := listen(t, anyPort)
	var (
		mu    sync.Mutex
		conns []net.Conn
		heard []byte
	)
	accepted := make(chan struct{}, 100)
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- struct{}{}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			readers.Go(func() {
				bytes, _ := io.ReadAll(conn)
				mu.Lock()
				heard = append(heard, bytes...)
				mu.Unlock()
			})
		}
	})
	addr := listener.Addr().String()
	cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
	setTimeout(cfg, 200*time.Millisecond)
	exp := startExporter(t, cfg)
	sent := send(t, exp, "silence-held", 5)
	<-accepted
	<-accepted // it gave up on the first connection and tried again

	listener.Close()
	mu.Lock()
	for _, conn := range conns {
		conn.Close()
	}
	mu.Unlock()
	readers.Wait()
	assert.NotContains(t, string(heard), "silence-held")

	right := newSink()
	right.serve(t, protocol, addr, serverTLS(p.leaf))
	requireDelivered(t, right, sent)
}

func TestRightParties(t *testing.T) { eachProtocol(t, testRightParties) }

func testRightParties(t *testing.T, protocol Protocol) {
	p := newPKI()
	for name, tt := range map[string]struct {
		server *testpki.Cert
		pinned []*testpki.Cert
	}{
		"leaf pinned":                       {p.leaf, []*testpki.Cert{p.leaf, p.backup}},
		"intermediate pinned, leaf renewed": {p.intermediate.NewLeaf("next"), []*testpki.Cert{p.intermediate}},
		"backup pin":                        {p.backup, []*testpki.Cert{p.leaf, p.backup}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink()
			addr, _ := s.serve(t, protocol, anyPort, serverTLS(tt.server))
			exp := startExporter(t, testConfig(t, protocol, addr, p.ca, tt.pinned...))
			requireDelivered(t, s, send(t, exp, "right", 20))
		})
	}
}

// TestBackupTakesOver rotates the server's key to the backup while the exporter runs.
func TestBackupTakesOver(t *testing.T) { eachProtocol(t, testBackupTakesOver) }

func testBackupTakesOver(t *testing.T, protocol Protocol) {
	p := newPKI()
	s := newSink()
	addr, stop := s.serve(t, protocol, anyPort, serverTLS(p.leaf))
	exp := startExporter(t, testConfig(t, protocol, addr, p.ca, p.leaf, p.backup))
	requireDelivered(t, s, send(t, exp, "before", 5))
	stop()
	s.serve(t, protocol, addr, serverTLS(p.backup))
	requireDelivered(t, s, send(t, exp, "after", 5))
}

// TestTLS12WhenWritten: the floor is lowered only by name.
func TestTLS12WhenWritten(t *testing.T) { eachProtocol(t, testTLS12WhenWritten) }

func testTLS12WhenWritten(t *testing.T, protocol Protocol) {
	p := newPKI()
	s := newSink()
	server := serverTLS(p.leaf)
	server.MaxVersion = tls.VersionTLS12
	addr, _ := s.serve(t, protocol, anyPort, server)
	cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
	cfg.tls().MinVersion = "1.2"
	requireDelivered(t, s, send(t, startExporter(t, cfg), "old", 5))
}

func TestClientCertificates(t *testing.T) { eachProtocol(t, testClientCertificates) }

func testClientCertificates(t *testing.T, protocol Protocol) {
	p := newPKI()
	clientCA := testpki.NewCA("clients")
	server := serverTLS(p.leaf)
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, clientCA.Pool()
	good := clientCA.NewLeaf("agent")

	for name, bad := range map[string]*testpki.Cert{
		"missing":         nil,
		"expired":         clientCA.Renew(good, testpki.Expired()),
		"from another CA": testpki.NewCA("clients").Renew(good),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSink()
			addr, _ := s.serve(t, protocol, anyPort, server)
			cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
			dir := t.TempDir()
			if bad != nil {
				cfg.tls().CertFile, cfg.tls().KeyFile = bad.WriteFiles(t, dir, "agent")
				cfg.tls().ReloadInterval = time.Millisecond
			}
			tel := newTestTelemetry(t)
			exp := startExporterWith(t, cfg, tel.settings())
			sent := send(t, exp, "held", 5)
			waitRefused(t, tel, 3)
			assert.Zero(t, s.requestCount())
			if bad == nil {
				return // there is no file to put right: TestHoldsAcrossRestart covers a configuration that changes
			}
			good.WriteFiles(t, dir, "agent")
			requireDelivered(t, s, sent)
		})
	}
}

func TestStartErrors(t *testing.T) {
	p := newPKI()
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"storage does not run": {func(*Config) {}, "service.extensions"},
		"no CA file": {func(c *Config) {
			c.QueueConfig.Get().StorageID = nil
			c.tls().CAFile = "does-not-exist.pem"
		}, "does-not-exist.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t, ProtocolGRPC, "127.0.0.1:1", p.ca, p.leaf)
			tt.change(cfg)
			e, err := newExporter(cfg, nopSettings())
			require.NoError(t, err)
			err = e.start(t.Context(), host{})
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
			require.NoError(t, e.shutdown(t.Context()))
		})
	}
	t.Run("storage in use", func(t *testing.T) {
		cfg, set, dir := testConfig(t, ProtocolGRPC, "127.0.0.1:1", p.ca, p.leaf), nopSettings(), t.TempDir()
		_, stop := startExporterIn(t, cfg, newHost(t, dir), set)
		defer stop()
		second, err := NewFactory().CreateLogs(t.Context(), set, cfg)
		require.NoError(t, err)
		err = second.Start(t.Context(), newHost(t, dir))
		assert.ErrorContains(t, err, `sending_queue.storage "file_storage": the queue of exporter "siem`)
		assert.ErrorContains(t, err, "is in use by another process: give each collector a storage directory of its own")
		require.NoError(t, second.Shutdown(t.Context()))
	})
	e, err := newExporter(testConfig(t, ProtocolGRPC, "127.0.0.1:1", p.ca, p.leaf), nopSettings())
	require.NoError(t, err)
	require.Error(t, e.push(t.Context(), encoded(t, plogOf("x"))))
}
