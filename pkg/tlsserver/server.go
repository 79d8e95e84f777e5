// SPDX-License-Identifier: Apache-2.0

// Package tlsserver is the server's side of mutual TLS for a process that runs for months: certificate, key and client
// authorities are those that lie on disk, with a delay of seconds; a connection lasts no longer than what it was
// admitted by; and a client that is refused leaves a trace.
//
// [New] is the way in. [Server.Handshake] takes one connection, [Server.Listener] all of a listener. [Reason] names in a
// word that fits a metric why a handshake failed.
//
// The package knows crypto/tls and nothing of gRPC, HTTP or the collector.
package tlsserver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// PollInterval is how often the files are read and the open connections looked at. The files are read rather than
// watched: Kubernetes replaces them by swinging a symbolic link two directories up, which a watch on a file does not see.
const PollInterval = 5 * time.Second

// handshakeTimeout bounds a handshake. One with an agent takes milliseconds.
const handshakeTimeout = 10 * time.Second

// After a refusal the client's last words are read, within these bounds.
const (
	lingerTimeout = time.Second
	lingerBytes   = 64 << 10
)

// Files names the PEM files behind a configuration; "" where there is none.
type Files struct {
	Cert, Key, ClientCA string
}

// Events are called as things happen, from several goroutines. None may be nil.
type Events struct {
	// Refused is called for each handshake that failed; reason is one of the Reason constants.
	Refused func(peer net.Addr, reason string, err error)
	// Closed is called for each connection that was ended because what it was admitted by holds no longer; reason is
	// ReasonExpired or ReasonUntrusted.
	Closed func(peer net.Addr, reason string)
	// Loaded is called when files changed: with nil when they are in use now, with an error when they cannot be used and
	// the old ones stay. The same error is told once.
	Loaded func(err error)
}

// Server hands out TLS connections. Make one with [New], and [Server.Close] it.
type Server struct {
	load   func() (*tls.Config, error)
	files  Files
	events Events

	mu      sync.Mutex
	current *tls.Config    // never changed, only replaced
	roots   *x509.CertPool // the client authorities of current; nil when clients are not asked for a certificate
	expiry  time.Time      // of the certificate shown
	stale   bool           // the files on disk cannot be used
	conns   map[*conn]struct{}

	stop, done chan struct{}
}

// New returns a server that shows and trusts what load returns, now and again whenever one of the files changes. When
// load fails later, because a certificate and its key are not replaced in the same instant for example, the old
// configuration stays.
//
// A ClientAuth of tls.RequireAndVerifyClientCert is honoured; the chains are verified here, so that a client is not told
// which authorities would do: it would keep a certificate of another one back, and nobody could tell why it was refused.
func New(load func() (*tls.Config, error), files Files, events Events) (*Server, error) {
	return newServer(load, files, events, PollInterval)
}

func newServer(load func() (*tls.Config, error), files Files, events Events, every time.Duration) (*Server, error) {
	s := &Server{
		load: load, files: files, events: events,
		conns: map[*conn]struct{}{}, stop: make(chan struct{}), done: make(chan struct{}),
	}
	before := s.fingerprint()
	loaded, err := s.read()
	if err != nil {
		return nil, err
	}
	s.replace(loaded)
	go s.follow(before, every)
	return s, nil
}

// Close ends the watch over files and connections. Connections stay open.
func (s *Server) Close() {
	close(s.stop)
	<-s.done
}

// CertificateExpiry returns the end of validity of the certificate that is shown.
func (s *Server) CertificateExpiry() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expiry
}

// Stale reports whether the files on disk cannot be used, so that older ones are.
func (s *Server) Stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stale
}

// Handshake does the server's side of a handshake on raw, and closes raw when it fails. [PeerChain] tells of the connection
// who the client is.
func (s *Server) Handshake(ctx context.Context, raw net.Conn) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	c := &conn{Conn: raw, server: s}
	s.mu.Lock()
	cfg, roots := s.current, s.roots
	s.mu.Unlock()

	if roots != nil {
		cfg = cfg.Clone()
		next := cfg.VerifyConnection
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			if err := c.verify(state.PeerCertificates, roots, time.Now()); err != nil {
				return err
			}
			if next != nil {
				return next(state)
			}
			return nil
		}
	}
	secured := tls.Server(c, cfg)
	err := secured.HandshakeContext(ctx)
	if err == nil {
		err = s.admit(c, roots)
	}
	if err != nil {
		linger(raw)
		s.events.Refused(raw.RemoteAddr(), Reason(err), err)
		return nil, err
	}
	return secured, nil
}

// admit takes the connection into the watch. roots are those that admitted it: they may have been replaced meanwhile.
func (s *Server) admit(c *conn, roots *x509.CertPool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.roots != nil && s.roots != roots {
		if err := c.verify(c.presented, s.roots, time.Now()); err != nil {
			return err
		}
	}
	s.conns[c] = struct{}{}
	return nil
}

// linger closes a connection after a refusal, so that the client learns of it: closing at once, with something of the
// client's unread, would reset the connection, and the alert could be lost with it.
func linger(raw net.Conn) {
	if half, ok := raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = raw.SetReadDeadline(time.Now().Add(lingerTimeout))
		_, _ = io.CopyN(io.Discard, raw, lingerBytes)
	}
	_ = raw.Close()
}

// conn is a connection under watch.
type conn struct {
	net.Conn
	server *Server

	// What the client was admitted by; empty when clients are not asked for a certificate. Guarded by the server's mutex
	// once the connection is admitted.
	presented, chain []*x509.Certificate
	roots            *x509.CertPool
	expiry           time.Time
}

// verify admits the client by one of roots, or says why not. Of what it presented only the leaf is its own; the others help
// to find the way, and are never trusted.
func (c *conn) verify(presented []*x509.Certificate, roots *x509.CertPool, now time.Time) error {
	if len(presented) == 0 {
		return errNoCertificate
	}
	intermediates := x509.NewCertPool()
	for _, cert := range presented[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := presented[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	c.presented, c.chain, c.roots = presented, chains[0], roots
	c.expiry = chains[0][0].NotAfter
	for _, cert := range chains[0][1:] {
		if cert.NotAfter.Before(c.expiry) {
			c.expiry = cert.NotAfter
		}
	}
	return nil
}

// Close ends the connection.
func (c *conn) Close() error {
	c.server.mu.Lock()
	delete(c.server.conns, c)
	c.server.mu.Unlock()
	return c.Conn.Close()
}

// PeerChain returns the client's verified chain, leaf first, of a connection that came from a [Server]; nil when it came
// from elsewhere, or the client was not asked for a certificate.
func PeerChain(c net.Conn) []*x509.Certificate {
	secured, ok := c.(*tls.Conn)
	if !ok {
		return nil
	}
	watched, ok := secured.NetConn().(*conn)
	if !ok {
		return nil
	}
	watched.server.mu.Lock()
	defer watched.server.mu.Unlock()
	return watched.chain
}

func (s *Server) follow(seen [sha256.Size]byte, every time.Duration) {
	defer close(s.done)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	complaint := ""
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		if current := s.fingerprint(); current != seen || complaint != "" {
			loaded, err := s.read()
			if err == nil && s.fingerprint() != current {
				continue // written while they were read: the next look tells
			}
			if err == nil && expired(loaded, time.Now()) && !s.CertificateExpiry().Before(time.Now()) {
				err = fmt.Errorf("the certificate in %s expired, and the one in use did not", s.files.Cert)
			}
			switch {
			case err != nil && err.Error() != complaint:
				complaint = err.Error()
				s.setStale(true)
				s.events.Loaded(err)
			case err == nil:
				seen, complaint = current, ""
				s.replace(loaded)
				s.events.Loaded(nil)
			}
		}
		s.closeInvalid(time.Now())
	}
}

// read loads a configuration and makes it ours.
func (s *Server) read() (*tls.Config, error) {
	if s.files.ClientCA != "" {
		// crypto/x509 passes over what it cannot read, and half a file would withdraw authorities.
		if err := checkBundle(s.files.ClientCA); err != nil {
			return nil, err
		}
	}
	loaded, err := s.load()
	if err != nil {
		return nil, err
	}
	loaded = loaded.Clone()
	// A ticket admits a client without a look at its certificate.
	loaded.SessionTicketsDisabled = true
	return loaded, nil
}

// replace takes a configuration into use.
func (s *Server) replace(loaded *tls.Config) {
	var roots *x509.CertPool
	if loaded.ClientAuth == tls.RequireAndVerifyClientCert {
		roots = loaded.ClientCAs
		if roots == nil {
			roots = x509.NewCertPool() // nobody; nil would mean the system's authorities
		}
		loaded.ClientAuth, loaded.ClientCAs = tls.RequireAnyClientCert, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.roots, s.stale = loaded, roots, false
	s.expiry = notAfter(loaded)
}

func (s *Server) setStale(stale bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = stale
}

// closeInvalid ends the connections whose client would not be admitted any more.
func (s *Server) closeInvalid(now time.Time) {
	s.mu.Lock()
	var ended []*conn
	var why []error
	if s.roots != nil {
		for c := range s.conns {
			if c.roots == s.roots && now.Before(c.expiry) {
				continue
			}
			if err := c.verify(c.presented, s.roots, now); err != nil {
				ended, why = append(ended, c), append(why, err)
			}
		}
	}
	s.mu.Unlock()
	for i, c := range ended {
		_ = c.Close()
		s.events.Closed(c.RemoteAddr(), Reason(why[i]))
	}
}

// fingerprint returns a digest of the files' contents. A file that cannot be read counts as one that is empty.
func (s *Server) fingerprint() [sha256.Size]byte {
	digest := sha256.New()
	for _, file := range []string{s.files.Cert, s.files.Key, s.files.ClientCA} {
		content, _ := os.ReadFile(file)
		each := sha256.Sum256(content)
		digest.Write(each[:])
	}
	return [sha256.Size]byte(digest.Sum(nil))
}

// checkBundle reports what is wrong with a file of authorities.
func checkBundle(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	certificates := 0
	block, rest := pem.Decode(content)
	for ; block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificates++
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("%s: certificate %d: %w", path, certificates, err)
		}
	}
	if hasBegin(rest) {
		return fmt.Errorf("%s: what follows certificate %d cannot be read; the file may be cut off", path, certificates)
	}
	if certificates == 0 {
		return fmt.Errorf("%s: no PEM block of type CERTIFICATE", path)
	}
	return nil
}

// notAfter returns the end of validity of the certificate that a configuration shows, zero when it cannot be told.
func notAfter(cfg *tls.Config) time.Time {
	var shown *tls.Certificate
	switch {
	case len(cfg.Certificates) > 0:
		shown = &cfg.Certificates[0]
	case cfg.GetCertificate != nil:
		shown, _ = cfg.GetCertificate(&tls.ClientHelloInfo{})
	}
	if shown == nil || len(shown.Certificate) == 0 {
		return time.Time{}
	}
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

func expired(cfg *tls.Config, now time.Time) bool {
	end := notAfter(cfg)
	return !end.IsZero() && end.Before(now)
}

var errNoCertificate = errors.New("the client showed no certificate")
