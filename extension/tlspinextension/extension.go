// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.uber.org/zap"

	"github.com/logseal/logseal/internal/configcheck"
	"github.com/logseal/logseal/pkg/tlspin"
)

// pinner puts the policy into clients.
type pinner struct {
	id     component.ID
	mode   Mode
	policy tlspin.Policy
	logger *zap.Logger
	watch  *watch

	mu      sync.Mutex
	clients []configcheck.Client // that name this extension; nil until NotifyConfigSnapshot
}

var (
	_ extension.Extension                         = (*pinner)(nil)
	_ extensionmiddleware.HTTPClient              = (*pinner)(nil)
	_ extensionmiddleware.GRPCClient              = (*pinner)(nil)
	_ extensioncapabilities.ConfigSnapshotWatcher = (*pinner)(nil)
)

func newPinner(set extension.Settings, cfg *Config) (*pinner, error) {
	pins, err := tlspin.ParseAll("pins", cfg.Pins)
	if err != nil {
		return nil, err
	}
	w, err := newWatch(set)
	if err != nil {
		return nil, err
	}
	return &pinner{
		id: set.ID, mode: cfg.Mode, logger: set.Logger, watch: w,
		policy: tlspin.Policy{Pins: pins, AllowTLS12: cfg.MinVersion == "1.2"},
	}, nil
}

// Start implements component.Component.
func (p *pinner) Start(ctx context.Context, host component.Host) error {
	if len(p.policy.Pins) == 1 {
		p.logger.Warn("Only one pin is configured: when the server's key changes, delivery stops until the configuration does. Add the pin of a backup key.")
	}
	if p.mode == ModeReport {
		p.logger.Warn("Pins are compared and not enforced: every server with a certificate from a trusted authority is spoken to. Write `mode: enforce` once nothing is reported any more.")
	}
	p.watch.start(ctx, host)
	return nil
}

// Shutdown implements component.Component. Clients are closed by then.
func (p *pinner) Shutdown(context.Context) error {
	p.watch.stop()
	return nil
}

// NotifyConfigSnapshot implements extensioncapabilities.ConfigSnapshotWatcher. The collector calls it before it starts exporters, and does not
// start when it returns an error.
func (p *pinner) NotifyConfigSnapshot(ctx context.Context, snapshot extensioncapabilities.ConfigSnapshot) error {
	conf := snapshot.Effective().ToStringMap()
	if err := configcheck.Unusable(configcheck.Pins(conf, p.id.String())); err != nil {
		return err
	}
	clients := configcheck.Clients(conf, p.id.String())
	// Not every exporter stops the collector when it cannot start: load_balancing logs it.
	for _, client := range clients {
		if pemText(client) != "" {
			continue
		}
		cfg, err := loadSection(ctx, client)
		if err != nil {
			return err
		}
		if _, err := p.pin(cfg); err != nil {
			return fmt.Errorf("%s: %w", client.Key, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients = clients
	return nil
}

// pin returns a copy of a client's TLS configuration with the policy in it.
func (p *pinner) pin(cfg *tls.Config) (*tls.Config, error) {
	var err error
	if p.mode == ModeReport {
		cfg, err = p.policy.Observe(cfg, p.watch.reported)
	} else {
		cfg, err = p.policy.Apply(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: tls: %w", p.id, err)
	}
	return cfg, nil
}
