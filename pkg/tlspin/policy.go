// SPDX-License-Identifier: Apache-2.0

package tlspin

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Errors with which a handshake is refused. Each arrives wrapped; test with errors.Is.
var (
	// ErrMismatch: chain, name and validity are right, but no certificate of the verified chain carries a pinned key.
	ErrMismatch = errors.New("no certificate of the server's verified chain carries a pinned key")
	// ErrVersion: the session is older than the policy allows.
	ErrVersion = errors.New("the TLS version is below the policy's minimum")
	// ErrGroup: the policy demands a post-quantum key exchange and the session has none.
	ErrGroup = errors.New("the key exchange is not post-quantum")
	// ErrResumed: the session was resumed from a ticket, which proves no possession of the pinned key.
	ErrResumed = errors.New("the session was resumed, and a ticket does not prove the pinned key")
	// ErrUnverified: the connection reached the policy without a verified chain.
	ErrUnverified = errors.New("the server's certificate chain was not verified")
)

// Policy is what a client demands of a server, in addition to the verification that crypto/tls does.
type Policy struct {
	// Pins are the keys of which the server's verified chain must carry at least one: the one in use, and its backups.
	Pins []Pin
	// AllowTLS12 lowers the floor from TLS 1.3 to TLS 1.2.
	AllowTLS12 bool
	// RequirePostQuantum refuses every key exchange but a hybrid of an elliptic curve and ML-KEM.
	RequirePostQuantum bool
}

// postQuantum are the hybrid key exchanges of draft-ietf-tls-ecdhe-mlkem that crypto/tls implements.
var postQuantum = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}

// IsPostQuantum reports whether a key exchange resists a quantum computer.
func IsPostQuantum(group tls.CurveID) bool { return slices.Contains(postQuantum, group) }

// Apply returns a copy of base that enforces the policy. It returns an error when the policy is empty or base contradicts
// it: no pins, verification switched off, a maximum version below the floor, or curve preferences without a
// post-quantum one when one is required.
//
// The checks run in VerifyConnection, not in VerifyPeerCertificate, which crypto/tls skips for resumed sessions.
func (p Policy) Apply(base *tls.Config) (*tls.Config, error) {
	cfg, err := p.hook(base, func(_ tls.ConnectionState, breach error) error { return breach })
	if err != nil {
		return nil, err
	}
	cfg.MinVersion = max(cfg.MinVersion, p.floor())
	if cfg.MaxVersion != 0 && cfg.MaxVersion < cfg.MinVersion {
		return nil, fmt.Errorf("the maximum version %s is below the policy's minimum %s",
			tls.VersionName(cfg.MaxVersion), tls.VersionName(cfg.MinVersion))
	}

	if p.RequirePostQuantum {
		cfg.CurvePreferences = keepPostQuantum(cfg.CurvePreferences)
		if len(cfg.CurvePreferences) == 0 {
			return nil, errors.New("a post-quantum key exchange is required, and the curve preferences name none")
		}
	}
	return cfg, nil
}

// Observe returns a copy of base that refuses nothing that base does not refuse, and calls breach for each handshake that
// [Policy.Apply] would have refused, with the error it would have been refused for. It is for finding the right pins while
// nothing stands still. It returns an error when the policy has no pins or base does not verify: then there is nothing to compare.
func (p Policy) Observe(base *tls.Config, breach func(tls.ConnectionState, error)) (*tls.Config, error) {
	return p.hook(base, func(state tls.ConnectionState, err error) error {
		breach(state, err)
		return nil
	})
}

// hook returns a copy of base that asks judge about each session which breaks the policy.
func (p Policy) hook(base *tls.Config, judge func(tls.ConnectionState, error) error) (*tls.Config, error) {
	if len(p.Pins) == 0 {
		return nil, errors.New("the policy has no pins")
	}
	if base.InsecureSkipVerify {
		return nil, errors.New("pins come in addition to verification, and InsecureSkipVerify switches that off")
	}
	cfg := base.Clone()

	// No cache, no resumption: every connection proves the pinned key again, and a changed pin takes effect at once.
	cfg.ClientSessionCache = nil

	next := cfg.VerifyConnection
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		if breach := p.Check(&state); breach != nil {
			if err := judge(state, breach); err != nil {
				return err
			}
		}
		if next != nil {
			return next(state)
		}
		return nil
	}
	return cfg, nil
}

// floor is the lowest version that the policy allows.
func (p Policy) floor() uint16 {
	if p.AllowTLS12 && !p.RequirePostQuantum {
		return tls.VersionTLS12
	}
	return tls.VersionTLS13
}

// keepPostQuantum returns the post-quantum groups among those preferred; no preference means all of them.
func keepPostQuantum(preferred []tls.CurveID) []tls.CurveID {
	if len(preferred) == 0 {
		return slices.Clone(postQuantum)
	}
	return slices.DeleteFunc(slices.Clone(preferred), func(id tls.CurveID) bool { return !IsPostQuantum(id) })
}

// Check returns why a session breaks the policy, nil when it keeps to it. Chain, name and validity are crypto/tls's to verify, and a
// session for which it has not done so is refused.
func (p Policy) Check(state *tls.ConnectionState) error {
	if len(state.VerifiedChains) == 0 {
		return ErrUnverified
	}
	if state.DidResume {
		return ErrResumed
	}
	if state.Version < p.floor() {
		return fmt.Errorf("%w: got %s, want %s or later", ErrVersion, tls.VersionName(state.Version), tls.VersionName(p.floor()))
	}
	if p.RequirePostQuantum && !IsPostQuantum(state.CurveID) {
		return fmt.Errorf("%w: got %s", ErrGroup, state.CurveID)
	}
	// Only verified chains count: a server may send any certificate it likes beside the ones that verify.
	for _, chain := range state.VerifiedChains {
		for _, cert := range chain {
			if slices.Contains(p.Pins, Of(cert)) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: server %s presents %s", ErrMismatch, server(state), presented(state))
}

// server names the server that was asked for. TLS sends no address as a name, so of one that was dialled by its address it is that of its certificate,
// which has been verified to have it.
func server(state *tls.ConnectionState) string {
	if state.ServerName != "" {
		return strconv.Quote(state.ServerName)
	}
	var addresses []string
	for _, ip := range state.VerifiedChains[0][0].IPAddresses {
		addresses = append(addresses, ip.String())
	}
	return strings.Join(addresses, " or ")
}

// presented lists the pins of the first verified chain, leaf first, so that an operator can compare them with the
// configured ones. A pin is public.
func presented(state *tls.ConnectionState) string {
	chain := state.VerifiedChains[0]
	pins := make([]string, len(chain))
	for i, cert := range chain {
		pins[i] = Of(cert).String()
	}
	return strings.Join(pins, ", ")
}
