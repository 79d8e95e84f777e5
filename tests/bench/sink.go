// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // what the exporters send

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
)

// sink counts what a peer delivers. It runs in the bench's own process, which nobody measures.
type sink interface {
	// lines is how many lines have arrived so far.
	lines() (int64, error)
	// bytes is how many bytes they took, TLS included.
	bytes() int64
	io.Closer
}

// serverTLS is TLS 1.3 that wants a client's certificate of the same authority, for every peer.
func serverTLS(pki string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(pki, "siem.crt"), filepath.Join(pki, "siem.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}

// wire is a listener that counts what its connections receive.
type wire struct {
	net.Listener
	received atomic.Int64
}

// listen returns a listener and the TLS of its server.
func listen(pki string) (*wire, *tls.Config, error) {
	config, err := serverTLS(pki)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", testbed.Loopback(0))
	return &wire{Listener: l}, config, err
}

func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: conn, wire: w}, nil
}

func (w *wire) bytes() int64 { return w.received.Load() }

type wireConn struct {
	net.Conn
	wire *wire
}

func (c *wireConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.received.Add(int64(n))
	return n, err
}

// otlpSink is an OTLP server that counts records, and keeps them or throws them away. Seals are no lines.
type otlpSink struct {
	plogotlp.UnimplementedGRPCServer
	*wire
	server  *grpc.Server
	records atomic.Int64
	last    atomic.Int64 // when the last of them came, Unix nanoseconds

	mu   sync.Mutex
	keep func(plogotlp.ExportRequest) error // called for one request after the other; nil throws them away
}

func newOTLPSink(pki string, keep func(plogotlp.ExportRequest) error) (*otlpSink, error) {
	w, config, err := listen(pki)
	if err != nil {
		return nil, err
	}
	s := &otlpSink{wire: w, keep: keep, server: grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))}
	plogotlp.RegisterGRPCServer(s.server, s)
	go func() { _ = s.server.Serve(w) }() // until Close
	return s, nil
}

func (s *otlpSink) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	n := int64(0)
	for _, rl := range request.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if !seal.IsSeal(lr) {
					n++
				}
			}
		}
	}
	if s.keep != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.keep(request); err != nil {
			return plogotlp.NewExportResponse(), err
		}
	}
	if n > 0 {
		s.last.Store(time.Now().UnixNano())
		s.records.Add(n)
	}
	return plogotlp.NewExportResponse(), nil
}

func (s *otlpSink) lines() (int64, error) { return s.records.Load(), nil }

func (s *otlpSink) Close() error {
	s.server.Stop()
	return nil
}

// lineSink is a TLS server that counts line feeds: syslog messages in RFC 6587's non-transparent framing.
type lineSink struct {
	*wire
	counter lineCounter
}

func newLineSink(pki string) (*lineSink, error) {
	w, config, err := listen(pki)
	if err != nil {
		return nil, err
	}
	s := &lineSink{wire: w}
	go acceptEach(tls.NewListener(w, config), func(conn net.Conn) { _, _ = io.Copy(&s.counter, conn) })
	return s, nil
}

// acceptEach has each connection read until that returns or the connection breaks, which leaves lines out, and those are missed. It returns when
// the listener is closed.
func acceptEach(l net.Listener, read func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			read(conn)
		}()
	}
}

func (s *lineSink) lines() (int64, error) { return s.counter.Load(), nil }

// fileSink counts the lines of a file that a peer writes.
type fileSink struct {
	path    string
	offset  int64
	counter lineCounter
}

func (s *fileSink) lines() (int64, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Seek(s.offset, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.Copy(&s.counter, f)
	s.offset += n
	return s.counter.Load(), err
}

func (s *fileSink) bytes() int64 { return s.offset }

func (s *fileSink) Close() error { return nil }

// lineCounter counts the line feeds that are written to it.
type lineCounter struct{ atomic.Int64 }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.Add(int64(bytes.Count(p, []byte{'\n'})))
	return len(p), nil
}
