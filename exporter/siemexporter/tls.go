// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/config/configtls"

	"github.com/logseal/logseal/pkg/tlspin"
)

// newPolicy returns what the configuration demands of a server with these pins.
func newPolicy(cfg *Config, pins []string) (tlspin.Policy, error) {
	parsed, err := tlspin.ParseAll("pins", pins)
	if err != nil {
		return tlspin.Policy{}, err
	}
	return tlspin.Policy{
		Pins:               parsed,
		AllowTLS12:         cfg.tls().MinVersion == "1.2",
		RequirePostQuantum: cfg.RequirePostQuantum,
	}, nil
}

// loadTLS reads the certificates and keys that the configuration names and puts the policy on top.
func loadTLS(ctx context.Context, cfg configtls.ClientConfig, policy tlspin.Policy) (*tls.Config, error) {
	loaded, err := reloadedByUs(cfg).LoadTLSConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	if loaded == nil {
		return nil, errors.New("tls.insecure would send logs in the clear; remove it")
	}
	return applyPolicy(loaded, len(cfg.CurvePreferences) == 0, policy)
}

// reloadedByUs switches off configtls's own reloading, which knows the certificate and key only, and fails a handshake
// when it finds the two half replaced. See renew.go.
func reloadedByUs(cfg configtls.ClientConfig) configtls.ClientConfig {
	cfg.ReloadInterval = 0
	return cfg
}

// applyPolicy puts the policy on top of a loaded configuration. configtls lists its groups in the random order of a map
// and without the newer hybrids; when the operator wrote no preference, that of crypto/tls is taken, which prefers the
// hybrid post-quantum groups.
func applyPolicy(loaded *tls.Config, preferGoGroups bool, policy tlspin.Policy) (*tls.Config, error) {
	if preferGoGroups {
		loaded.CurvePreferences = nil
	}
	pinned, err := policy.Apply(loaded)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return pinned, nil
}

// handshakeWatch keeps how the last handshake with an endpoint went.
type handshakeWatch struct {
	endpoint  string
	telemetry *telemetry

	mu     sync.Mutex
	last   *refusal  // nil once a server was heard that passed every check and took our certificate
	expiry time.Time // of the first certificate of the chain to expire; zero before the first connection
	// asks: the server asked for our certificate.
	asks atomic.Bool
	// until is when the first of the connections made since the last renewal has to end, because a certificate expires that it
	// rests on, the server's or our own; zero when there is none.
	until time.Time
}

// passed is called when a handshake went well on our side. In TLS 1.3 the server has not judged our certificate yet: see
// heard.
func (w *handshakeWatch) passed(state *tls.ConnectionState, own time.Time) {
	w.telemetry.connected(w.endpoint, state)
	var first time.Time
	if len(state.VerifiedChains) > 0 {
		first = earliest(state.VerifiedChains[0])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expiry = first
	for _, end := range []time.Time{first, own} {
		if !end.IsZero() && (w.until.IsZero() || end.Before(w.until)) {
			w.until = end
		}
	}
}

// heard is called when the server has said something after a handshake that passed: it took our certificate.
func (w *handshakeWatch) heard() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = nil
}

// expired tells, once, that connections rest on a certificate that has expired: they are to be made anew.
func (w *handshakeWatch) expired(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.until.IsZero() || now.Before(w.until) {
		return false
	}
	w.until = time.Time{}
	return true
}

// untrusted tells whether the last one who answered at the endpoint was not the pinned party.
func (w *handshakeWatch) untrusted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last != nil && somebodyElse[w.last.cause]
}

// somebodyElse are the causes that are no outage: a server answers, and it is another one.
var somebodyElse = map[string]bool{
	"handshake_" + tlspin.ReasonPin:       true,
	"handshake_" + tlspin.ReasonUntrusted: true,
	"handshake_" + tlspin.ReasonName:      true,
}

// noteRequests lets the watch know of servers that ask for our certificate.
func (w *handshakeWatch) noteRequests(cfg *tls.Config) {
	shown := cfg.GetClientCertificate
	cfg.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		w.asks.Store(true)
		if shown == nil {
			return new(tls.Certificate), nil // none
		}
		return shown(request)
	}
}

func earliest(chain []*x509.Certificate) (first time.Time) {
	for _, cert := range chain {
		if first.IsZero() || cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return first
}

// ownExpiry returns the end of validity of the certificate that we show, zero when there is none.
func ownExpiry(cfg *tls.Config) time.Time {
	if cfg.GetClientCertificate == nil {
		return time.Time{}
	}
	own, err := cfg.GetClientCertificate(&tls.CertificateRequestInfo{})
	if err != nil || len(own.Certificate) == 0 {
		return time.Time{}
	}
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

// refused is called when either side refused.
func (w *handshakeWatch) refused(err error) {
	if errors.Is(err, context.Canceled) {
		return // our own shutdown
	}
	w.refusedFor(tlspin.Reason(err), err)
}

// hungUp is called when the server ended a connection right after a handshake in which it asked for our certificate, without
// a word: that is how many servers refuse one, and how an alert looks when the connection is reset before it is read.
func (w *handshakeWatch) hungUp(err error) {
	if !w.asks.Load() || errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		return // ours, or a server that is slow
	}
	w.refusedFor(tlspin.ReasonClientCert, err)
}

func (w *handshakeWatch) refusedFor(reason string, err error) {
	w.telemetry.handshakeRefused(w.endpoint, reason)
	message := clip(err.Error())
	if reason == tlspin.ReasonClientCert {
		// One text, whichever way the refusal took.
		message = "the server refuses this host's certificate, or the lack of one: renew tls.cert_file, or have the server trust its authority"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = &refusal{cause: "handshake_" + reason, message: message}
}

// explain returns the refused handshake behind a request that found no connection, or r itself.
func (w *handshakeWatch) explain(r *refusal) *refusal {
	switch r.cause {
	case "unavailable", causeDeadline, causeConnection:
	default:
		return r
	}
	if strings.Contains(r.message, "dial tcp") {
		return r // there was no handshake: nobody listens there now, or the name is not known
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last != nil {
		return w.last
	}
	return r
}

// untilExpiry returns the seconds to the expiry of the server's chain, and false before the first connection.
func (w *handshakeWatch) untilExpiry(now time.Time) (float64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.expiry.IsZero() {
		return math.NaN(), false
	}
	return w.expiry.Sub(now).Seconds(), true
}
