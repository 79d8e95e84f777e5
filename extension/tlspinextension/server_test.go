// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // stock exporters compress
)

// server takes OTLP logs over both protocols, and counts every byte that a client has sent inside the TLS session.
type server struct {
	plogotlp.UnimplementedGRPCServer

	plaintext atomic.Int64
	records   atomic.Int64
}

// Export implements plogotlp.GRPCServer.
func (s *server) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.records.Add(int64(request.Logs().LogRecordCount()))
	return plogotlp.NewExportResponse(), nil
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	content, err := io.ReadAll(body)
	request := plogotlp.NewExportRequest()
	if err != nil || request.UnmarshalProto(content) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = s.Export(r.Context(), request)
}

// serve listens on addr until stop is called, or the test ends.
func (s *server) serve(t *testing.T, kind, addr string, cfg *tls.Config) (stop func()) {
	t.Helper()
	cfg = cfg.Clone()
	if kind == overHTTP {
		return serveHTTP(t, s, addr, cfg, &s.plaintext)
	}
	cfg.NextProtos = []string{"h2"}
	grpcServer := grpc.NewServer()
	plogotlp.RegisterGRPCServer(grpcServer, s)
	listener := listen(t, addr, cfg, &s.plaintext)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = grpcServer.Serve(listener)
	}()
	stop = sync.OnceFunc(func() { grpcServer.Stop(); <-done })
	t.Cleanup(stop)
	return stop
}

func serveHTTP(t *testing.T, handler http.Handler, addr string, cfg *tls.Config, plaintext *atomic.Int64) (stop func()) {
	t.Helper()
	httpServer := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	listener := listen(t, addr, cfg, plaintext)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = httpServer.Serve(listener)
	}()
	stop = sync.OnceFunc(func() { httpServer.Close(); <-done })
	t.Cleanup(stop)
	return stop
}

// listen returns a listener whose connections are TLS as cfg says, in the clear when cfg is nil, and counted.
func listen(t *testing.T, addr string, cfg *tls.Config, plaintext *atomic.Int64) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	if cfg != nil {
		listener = tls.NewListener(listener, cfg)
	}
	return &countingListener{listener, plaintext}
}

type countingListener struct {
	net.Listener
	plaintext *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{conn, l.plaintext}, nil
}

type countingConn struct {
	net.Conn
	plaintext *atomic.Int64
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.plaintext.Add(int64(n))
	return n, err
}
