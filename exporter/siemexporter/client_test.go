// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// tokenSink is a sink that wants a token.
type tokenSink struct {
	*sink
	token string
}

func (s *tokenSink) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+s.token || md.Get("tenant")[0] != "security" {
		s.mu.Lock()
		s.requests++
		s.mu.Unlock()
		return plogotlp.NewExportResponse(), status.Error(codes.Unauthenticated, "token")
	}
	return s.sink.Export(ctx, request)
}

// TestTokenIsRenewed: headers and authentication extensions work as with the stock exporters, and a wrong token, on
// which those drop, makes the data wait for a right one.
func TestTokenIsRenewed(t *testing.T) {
	p := newPKI()
	s := &tokenSink{sink: newSink(), token: "right"}
	addr, _ := serveGRPCAt(t, s, anyPort, serverTLS(p.leaf))
	tokenFile := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(tokenFile, []byte("wrong"), 0o600))

	factory := bearertokenauthextension.NewFactory()
	authID := component.NewID(factory.Type())
	authConfig := factory.CreateDefaultConfig().(*bearertokenauthextension.Config)
	authConfig.Filename = tokenFile
	auth, err := factory.Create(t.Context(), extension.Settings{
		ID: authID, TelemetrySettings: extensiontest.NewNopSettings(factory.Type()).TelemetrySettings,
	}, authConfig)
	require.NoError(t, err)
	require.NoError(t, auth.Start(t.Context(), nil))
	t.Cleanup(func() { require.NoError(t, auth.Shutdown(context.Background())) })

	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.grpc.Headers = configopaque.MapList{{Name: "tenant", Value: "security"}}
	cfg.grpc.Auth = configoptional.Some(configauth.Config{AuthenticatorID: authID})
	h := newHost(t, t.TempDir())
	h[authID] = auth
	exp, stop := startExporterIn(t, cfg, h, nopSettings())
	t.Cleanup(stop)
	sent := send(t, exp, "held", 5)
	require.Eventually(t, func() bool { return s.requestCount() >= 3 }, 30*time.Second, time.Millisecond)
	require.Empty(t, s.snapshot())
	require.NoError(t, os.WriteFile(tokenFile, []byte("right"), 0o600))
	requireDelivered(t, s.sink, sent)
}

// connectProxy is an HTTP proxy that knows CONNECT.
func connectProxy(t *testing.T) (addr string, used *atomic.Int64) {
	t.Helper()
	used = &atomic.Int64{}
	listener := listen(t, anyPort)
	var relays sync.WaitGroup
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		used.Add(1)
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			up.Close()
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		relays.Go(func() { relay(up, conn, buffered.Reader) })
	})}
	relays.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Close(); relays.Wait() })
	return listener.Addr().String(), used
}

func relay(up, conn net.Conn, rest *bufio.Reader) {
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(up, rest); up.Close() })
	both.Go(func() { _, _ = io.Copy(conn, up); conn.Close() })
	both.Wait()
}

// TestProxy: TLS runs through a proxy end to end, and so do the pins.
func TestProxy(t *testing.T) {
	p := newPKI()
	impostor, right := newSink(), newSink()
	addr, stop := impostor.serve(t, ProtocolHTTP, anyPort, serverTLS(p.impostor))
	proxy, used := connectProxy(t)
	cfg := testConfig(t, ProtocolHTTP, addr, p.ca, p.leaf)
	cfg.http.ProxyURL = "http://" + proxy
	tel := newTestTelemetry(t)
	exp := startExporterWith(t, cfg, tel.settings())
	sent := send(t, exp, "held", 5)
	waitRefused(t, tel, 2)
	assert.Positive(t, used.Load())
	stop()
	right.serve(t, ProtocolHTTP, addr, serverTLS(p.leaf))
	requireDelivered(t, right, sent)
	assert.Zero(t, impostor.requestCount())
}

// TestHTTPHealthChecks: confighttp prepares the transport for HTTP/2 pings ahead of our hook; the pins must survive that,
// and so must HTTP/2.
func TestHTTPHealthChecks(t *testing.T) {
	p := newPKI()
	s, impostor := newSink(), newSink()
	var protocols sync.Map
	server := &http.Server{TLSConfig: serverTLS(p.leaf), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocols.Store(r.Proto, true)
		decompress(s).ServeHTTP(w, r)
	})}
	listener := listen(t, anyPort)
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { server.Close(); <-done })

	cfg := testConfig(t, ProtocolHTTP, listener.Addr().String(), p.ca, p.leaf)
	cfg.http.HTTP2ReadIdleTimeout, cfg.http.HTTP2PingTimeout = 10*time.Second, 5*time.Second
	requireDelivered(t, s, send(t, startExporter(t, cfg), "pinged", 5))
	_, http2 := protocols.Load("HTTP/2.0")
	assert.True(t, http2)

	addr, _ := impostor.serve(t, ProtocolHTTP, anyPort, serverTLS(p.impostor))
	cfg = testConfig(t, ProtocolHTTP, addr, p.ca, p.leaf)
	cfg.http.HTTP2ReadIdleTimeout = 10 * time.Second
	tel := newTestTelemetry(t)
	send(t, startExporterWith(t, cfg, tel.settings()), "held", 5)
	waitRefused(t, tel, 2)
	assert.Zero(t, impostor.requestCount())
}
