// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/tlspin"
)

// newPolicy returns what the configuration demands of a server.
func newPolicy(cfg *Config, logger *zap.Logger) (tlspin.Policy, error) {
	pins, err := parsePins(cfg.Pins)
	if err != nil {
		return tlspin.Policy{}, err
	}
	allow12 := cfg.ClientConfig.TLS.MinVersion == "1.2"
	if allow12 {
		logger.Warn("tls.min_version is 1.2: an observer of the network learns the server's certificate, and keys are exchanged without protection from quantum computers. Remove it as soon as the server speaks TLS 1.3.")
	}
	return tlspin.Policy{Pins: pins, AllowTLS12: allow12}, nil
}

// loadTLS reads the certificates and keys that the configuration names and puts the policy on top.
func loadTLS(ctx context.Context, cfg configtls.ClientConfig, policy tlspin.Policy) (*tls.Config, error) {
	loaded, err := cfg.LoadTLSConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	if loaded == nil {
		return nil, errors.New("tls.insecure would send logs in the clear; remove it")
	}
	// configtls lists its groups in the random order of a map, and without the newer hybrids. The default of crypto/tls
	// prefers the hybrid post-quantum ones.
	if len(cfg.CurvePreferences) == 0 {
		loaded.CurvePreferences = nil
	}
	pinned, err := policy.Apply(loaded)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return pinned, nil
}
