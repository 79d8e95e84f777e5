// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/logseal/logseal/receiver/internal/listenerr"
)

type udpConfig = udp.BaseConfig

const (
	maxDatagram      = 64 << 10
	udpQueue         = 1000    // datagrams that wait for the pipeline
	udpReceiveBuffer = 4 << 20 // bytes that wait in the kernel, if it allows
	acceptRetry      = 100 * time.Millisecond

	// defaultMaxConnections bounds what senders can make the process hold: a connection holds 64 KiB, and up to max_log_size
	// while a message of that size comes.
	defaultMaxConnections = 1000
)

func transport(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("transport", name))
}

// listenTCP accepts connections until the stop that it returns.
func (in *input) listenTCP(listening, emitting context.Context) (stop func(), err error) {
	listener, err := net.Listen("tcp", in.tcp.ListenAddress)
	if err != nil {
		return nil, listenerr.Explain("tcp.listen_address", err)
	}
	if in.tcp.TLS != nil {
		if in.tls, err = in.newTLSServer(*in.tcp.TLS); err != nil {
			_ = listener.Close()
			return nil, err
		}
	}
	var mu sync.Mutex
	open := map[net.Conn]struct{}{}
	in.wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // too many open files, mostly
				in.health.set(accepting, fmt.Errorf("no connection can be accepted: %w", err))
				select {
				case <-listening.Done():
					return
				case <-time.After(acceptRetry):
				}
				continue
			}
			in.health.set(accepting, nil)
			mu.Lock()
			full := len(open) >= in.maxConnections
			if !full {
				open[conn] = struct{}{}
			}
			mu.Unlock()
			if full {
				in.health.set(room, fmt.Errorf("senders are refused: tcp.max_connections, %d, are open", in.maxConnections))
				in.report.full(host(conn.RemoteAddr()))
				_ = conn.Close()
				continue
			}
			in.wg.Go(func() {
				in.serve(listening, emitting, conn)
				mu.Lock()
				delete(open, conn)
				mu.Unlock()
				in.health.set(room, nil)
			})
		}
	})
	return func() {
		_ = listener.Close()
		mu.Lock()
		defer mu.Unlock()
		for conn := range open {
			_ = conn.SetReadDeadline(time.Now().Add(drainTime))
		}
	}, nil
}

// serve reads a connection until it ends.
func (in *input) serve(listening, emitting context.Context, conn net.Conn) {
	defer conn.Close()
	src := &source{transport: "tcp", peer: host(conn.RemoteAddr()), attributes: in.addresses("IP.TCP", conn.RemoteAddr(), conn.LocalAddr())}
	var stream io.Reader = conn
	if in.tls != nil {
		secure, err := in.tls.Handshake(listening, conn)
		if err != nil {
			return // the server's events have told
		}
		defer secure.Close()
		stream = secure
	}
	f := newFramer(&idleReader{Reader: stream, conn: conn, timeout: in.tcp.ConnectionIdleTimeout, listening: listening}, in.maxMessage, in.nul)
	var b batch
	for {
		m, err := f.next()
		if err != nil {
			in.emit(emitting, &b)
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
				in.report.broken(src.peer, err)
			}
			return
		}
		in.add(emitting, &b, src, m)
		if b.full() || !f.ready() {
			in.emit(emitting, &b)
		}
	}
}

// idleReader ends a connection on which nothing arrives for a time: the timeout or, after the stop, the time to drain it.
type idleReader struct {
	io.Reader
	conn      net.Conn
	timeout   time.Duration
	listening context.Context
	drainBy   time.Time // set by the first read after the stop
}

func (r *idleReader) Read(b []byte) (int, error) {
	now := time.Now()
	switch {
	case r.listening.Err() != nil:
		if r.drainBy.IsZero() {
			r.drainBy = now.Add(drainAtMost)
		}
		deadline := now.Add(drainTime)
		if deadline.After(r.drainBy) {
			deadline = r.drainBy
		}
		_ = r.conn.SetReadDeadline(deadline)
	case r.timeout > 0:
		_ = r.conn.SetReadDeadline(now.Add(r.timeout))
	}
	return r.Reader.Read(b)
}

// listenUDP reads datagrams until the stop that it returns.
func (in *input) listenUDP(listening, emitting context.Context) (stop func(), err error) {
	address, err := net.ResolveUDPAddr("udp", in.udp.ListenAddress)
	if err != nil {
		return nil, fmt.Errorf("udp.listen_address: %w", err)
	}
	conn, err := net.ListenUDP("udp", address)
	if err != nil {
		return nil, listenerr.Explain("udp.listen_address", err)
	}
	_ = conn.SetReadBuffer(udpReceiveBuffer) // the kernel's bound may be lower
	type datagram struct {
		data []byte
		from *net.UDPAddr
	}
	queue := make(chan datagram, udpQueue)
	in.wg.Go(func() {
		defer close(queue)
		defer conn.Close()
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
					return
				}
				in.health.set(accepting, fmt.Errorf("no datagram can be read: %w", err))
				select {
				case <-listening.Done():
					return
				case <-time.After(acceptRetry):
				}
				continue
			}
			in.health.set(accepting, nil)
			queue <- datagram{append([]byte(nil), trimTrailer(buf[:n])...), from}
		}
	})
	in.wg.Go(func() {
		var b batch
		for d := range queue {
			if len(d.data) > 0 {
				src := &source{transport: "udp", peer: host(d.from), attributes: in.addresses("IP.UDP", d.from, conn.LocalAddr())}
				in.add(emitting, &b, src, frame{data: d.data, last: true})
			}
			if b.full() || len(queue) == 0 {
				in.emit(emitting, &b)
			}
		}
		in.emit(emitting, &b)
	})
	return func() { _ = conn.SetReadDeadline(time.Now().Add(drainTime)) }, nil
}

// addresses are the attributes of add_attributes, as the stock receiver has them.
func (in *input) addresses(transport string, peer, own net.Addr) map[string]any {
	if in.resolver == nil {
		return nil
	}
	attributes := map[string]any{"net.transport": transport}
	for prefix, addr := range map[string]net.Addr{"net.peer.": peer, "net.host.": own} {
		ip, port := addrPort(addr)
		attributes[prefix+"ip"] = ip
		attributes[prefix+"port"] = strconv.Itoa(port)
		attributes[prefix+"name"] = in.resolver.GetHostFromIP(ip)
	}
	return attributes
}

func addrPort(addr net.Addr) (ip string, port int) {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.String(), a.Port
	case *net.UDPAddr:
		return a.IP.String(), a.Port
	}
	return addr.String(), 0
}

func host(addr net.Addr) string {
	ip, _ := addrPort(addr)
	return ip
}
