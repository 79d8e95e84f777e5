// SPDX-License-Identifier: Apache-2.0

package tlspin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/tlspin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a log record"

// server accepts connections, speaks TLS with cfg (plain TCP when cfg is nil), and keeps all plaintext that arrives.
type server struct {
	addr     string
	received chan []byte
}

func serve(t *testing.T, cfg *tls.Config) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{addr: listener.Addr().String(), received: make(chan []byte, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.handle(conn, cfg)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return s
}

func (s *server) handle(conn net.Conn, cfg *tls.Config) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	stream := conn
	if cfg != nil {
		stream = tls.Server(conn, cfg)
	}
	var all bytes.Buffer
	_, _ = io.Copy(&all, stream)
	s.received <- all.Bytes()
	// What a refused client has sent and nobody reads makes the close a reset, which may overtake the alert.
	_, _ = io.Copy(io.Discard, conn)
}

// deliver connects with cfg and writes the secret, as an exporter would. It returns the state, or the handshake's error.
func (s *server) deliver(t *testing.T, cfg *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	raw, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	defer raw.Close()
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, err
	}
	_, err = conn.Write([]byte(secret))
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())
	return conn.ConnectionState(), nil
}

func apply(t *testing.T, roots *x509.CertPool, policy tlspin.Policy) *tls.Config {
	t.Helper()
	cfg, err := policy.Apply(&tls.Config{RootCAs: roots, ServerName: "localhost"})
	require.NoError(t, err)
	return cfg
}

func pinsOf(certs ...*testpki.Cert) []tlspin.Pin {
	pins := make([]tlspin.Pin, len(certs))
	for i, cert := range certs {
		pins[i] = tlspin.Of(cert.X509)
	}
	return pins
}

func TestChains(t *testing.T) {
	ca := testpki.NewCA("ca")
	intermediate := ca.NewIntermediate("intermediate")
	leaf := intermediate.NewLeaf("siem")
	impostor := intermediate.NewLeaf("impostor") // same authority, same name, other key
	backup := intermediate.NewLeaf("backup")
	selfSigned := testpki.NewSelfSigned("self")
	strangerCA := testpki.NewCA("ca") // same name, other key
	expired := intermediate.Renew(leaf, testpki.Expired())
	misnamed := intermediate.Renew(leaf, testpki.Names("elsewhere.example.com"))

	// A chain that sends a pinned certificate along which verifies nothing: pins count in verified chains only.
	stuffed := impostor.TLS()
	stuffed.Certificate = append(stuffed.Certificate, leaf.X509.Raw)

	for name, tt := range map[string]struct {
		cert   tls.Certificate
		pins   []tlspin.Pin
		reason string // "": accepted
		is     error
	}{
		"leaf pinned":                        {leaf.TLS(), pinsOf(leaf), "", nil},
		"intermediate pinned":                {leaf.TLS(), pinsOf(intermediate), "", nil},
		"intermediate pinned, leaf renewed":  {intermediate.NewLeaf("next").TLS(), pinsOf(intermediate), "", nil},
		"root pinned":                        {leaf.TLS(), pinsOf(ca), "", nil},
		"leaf renewed with its key":          {intermediate.Renew(leaf).TLS(), pinsOf(leaf), "", nil},
		"backup takes over":                  {backup.TLS(), pinsOf(leaf, backup), "", nil},
		"wrong pin, right chain":             {impostor.TLS(), pinsOf(leaf, backup), tlspin.ReasonPin, tlspin.ErrMismatch},
		"pinned certificate stuffed in":      {stuffed, pinsOf(leaf), tlspin.ReasonPin, tlspin.ErrMismatch},
		"right pin, wrong host name":         {misnamed.TLS(), pinsOf(leaf), tlspin.ReasonName, nil},
		"right pin, expired":                 {expired.TLS(), pinsOf(leaf), tlspin.ReasonExpired, nil},
		"right pin, untrusted chain":         {strangerCA.Renew(leaf).TLS(), pinsOf(leaf), tlspin.ReasonUntrusted, nil},
		"self-signed with the pin":           {selfSigned.TLS(), pinsOf(selfSigned), tlspin.ReasonUntrusted, nil},
		"intermediate pinned, expired leaf":  {expired.TLS(), pinsOf(intermediate), tlspin.ReasonExpired, nil},
		"intermediate pinned, misnamed leaf": {misnamed.TLS(), pinsOf(intermediate), tlspin.ReasonName, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}})
			_, err := s.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: tt.pins}))
			assert.Equal(t, tt.reason, tlspin.Reason(err), "%v", err)
			if tt.is != nil {
				assert.ErrorIs(t, err, tt.is)
			}
			if tt.reason == "" {
				assert.Equal(t, secret, string(<-s.received))
			} else {
				assert.Empty(t, <-s.received, "payload reached a refused server")
			}
		})
	}
}

func TestMismatchNamesWhatIsPresented(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	s := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
	_, err := s.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: []tlspin.Pin{{1}}}))
	require.ErrorIs(t, err, tlspin.ErrMismatch)
	assert.Contains(t, err.Error(), tlspin.Of(leaf.X509).String())
	assert.Contains(t, err.Error(), `server "localhost" presents`)
	<-s.received

	byAddress := apply(t, ca.Pool(), tlspin.Policy{Pins: []tlspin.Pin{{1}}})
	byAddress.ServerName = "127.0.0.1"
	_, err = s.deliver(t, byAddress)
	require.ErrorIs(t, err, tlspin.ErrMismatch)
	assert.Contains(t, err.Error(), "127.0.0.1")
	assert.NotContains(t, err.Error(), `""`)
	<-s.received
}

func TestResumedSession(t *testing.T) {
	ca := testpki.NewCA("ca")
	before, after := ca.NewLeaf("before"), ca.NewLeaf("after")
	ticketKey := [32]byte{1}
	old := &tls.Config{Certificates: []tls.Certificate{before.TLS()}}
	old.SetSessionTicketKeys([][32]byte{ticketKey})
	changed := &tls.Config{Certificates: []tls.Certificate{after.TLS()}}
	changed.SetSessionTicketKeys([][32]byte{ticketKey})

	// The same address serves the old key, then the changed one, and would resume sessions of the old.
	var current *tls.Config
	s := serve(t, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current, nil }})
	cache := tls.NewLRUClientSessionCache(8)
	base := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", ClientSessionCache: cache}
	cfg, err := tlspin.Policy{Pins: pinsOf(before)}.Apply(base)
	require.NoError(t, err)
	require.Nil(t, cfg.ClientSessionCache)

	current = old
	_, err = s.deliver(t, cfg)
	require.NoError(t, err)
	require.Equal(t, secret, string(<-s.received))

	current = changed
	_, err = s.deliver(t, cfg)
	require.ErrorIs(t, err, tlspin.ErrMismatch)
	assert.Empty(t, <-s.received)
}

// TestResumedSessionIsRefused puts a cache back in place, so that a session is resumed: the policy must notice.
func TestResumedSessionIsRefused(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	s := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MaxVersion: tls.VersionTLS12})
	cfg := apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf), AllowTLS12: true})
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(8)

	_, err := s.deliver(t, cfg) // TLS 1.2 hands out its ticket within the handshake
	require.NoError(t, err)
	<-s.received
	_, err = s.deliver(t, cfg)
	require.ErrorIs(t, err, tlspin.ErrResumed)
	assert.Empty(t, <-s.received)
}

func TestVersion(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	s := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MaxVersion: tls.VersionTLS12})

	_, err := s.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf)}))
	assert.Equal(t, tlspin.ReasonVersion, tlspin.Reason(err), "%v", err)
	assert.Empty(t, <-s.received)

	state, err := s.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf), AllowTLS12: true}))
	require.NoError(t, err)
	assert.Equal(t, uint16(tls.VersionTLS12), state.Version)
	assert.Equal(t, secret, string(<-s.received))

	old := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	_, err = old.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf), AllowTLS12: true}))
	assert.Equal(t, tlspin.ReasonVersion, tlspin.Reason(err), "%v", err)
	assert.Empty(t, <-old.received)
}

func TestKeyExchange(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	hybrid := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
	classic := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}, CurvePreferences: []tls.CurveID{tls.X25519}})

	state, err := hybrid.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf)}))
	require.NoError(t, err)
	assert.True(t, tlspin.IsPostQuantum(state.CurveID), "hybrid is preferred without being asked for, got %s", state.CurveID)
	<-hybrid.received

	state, err = classic.deliver(t, apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf)}))
	require.NoError(t, err)
	assert.Equal(t, tls.X25519, state.CurveID)
	<-classic.received

	required := apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf), RequirePostQuantum: true, AllowTLS12: true})
	_, err = hybrid.deliver(t, required)
	require.NoError(t, err)
	<-hybrid.received
	_, err = classic.deliver(t, required)
	assert.Equal(t, tlspin.ReasonGroup, tlspin.Reason(err), "%v", err)
	assert.Empty(t, <-classic.received)

	// Somebody lowers the preferences after the policy was applied: the session itself is looked at.
	required.CurvePreferences = []tls.CurveID{tls.X25519}
	_, err = classic.deliver(t, required)
	require.ErrorIs(t, err, tlspin.ErrGroup)
	assert.Empty(t, <-classic.received)
}

func TestNotTLS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = conn.Write([]byte("220 mail.example.com ESMTP\r\n"))
			_, _ = io.Copy(io.Discard, conn) // what is not read makes the close a reset, which may overtake the greeting
			_ = conn.Close()
		}
	}()
	s := &server{addr: listener.Addr().String()}
	_, err = s.deliver(t, apply(t, nil, tlspin.Policy{Pins: []tlspin.Pin{{1}}}))
	assert.Equal(t, tlspin.ReasonNotTLS, tlspin.Reason(err), "%v", err)
}

func TestSilence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	raw, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer raw.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = tls.Client(raw, apply(t, nil, tlspin.Policy{Pins: []tlspin.Pin{{1}}})).HandshakeContext(ctx)
	assert.Equal(t, tlspin.ReasonTimeout, tlspin.Reason(err), "%v", err)
}

func TestClientCertificateRefused(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	stranger := testpki.NewCA("stranger").NewLeaf("agent")
	expired := ca.NewLeaf("agent", testpki.Expired())
	for name, certs := range map[string][]tls.Certificate{
		"missing":  nil,
		"other CA": {stranger.TLS()},
		"expired":  {expired.TLS()},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &tls.Config{
				Certificates: []tls.Certificate{leaf.TLS()},
				ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
			})
			cfg := apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf)})
			if certs != nil {
				cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certs[0], nil }
			}
			// In TLS 1.3 the client is done before the server has judged it: the refusal arrives with the first read.
			raw, err := net.Dial("tcp", s.addr)
			require.NoError(t, err)
			defer raw.Close()
			_, err = tls.Client(raw, cfg).Read(make([]byte, 1))
			assert.Equal(t, tlspin.ReasonClientCert, tlspin.Reason(err), "%v", err)
			raw.Close()
			assert.Empty(t, <-s.received)
		})
	}
}

func TestApplyRefusesContradictions(t *testing.T) {
	pins := []tlspin.Pin{{1}}
	for name, tt := range map[string]struct {
		policy tlspin.Policy
		base   *tls.Config
		want   string
	}{
		"no pins":              {tlspin.Policy{}, &tls.Config{}, "no pins"},
		"no verification":      {tlspin.Policy{Pins: pins}, &tls.Config{InsecureSkipVerify: true}, "InsecureSkipVerify"},
		"maximum below floor":  {tlspin.Policy{Pins: pins}, &tls.Config{MaxVersion: tls.VersionTLS12}, "below the policy's minimum"},
		"no hybrid preference": {tlspin.Policy{Pins: pins, RequirePostQuantum: true}, &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, "post-quantum"},
		"hybrid needs 1.3":     {tlspin.Policy{Pins: pins, RequirePostQuantum: true, AllowTLS12: true}, &tls.Config{MaxVersion: tls.VersionTLS12}, "below the policy's minimum"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.policy.Apply(tt.base)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

func TestApplyKeepsTheCallersVerification(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	s := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
	called := false
	base := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", VerifyConnection: func(tls.ConnectionState) error {
		called = true
		return nil
	}}
	cfg, err := tlspin.Policy{Pins: pinsOf(leaf)}.Apply(base)
	require.NoError(t, err)
	_, err = s.deliver(t, cfg)
	require.NoError(t, err)
	<-s.received
	assert.True(t, called)
	assert.Zero(t, base.MinVersion, "the caller's configuration is left as it was")
}

// TestObserve: what Apply would refuse is told and goes on; what crypto/tls refuses is refused.
func TestObserve(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf, other := ca.NewLeaf("siem"), ca.NewLeaf("other")
	for name, tt := range map[string]struct {
		cert       *testpki.Cert
		maxVersion uint16
		breach     error // told, and let through
		reason     string
	}{
		"the pinned key": {cert: leaf},
		"another key":    {cert: other, breach: tlspin.ErrMismatch},
		"an old version": {cert: leaf, maxVersion: tls.VersionTLS12, breach: tlspin.ErrVersion},
		"not verified":   {cert: testpki.NewCA("stranger").Renew(leaf), reason: tlspin.ReasonUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &tls.Config{Certificates: []tls.Certificate{tt.cert.TLS()}, MaxVersion: tt.maxVersion})
			var breaches []error
			base := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
			cfg, err := tlspin.Policy{Pins: pinsOf(leaf)}.Observe(base, func(state tls.ConnectionState, err error) {
				assert.NotEmpty(t, state.VerifiedChains)
				breaches = append(breaches, err)
			})
			require.NoError(t, err)
			for range 2 { // the second would resume the session of the first
				_, err = s.deliver(t, cfg)
				assert.Equal(t, tt.reason, tlspin.Reason(err), "%v", err)
				if tt.reason == "" {
					assert.Equal(t, secret, string(<-s.received))
				} else {
					assert.Empty(t, <-s.received)
				}
			}
			if tt.breach == nil {
				assert.Empty(t, breaches)
				return
			}
			require.Len(t, breaches, 2)
			for _, breach := range breaches {
				assert.ErrorIs(t, breach, tt.breach)
			}
		})
	}
	_, err := tlspin.Policy{}.Observe(&tls.Config{}, nil)
	require.ErrorContains(t, err, "no pins")
	_, err = tlspin.Policy{Pins: pinsOf(leaf)}.Observe(&tls.Config{InsecureSkipVerify: true}, nil)
	require.ErrorContains(t, err, "InsecureSkipVerify")
}

// TestRefusedServerSeesNoCertificate: who is not the pinned party does not learn who we are either.
func TestRefusedServerSeesNoCertificate(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf, other, agent := ca.NewLeaf("siem"), ca.NewLeaf("other"), ca.NewLeaf("agent")
	for version, name := range map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"} {
		for _, cert := range []*testpki.Cert{leaf, other} {
			t.Run(name+" "+cert.X509.Subject.CommonName, func(t *testing.T) {
				shown := make(chan int, 1)
				s := serve(t, &tls.Config{
					Certificates: []tls.Certificate{cert.TLS()}, MaxVersion: version, ClientAuth: tls.RequestClientCert,
					VerifyConnection: func(state tls.ConnectionState) error { shown <- len(state.PeerCertificates); return nil },
				})
				cfg := apply(t, ca.Pool(), tlspin.Policy{Pins: pinsOf(leaf), AllowTLS12: true})
				cfg.Certificates = []tls.Certificate{agent.TLS()}
				_, err := s.deliver(t, cfg)
				<-s.received
				if cert == leaf {
					require.NoError(t, err)
					assert.Equal(t, 1, <-shown, "shows that the test would see one")
					return
				}
				require.ErrorIs(t, err, tlspin.ErrMismatch)
				assert.Empty(t, shown, "the server came to no end of the handshake")
			})
		}
	}
}
