// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// exportPath is the method that takes logs.
const exportPath = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// Client sends OTLP over gRPC to one server: a POST of HTTP/2 with a length before the message. It sends what is encoded already, and so
// costs next to nothing.
type Client struct {
	http   *http.Client
	target string
}

// NewClient returns a client of the server at addr that shows a certificate of the site's authority, given by its files.
func (s *Site) NewClient(certFile, keyFile, addr string) (*Client, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	roots, err := s.PKI.roots()
	if err != nil {
		return nil, err
	}
	return &Client{target: "https://" + addr, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{cert}},
		ForceAttemptHTTP2: true,
	}}}, nil
}

// roots is the authority's certificate as a pool.
func (p *PKI) roots() (*x509.CertPool, error) {
	ca, err := os.ReadFile(p.CAFile())
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return pool, nil
}

// Message frames a request as gRPC does, an ExportLogsServiceRequest in protobuf or the same in gzip.
func Message(request []byte, gzipped bool) []byte {
	head := []byte{0}
	if gzipped {
		head[0] = 1
	}
	return append(binary.BigEndian.AppendUint32(head, uint32(len(request))), request...)
}

// Export sends a message and returns once the server has taken it.
func (c *Client) Export(ctx context.Context, message []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.target+exportPath, bytes.NewReader(message))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Grpc-Encoding", "gzip") // of messages that say so
	request.Header.Set("TE", "trailers")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	status := response.Trailer.Get("Grpc-Status")
	if status == "" { // an answer without a message
		status = response.Header.Get("Grpc-Status")
	}
	if status != grpcOK {
		return fmt.Errorf("the receiver answers with gRPC status %q", status)
	}
	return nil
}

// Close closes its connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
