// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"go.opentelemetry.io/collector/config/configtls"

	"github.com/logseal/logseal/pkg/tlspin"
)

// newPolicy returns what the configuration demands of a server with these pins.
func newPolicy(cfg *Config, pins []string) (tlspin.Policy, error) {
	parsed, err := parsePins("pins", pins)
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
	last   *refusal  // nil after a handshake that passed
	expiry time.Time // of the first certificate of the chain to expire; zero before the first connection
}

// passed is called after a handshake that both sides finished.
func (w *handshakeWatch) passed(state *tls.ConnectionState) {
	w.telemetry.connected(w.endpoint, state)
	var first time.Time
	if len(state.VerifiedChains) > 0 {
		for _, cert := range state.VerifiedChains[0] {
			if first.IsZero() || cert.NotAfter.Before(first) {
				first = cert.NotAfter
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = nil
	w.expiry = first
}

// refused is called when either side refused.
func (w *handshakeWatch) refused(err error) {
	if errors.Is(err, context.Canceled) {
		return // our own shutdown
	}
	reason := tlspin.Reason(err)
	w.telemetry.handshakeRefused(w.endpoint, reason)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = &refusal{cause: "handshake_" + reason, message: clip(err.Error())}
}

// explain returns the refused handshake behind a request that found no connection, or r itself.
func (w *handshakeWatch) explain(r *refusal) *refusal {
	switch r.cause {
	case "unavailable", causeDeadline, "connection":
	default:
		return r
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
