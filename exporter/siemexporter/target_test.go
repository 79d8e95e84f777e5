// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/tlspin"
)

// twoTargets returns a configuration for two SIEMs, the second with pins of its own.
func twoTargets(t *testing.T, protocol Protocol, p *pki, first, second string, secondPins ...*testpki.Cert) *Config {
	cfg := testConfig(t, protocol, first, p.ca, p.leaf)
	scheme := ""
	if cfg.overHTTP() {
		scheme = "https://"
	}
	cfg.grpc.Endpoint, cfg.http.Endpoint, cfg.syslogKeys.Endpoint = "", "", ""
	cfg.Endpoints = []EndpointConfig{{Endpoint: scheme + first}, {Endpoint: scheme + second}}
	for _, cert := range secondPins {
		cfg.Endpoints[1].Pins = append(cfg.Endpoints[1].Pins, tlspin.Of(cert.X509).String())
	}
	require.NoError(t, cfg.Validate())
	return cfg
}

// TestFailover: the second SIEM takes over when the first is away, the first again when it is back, and nothing is lost.
func TestFailover(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		first, second := newSink(), newSink()
		firstAddr, stopFirst := first.serve(t, protocol, anyPort, serverTLS(p.leaf))
		secondAddr, _ := second.serve(t, protocol, anyPort, serverTLS(p.backup))
		cfg, tel := twoTargets(t, protocol, p, firstAddr, secondAddr, p.backup), newTestTelemetry(t)
		exp := startExporterWith(t, cfg, tel.settings())

		requireDelivered(t, first, send(t, exp, "a", 5))
		assert.Zero(t, second.requestCount())
		tel.requireSum(t, "otelcol_exporter_siem_endpoint_up", 2)

		stopFirst()
		requireDelivered(t, second, send(t, exp, "b", 5))
		tel.requireSum(t, "otelcol_exporter_siem_endpoint_up", 0, "endpoint", cfg.Endpoints[0].Endpoint)
		tel.requireSum(t, "otelcol_exporter_siem_endpoint_up", 1, "endpoint", cfg.Endpoints[1].Endpoint)
		tel.requireSum(t, "otelcol_exporter_siem_healthy", 1)
		// Of the first one: on a busy machine the second may time out, too.
		logged := func(message string) {
			ofFirst := zap.String("endpoint", cfg.Endpoints[0].Endpoint)
			require.Eventually(t, func() bool { return tel.logs.FilterMessage(message).FilterField(ofFirst).Len() > 0 }, 30*time.Second, 10*time.Millisecond, message)
		}
		logged("A SIEM does not take logs")

		first.serve(t, protocol, firstAddr, serverTLS(p.leaf))
		// Once the first has answered, all goes there again: five requests in a row, one after the other.
		for i, inARow := 0, 0; inARow < 5; i++ {
			require.Less(t, i, 2000, "delivery did not return to the first SIEM")
			sent := send(t, exp, fmt.Sprintf("c%d", i), 1)
			require.Eventually(t, func() bool { return first.has(sent) || second.has(sent) }, 30*time.Second, time.Millisecond)
			inARow++
			if second.has(sent) {
				inARow = 0
			}
		}
		tel.requireSum(t, "otelcol_exporter_siem_endpoint_up", 2)
		logged("A SIEM takes logs again")
	})
}

// TestFailoverKeepsToThePins: the pins of one SIEM are no pins of another.
func TestFailoverKeepsToThePins(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		impostor, right := newSink(), newSink()
		// The first address is taken by a server with the second one's key, which is not pinned for the first.
		firstAddr, _ := impostor.serve(t, protocol, anyPort, serverTLS(p.backup))
		secondAddr, _ := right.serve(t, protocol, anyPort, serverTLS(p.backup))
		exp := startExporter(t, twoTargets(t, protocol, p, firstAddr, secondAddr, p.backup))
		requireDelivered(t, right, send(t, exp, "a", 5))
		assert.Zero(t, impostor.requestCount())
	})
}

// TestFailoverWhenAllAreDown: data waits, and flows to whichever is back first.
func TestFailoverWhenAllAreDown(t *testing.T) {
	p := newPKI()
	first, second := newSink(), newSink()
	firstAddr, stopFirst := first.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	secondAddr, stopSecond := second.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	stopFirst()
	stopSecond()
	exp := startExporter(t, twoTargets(t, ProtocolGRPC, p, firstAddr, secondAddr))
	sent := send(t, exp, "a", 5)
	second.serve(t, ProtocolGRPC, secondAddr, serverTLS(p.leaf))
	requireDelivered(t, second, sent)
}

// TestFirstIsFoundWhileAllAreDown: with long pauses, the first SIEM is asked at every retry when no other one works.
func TestFirstIsFoundWhileAllAreDown(t *testing.T) {
	p := newPKI()
	first, second := newSink(), newSink()
	firstAddr, stopFirst := first.serve(t, ProtocolHTTP, anyPort, serverTLS(p.leaf))
	secondAddr, stopSecond := second.serve(t, ProtocolHTTP, anyPort, serverTLS(p.leaf))
	stopFirst()
	stopSecond()
	cfg, tel := twoTargets(t, ProtocolHTTP, p, firstAddr, secondAddr), newTestTelemetry(t)
	set := tel.settings()
	e, err := newExporter(cfg, set)
	require.NoError(t, err)
	require.NoError(t, e.start(t.Context(), newHost(t, t.TempDir())))
	t.Cleanup(func() { require.NoError(t, e.shutdown(t.Context())) })
	ts := targets{list: e.targets.list, pause: time.Hour}
	wire := encoded(t, plogOf("a")).wire
	_, refused := ts.export(t.Context(), wire)
	require.NotNil(t, refused)
	first.serve(t, ProtocolHTTP, firstAddr, serverTLS(p.leaf))
	_, refused = ts.export(t.Context(), wire)
	require.Nil(t, refused)
	assert.Equal(t, 1, first.requestCount())
}

// TestRecordsAreNotJudgedTwice: what the first SIEM will never take is not offered to the second.
func TestRecordsAreNotJudgedTwice(t *testing.T) {
	p := newPKI()
	first, second := newSink(), newSink()
	first.respond(refuseBodies(status.Error(codes.InvalidArgument, "no"), "r-3"))
	firstAddr, _ := first.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	secondAddr, _ := second.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	cfg := twoTargets(t, ProtocolGRPC, p, firstAddr, secondAddr)
	cfg.DeadLetter.Directory = t.TempDir()
	send(t, startExporter(t, cfg), "r", 10)
	assert.Equal(t, []string{"r-3"}, waitForDeadLetters(t, cfg, 1)[0].bodies(t))
	assert.Zero(t, second.requestCount())
}

// TestRedirect: the party that a redirect names gets nothing, not even a connection.
func TestRedirect(t *testing.T) {
	p := newPKI()
	elsewhere, s := newSink(), newSink()
	elsewhereAddr, _ := elsewhere.serve(t, ProtocolHTTP, anyPort, serverTLS(p.leaf)) // even with a pinned key
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			s.fail(httpAnswer{code: code, header: map[string]string{"Location": "https://" + elsewhereAddr + logsPath}})
			addr, _ := s.serve(t, ProtocolHTTP, anyPort, serverTLS(p.leaf))
			exp := startExporter(t, testConfig(t, ProtocolHTTP, addr, p.ca, p.leaf))
			before := s.requestCount()
			sent := send(t, exp, fmt.Sprintf("redirect%d", code), 5)
			require.Eventually(t, func() bool { return s.requestCount() >= before+3 }, 30*time.Second, time.Millisecond)
			s.respond(nil)
			requireDelivered(t, s, sent)
			assert.Zero(t, elsewhere.requestCount())
		})
	}
}

// countingTLS counts the handshakes that a server finishes.
func countingTLS(cert *testpki.Cert) (*tls.Config, *atomic.Int64) {
	var n atomic.Int64
	cfg := serverTLS(cert)
	cfg.VerifyConnection = func(tls.ConnectionState) error { n.Add(1); return nil }
	return cfg, &n
}

// TestRenewedEveryInterval: a connection does not outlive the interval.
func TestRenewedEveryInterval(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		s := newSink()
		server, handshakes := countingTLS(p.leaf)
		addr, _ := s.serve(t, protocol, anyPort, server)
		cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
		cfg.tls().ReloadInterval = 50 * time.Millisecond
		exp := startExporter(t, cfg)
		for i := range 5 {
			before := handshakes.Load()
			require.Eventually(t, func() bool {
				requireDelivered(t, s, send(t, exp, fmt.Sprintf("r%d", i), 1))
				return handshakes.Load() > before
			}, 30*time.Second, 10*time.Millisecond)
		}
	})
}

// TestOneConnectionWithoutReason: nothing is renewed while the interval has not passed and no file changes.
func TestOneConnectionWithoutReason(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		s := newSink()
		server, handshakes := countingTLS(p.leaf)
		addr, _ := s.serve(t, protocol, anyPort, server)
		exp := startExporter(t, testConfig(t, protocol, addr, p.ca, p.leaf))
		for i := range 20 {
			requireDelivered(t, s, send(t, exp, fmt.Sprintf("r%d", i), 1))
		}
		assert.EqualValues(t, 1, handshakes.Load())
	})
}

// TestAuthorityReplaced: the authority's file is read anew while the exporter runs, which configtls does not do.
func TestAuthorityReplaced(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		oldCA := testpki.NewCA("old")
		s := newSink()
		addr, _ := s.serve(t, protocol, anyPort, serverTLS(p.leaf))
		cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
		dir := t.TempDir()
		cfg.tls().CAFile, _ = oldCA.WriteFiles(t, dir, "ca")
		cfg.tls().ReloadInterval = 20 * time.Millisecond
		tel := newTestTelemetry(t)
		exp := startExporterWith(t, cfg, tel.settings())
		sent := send(t, exp, "held", 5)
		waitRefused(t, tel, 2)
		assert.Zero(t, s.requestCount())
		p.ca.WriteFiles(t, dir, "ca")
		requireDelivered(t, s, sent)

		// And an authority that is withdrawn is not trusted for longer than that, although the connection stood.
		oldCA.WriteFiles(t, dir, "ca")
		before := tel.sum(t, "otelcol_exporter_siem_refused_handshakes")
		require.Eventually(t, func() bool {
			send(t, exp, "late", 1) // HTTP connects when there is something to send
			return tel.sum(t, "otelcol_exporter_siem_refused_handshakes") > before
		}, 30*time.Second, 20*time.Millisecond)
		later := send(t, exp, "later", 1)
		waitRefused(t, tel, before+4)
		assert.NotContains(t, s.snapshot(), later[0])
	})
}

// TestTornFilesAreWaitedFor: while certificate and key do not match, or a file is gone, the connections stay as they are.
func TestTornFilesAreWaitedFor(t *testing.T) {
	p := newPKI()
	clientCA := testpki.NewCA("clients")
	server, handshakes := countingTLS(p.leaf)
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, clientCA.Pool()
	s := newSink()
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, server)
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	dir := t.TempDir()
	cfg.tls().CertFile, cfg.tls().KeyFile = clientCA.NewLeaf("agent").WriteFiles(t, dir, "agent")
	cfg.tls().ReloadInterval = 0
	tel := newTestTelemetry(t)
	set := tel.settings()

	e, err := newExporter(cfg, set)
	require.NoError(t, err)
	require.NoError(t, e.start(t.Context(), newHost(t, t.TempDir())))
	t.Cleanup(func() { require.NoError(t, e.shutdown(t.Context())) })
	require.NoError(t, e.push(t.Context(), encoded(t, plogOf("before"))))

	next := clientCA.NewLeaf("agent")
	nextDir := t.TempDir()
	nextCert, nextKey := next.WriteFiles(t, nextDir, "agent")
	require.NoError(t, os.Rename(nextCert, cfg.tls().CertFile))
	require.Error(t, e.targets.renew(t.Context()), "the new certificate with the old key")
	require.NoError(t, e.push(t.Context(), encoded(t, plogOf("torn"))))
	require.NoError(t, os.Remove(cfg.tls().KeyFile))
	require.Error(t, e.targets.renew(t.Context()))
	require.NoError(t, e.push(t.Context(), encoded(t, plogOf("gone"))))
	assert.EqualValues(t, 1, handshakes.Load())

	require.NoError(t, os.Rename(nextKey, cfg.tls().KeyFile))
	require.NoError(t, e.targets.renew(t.Context()))
	require.NoError(t, e.push(t.Context(), encoded(t, plogOf("whole"))))
	assert.EqualValues(t, 2, handshakes.Load())
}

// TestFingerprint: a file that is replaced is noticed, also by a symbolic link two directories up, as Kubernetes does it.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"v1": "old", "v2": "new"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "ca.pem"), []byte(content), 0o600))
	}
	require.NoError(t, os.Symlink("v1", filepath.Join(dir, "data")))
	r := &renewer{files: []string{filepath.Join(dir, "data", "ca.pem")}}
	before := r.fingerprint()
	assert.Equal(t, before, r.fingerprint())
	require.NoError(t, os.Symlink("v2", filepath.Join(dir, "next")))
	require.NoError(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "data")))
	after := r.fingerprint()
	assert.NotEqual(t, before, after)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "v2")))
	assert.NotEqual(t, after, r.fingerprint())
}

func TestPostQuantum(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		classic := serverTLS(p.leaf)
		classic.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}

		old, s := newSink(), newSink()
		addr, stop := old.serve(t, protocol, anyPort, classic)
		cfg := testConfig(t, protocol, addr, p.ca, p.leaf)
		cfg.RequirePostQuantum = true
		tel := newTestTelemetry(t)
		exp := startExporterWith(t, cfg, tel.settings())
		sent := send(t, exp, "held", 5)
		waitRefused(t, tel, 2)
		stop()
		assert.Zero(t, old.requestCount())
		s.serve(t, protocol, addr, serverTLS(p.leaf))
		requireDelivered(t, s, sent)

		// Not required, it is preferred and no condition.
		addr, _ = old.serve(t, protocol, anyPort, classic)
		requireDelivered(t, old, send(t, startExporter(t, testConfig(t, protocol, addr, p.ca, p.leaf)), "classic", 5))
	})
}

// TestResumedSession: a server that changed its key, and still resumes sessions of the old one, gets nothing.
func TestResumedSession(t *testing.T) {
	eachProtocol(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		tickets := [][32]byte{{1, 2, 3}}
		before, after := serverTLS(p.leaf), serverTLS(p.impostor)
		before.SetSessionTicketKeys(tickets)
		after.SetSessionTicketKeys(tickets)
		right, changed := newSink(), newSink()
		addr, stop := right.serve(t, protocol, anyPort, before)
		tel := newTestTelemetry(t)
		exp := startExporterWith(t, testConfig(t, protocol, addr, p.ca, p.leaf), tel.settings())
		requireDelivered(t, right, send(t, exp, "before", 5))
		stop()
		_, stop = changed.serve(t, protocol, addr, after)
		sent := send(t, exp, "held", 5)
		require.Eventually(t, func() bool {
			return tel.sum(t, "otelcol_exporter_siem_refused_handshakes", "reason", "pin_mismatch") >= 2
		}, 30*time.Second, 5*time.Millisecond)
		stop()
		assert.Zero(t, changed.requestCount())
		right.serve(t, protocol, addr, before)
		requireDelivered(t, right, sent)
	})
}

// TestSwallowedConnection: a connection through which nothing passes any more, and which nobody closes, is given up.
func TestSwallowedConnection(t *testing.T) {
	eachAnswering(t, func(t *testing.T, protocol Protocol) {
		p := newPKI()
		s := newSink()
		serverAddr, _ := s.serve(t, protocol, anyPort, serverTLS(p.leaf))
		path := newFaultyPath(t, serverAddr, 1)
		path.becalm()
		cfg := testConfig(t, protocol, path.listener.Addr().String(), p.ca, p.leaf)
		setTimeout(cfg, 500*time.Millisecond)
		exp := startExporter(t, cfg)
		requireDelivered(t, s, send(t, exp, "before", 5))
		close(path.swallow) // from now on, for the connections that exist
		requireDelivered(t, s, send(t, exp, "after", 5))
	})
}
