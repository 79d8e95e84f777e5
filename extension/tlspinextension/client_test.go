// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/logseal/logseal/extension/tlspinextension/internal/metadata"
	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/internal/testport"
	"github.com/logseal/logseal/pkg/tlspin"
)

var named = []configmiddleware.Config{{ID: component.NewID(metadata.Type)}}

// httpClient is one that confighttp makes, with the extension in it.
func httpClient(t *testing.T, r *rig, caFile string, change func(*confighttp.ClientConfig)) *http.Client {
	t.Helper()
	cfg := confighttp.NewDefaultClientConfig()
	cfg.TLS.CAFile = caFile
	cfg.Middlewares = named
	if change != nil {
		change(&cfg)
	}
	client, err := cfg.ToClient(t.Context(), r.extHost.extensions, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	return client
}

func post(t *testing.T, client *http.Client, url string) (*http.Response, error) {
	t.Helper()
	response, err := client.Post(url, "text/plain", strings.NewReader("a log record"))
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		require.NoError(t, response.Body.Close())
	}
	return response, err
}

// TestRedirects: the pinned server can lead to another pinned one, and to nobody else.
func TestRedirects(t *testing.T) {
	ca := testpki.NewCA("ca")
	right, other := ca.NewLeaf("right"), ca.NewLeaf("other")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	for name, tt := range map[string]struct {
		scheme string
		target *tls.Config
		err    string
	}{
		"to the pinned key": {"https", serverTLS(right), ""},
		"to another key":    {"https", serverTLS(other), tlspin.ErrMismatch.Error()},
		"into the clear":    {"http", nil, "would be spoken to in the clear"},
	} {
		t.Run(name, func(t *testing.T) {
			var got, plaintext atomic.Int64
			to := testport.Address(t)
			serveHTTP(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }), to, tt.target, &plaintext)
			from := testport.Address(t)
			serveHTTP(t, http.RedirectHandler(tt.scheme+"://"+to, http.StatusPermanentRedirect), from, serverTLS(right), new(atomic.Int64))

			_, err := post(t, httpClient(t, newRig(t, pinned(ModeEnforce, right)), caFile, nil), "https://"+from)
			if tt.err == "" {
				require.NoError(t, err)
				assert.EqualValues(t, 1, got.Load())
				return
			}
			require.ErrorContains(t, err, tt.err)
			assert.Zero(t, plaintext.Load())
		})
	}
}

// TestProxy: through a proxy the pins are the server's, who is at the other end of the tunnel.
func TestProxy(t *testing.T) {
	ca := testpki.NewCA("ca")
	right, other := ca.NewLeaf("right"), ca.NewLeaf("other")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	proxy := testport.Address(t)
	var tunnels atomic.Int64
	serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		tunnels.Add(1)
		server, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(server, client)
			server.Close()
		}()
		_, _ = io.Copy(client, server)
	}), proxy, nil, new(atomic.Int64))

	var plaintext atomic.Int64
	addr := testport.Address(t)
	stop := serveHTTP(t, http.NotFoundHandler(), addr, serverTLS(other), &plaintext)
	client := httpClient(t, newRig(t, pinned(ModeEnforce, right)), caFile, func(c *confighttp.ClientConfig) { c.ProxyURL = "http://" + proxy })
	_, err := post(t, client, "https://"+addr)
	require.ErrorIs(t, err, tlspin.ErrMismatch)
	assert.Zero(t, plaintext.Load())
	stop()
	serveHTTP(t, http.NotFoundHandler(), addr, serverTLS(right), &plaintext)
	response, err := post(t, client, "https://"+addr)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
	assert.EqualValues(t, 2, tunnels.Load())
}

// TestHTTP2: with what the collector prepares for HTTP/2, and without.
func TestHTTP2(t *testing.T) {
	ca := testpki.NewCA("ca")
	right, other := ca.NewLeaf("right"), ca.NewLeaf("other")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	for name, change := range map[string]func(*confighttp.ClientConfig){
		"as it is":    nil,
		"with pings":  func(c *confighttp.ClientConfig) { c.HTTP2ReadIdleTimeout = 1 << 40 },
		"not offered": func(c *confighttp.ClientConfig) { c.ForceAttemptHTTP2 = false },
	} {
		t.Run(name, func(t *testing.T) {
			var requests, versions atomic.Int64
			serve := func(cert *testpki.Cert) string {
				listener, err := net.Listen("tcp", testport.Address(t))
				require.NoError(t, err)
				s := &http.Server{TLSConfig: serverTLS(cert), ReadHeaderTimeout: 1 << 40, ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					versions.Store(int64(r.ProtoMajor))
				})}
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = s.ServeTLS(listener, "", "")
				}()
				t.Cleanup(func() { s.Close(); <-done })
				return "https://" + listener.Addr().String()
			}
			client := httpClient(t, newRig(t, pinned(ModeEnforce, right)), caFile, change)
			_, err := post(t, client, serve(other))
			require.ErrorIs(t, err, tlspin.ErrMismatch)
			assert.Zero(t, requests.Load())
			_, err = post(t, client, serve(right))
			require.NoError(t, err)
			assert.EqualValues(t, 1, requests.Load())
			if name == "with pings" {
				assert.EqualValues(t, 2, versions.Load())
			}
		})
	}
}

// TestClientsThatAreNotReached are refused when they are made.
func TestClientsThatAreNotReached(t *testing.T) {
	wrap, err := newRig(t, pinned(ModeEnforce, testpki.NewCA("ca"))).ext.GetHTTPRoundTripper(t.Context())
	require.NoError(t, err)
	other := &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not here") }}
	for name, tt := range map[string]struct {
		base http.RoundTripper
		want string
	}{
		"behind another middleware": {roundTripper{}, "write the extension last under `middlewares`"},
		"makes its own handshakes":  {other, "remove the extension from its `middlewares`"},
		"everybody's":               {http.DefaultTransport, "remove the extension from its `middlewares`"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wrap(t.Context(), tt.base)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

type roundTripper struct{ http.RoundTripper }

// TestReplacedCredentials: a dial option that comes after ours makes the handshake; no request passes that the pins do not allow.
func TestReplacedCredentials(t *testing.T) {
	ca := testpki.NewCA("ca")
	right, other := ca.NewLeaf("right"), ca.NewLeaf("other")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	theirs := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}))
	old := serverTLS(right)
	old.MaxVersion = tls.VersionTLS12
	for name, tt := range map[string]struct {
		mode   Mode
		server *tls.Config
		err    string
	}{
		"the pinned key": {ModeEnforce, serverTLS(right), ""},
		"another key":    {ModeEnforce, serverTLS(other), tlspin.ErrMismatch.Error()},
		"TLS 1.2":        {ModeEnforce, old, tlspin.ErrVersion.Error()},
		"report":         {ModeReport, serverTLS(other), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, addr := &server{}, testport.Address(t)
			s.serve(t, overGRPC, addr, tt.server)
			r := newRig(t, pinned(tt.mode, right))
			client, _ := clientOf(overGRPC, addr, caFile)
			require.NoError(t, r.notify(t, section{"otlp_grpc": client}))
			cfg := configgrpc.NewDefaultClientConfig()
			cfg.Endpoint, cfg.Middlewares = addr, named
			conn, err := cfg.ToClientConn(t.Context(), r.extHost.extensions, componenttest.NewNopTelemetrySettings(), configgrpc.WithGrpcDialOption(theirs))
			require.NoError(t, err)
			defer conn.Close()
			_, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), plogotlp.NewExportRequest(), grpc.WaitForReady(true))
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, codes.Unavailable, status.Code(err), "what an exporter tries again")
			assert.ErrorContains(t, err, "something has replaced the credentials")
			assert.ErrorContains(t, err, tt.err)
		})
	}
	t.Run("in the clear", func(t *testing.T) {
		r := newRig(t, pinned(ModeReport, right))
		client, _ := clientOf(overGRPC, "127.0.0.1:1", caFile)
		require.NoError(t, r.notify(t, section{"otlp_grpc": client}))
		cfg := configgrpc.NewDefaultClientConfig()
		cfg.Endpoint, cfg.Middlewares = "127.0.0.1:1", named
		_, err := cfg.ToClientConn(t.Context(), r.extHost.extensions, componenttest.NewNopTelemetrySettings(),
			configgrpc.WithGrpcDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
		require.ErrorContains(t, err, "require transport level security")
	})
}

// TestWatch: what is told is bounded, and a server that is never asked again does not keep the extension unhealthy.
func TestWatch(t *testing.T) {
	r := newRig(t, pinned(ModeEnforce, testpki.NewCA("a"), testpki.NewCA("b")))
	for range 2 {
		r.ext.watch.refused("server", errors.New("0"))
		assert.Equal(t, 1, r.logs.Len(), "once")
	}
	for i := range 10 * maxReminded {
		r.ext.watch.refused("server", errors.New(strconv.Itoa(i)))
	}
	assert.Equal(t, maxReminded, r.logs.Len())
	n, _ := r.counted(t, "refused_handshakes", tlspin.ReasonOther)
	assert.EqualValues(t, 10*maxReminded+2, n)

	r.ext.watch.refused("another", x509.UnknownAuthorityError{})
	r.ext.watch.passed("server")
	assert.Contains(t, r.extHost.trouble(), "another: x509: ")
	r.ext.watch.refused("another", context.Canceled)
	n, _ = r.counted(t, "refused_handshakes", tlspin.ReasonOther)
	assert.EqualValues(t, 10*maxReminded+2, n, "its own shutdown")
	r.ext.watch.forget()
	assert.Empty(t, r.extHost.trouble())

	r.ext.watch.refused("server", errors.New(strings.Repeat("x", 1<<20)))
	assert.Less(t, len(r.extHost.trouble()), 2*maxText)
}
