// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Middle is a man in the middle of two collectors who has the keys of both: the sender takes him for the receiver, and the receiver for
// the sender. He reads and writes OTLP over gRPC, which is a POST of HTTP/2 with a length before the message.
type Middle struct {
	listener net.Listener
	server   *http.Server
	client   *Client
	done     chan struct{}

	mu     sync.Mutex
	change func(plog.Logs) []plog.Logs
	cut    chan struct{} // closed when the line that is cut is whole again; nil while it is
}

// maxMessage bounds a request, as the shipped configurations do.
const maxMessage = 8 << 20

// GRPC statuses.
const (
	grpcOK          = "0"
	grpcUnavailable = "14"
)

// NewMiddle starts a man in the middle, who passes everything on as it is until Do, and has the sender send to him from its next start
// on.
func (s *Site) NewMiddle(sender, receiver *Collector) (*Middle, error) {
	server, err := tls.LoadX509KeyPair(receiver.Env["LOGSEAL_SERVER_CERT_FILE"], receiver.Env["LOGSEAL_SERVER_KEY_FILE"])
	if err != nil {
		return nil, err
	}
	client, err := s.NewClient(sender.Env["LOGSEAL_CERT_FILE"], sender.Env["LOGSEAL_KEY_FILE"], sender.Env["LOGSEAL_SIEM_ENDPOINT"])
	if err != nil {
		return nil, err
	}
	roots, err := s.PKI.roots()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", Loopback(0))
	if err != nil {
		return nil, err
	}
	m := &Middle{listener: listener, client: client, done: make(chan struct{})}
	m.server = &http.Server{ //nolint:gosec // for demonstration and tests, on the loopback interface
		Handler: m,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
			NextProtos: []string{"h2"},
		},
	}
	go func() {
		defer close(m.done)
		_ = m.server.ServeTLS(listener, "", "")
	}()
	sender.Env["LOGSEAL_SIEM_ENDPOINT"] = listener.Addr().String()
	return m, nil
}

// Do sets what becomes of each request from now on: it is replaced by those that change returns, in their order. The sender is told that
// it was taken. Calls of change do not overlap; what it returns of requests that come at one time does, on its way to the receiver. A
// request that the receiver does not take comes again.
func (m *Middle) Do(change func(plog.Logs) []plog.Logs) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.change = change
}

// Cut keeps requests from coming through, and answers from coming back, until mend is called.
func (m *Middle) Cut() (mend func()) {
	cut := make(chan struct{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cut = cut
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.cut = nil
		close(cut)
	}
}

// Close ends him.
func (m *Middle) Close() error {
	err := m.server.Close()
	<-m.done
	m.client.Close()
	return err
}

// ServeHTTP takes a request of the sender, and sends what becomes of it.
func (m *Middle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := grpcOK
	if err := m.pass(r); err != nil {
		status = grpcUnavailable // it is sent again
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = w.Write(make([]byte, 5)) // an empty message
	w.Header().Set("Grpc-Status", status)
}

func (m *Middle) pass(r *http.Request) error {
	logs, err := readMessage(r.Body)
	if err != nil {
		return err
	}
	list, cut := m.become(logs)
	if cut != nil {
		select {
		case <-cut:
		case <-r.Context().Done():
		}
		return errCut
	}
	for _, logs := range list {
		if err := m.Send(r.Context(), logs); err != nil {
			return err
		}
	}
	return nil
}

var errCut = errors.New("the line was cut")

// become returns what becomes of a request, or when the line is whole again that is cut.
func (m *Middle) become(logs plog.Logs) (list []plog.Logs, cut chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.cut != nil:
		return nil, m.cut
	case m.change != nil:
		return m.change(logs), nil
	}
	return []plog.Logs{logs}, nil
}

// readMessage reads a gRPC message: a byte that says whether it is compressed, its length, and the request.
func readMessage(r io.Reader) (plog.Logs, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return plog.Logs{}, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxMessage {
		return plog.Logs{}, errors.New("a message that is too large")
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(r, message); err != nil {
		return plog.Logs{}, err
	}
	if head[0] == 1 {
		unpacked, err := gzip.NewReader(bytes.NewReader(message))
		if err != nil {
			return plog.Logs{}, err
		}
		if message, err = io.ReadAll(io.LimitReader(unpacked, maxMessage)); err != nil {
			return plog.Logs{}, err
		}
	}
	return (&plog.ProtoUnmarshaler{}).UnmarshalLogs(message)
}

// Send sends a request of his own to the receiver, in the sender's name.
func (m *Middle) Send(ctx context.Context, logs plog.Logs) error {
	message, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return err
	}
	return m.client.Export(ctx, Message(message, false))
}
