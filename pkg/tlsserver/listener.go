// SPDX-License-Identifier: Apache-2.0

package tlsserver

import (
	"context"
	"net"
	"sync"
)

// Listener returns a listener that accepts from inner, and hands out the connections whose handshake went well. Each
// handshake has a goroutine of its own: a client that says nothing holds no other one up. Close closes inner and waits
// for them.
func (s *Server) Listener(inner net.Listener) net.Listener {
	ctx, cancel := context.WithCancel(context.Background())
	l := &listener{Listener: inner, server: s, ctx: ctx, cancel: cancel, ready: make(chan accepted)}
	l.work.Go(l.run)
	return l
}

type accepted struct {
	conn net.Conn
	err  error
}

type listener struct {
	net.Listener
	server *Server
	ctx    context.Context //nolint:containedctx // that of the handshakes under way, ended by Close
	cancel context.CancelFunc
	ready  chan accepted
	work   sync.WaitGroup
}

func (l *listener) run() {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			select {
			case l.ready <- accepted{err: err}:
			case <-l.ctx.Done():
				return
			}
			continue // the caller decides whether to go on
		}
		l.work.Go(func() {
			secured, err := l.server.Handshake(l.ctx, raw)
			if err != nil {
				return
			}
			select {
			case l.ready <- accepted{conn: secured}:
			case <-l.ctx.Done():
				_ = secured.Close()
			}
		})
	}
}

// Accept returns the next connection, a *tls.Conn.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close ends the listener and the handshakes under way.
func (l *listener) Close() error {
	l.cancel()
	err := l.Listener.Close()
	l.work.Wait()
	return err
}
