// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/tlsserver"
)

// loadTLS reads the files. When they are read anew is tlsserver's to say.
func loadTLS(cfg configtls.ServerConfig) (*tls.Config, error) {
	preferGoGroups := len(cfg.CurvePreferences) == 0
	cfg.ReloadInterval, cfg.ReloadClientCAFile = 0, false
	loaded, err := cfg.LoadTLSConfig(context.Background())
	if err != nil {
		return nil, fmt.Errorf("tcp.tls: %w", err)
	}
	if preferGoGroups {
		loaded.CurvePreferences = nil // configtls knows fewer hybrid post-quantum groups than crypto/tls
	}
	return loaded, nil
}

// newTLSServer makes the TLS side, which follows the files. It gives no session tickets: a sender that writes and closes
// without reading would answer one with a reset, which discards what it wrote.
func (in *input) newTLSServer(cfg configtls.ServerConfig) (*tlsserver.Server, error) {
	return tlsserver.New(func() (*tls.Config, error) { return loadTLS(cfg) },
		tlsserver.Files{Cert: cfg.CertFile, Key: cfg.KeyFile, ClientCA: cfg.ClientCAFile}, tlsserver.Events{
			Refused: func(peer net.Addr, reason string, err error) {
				if reason != tlsserver.ReasonClosed { // port scans, and load balancers that look whether the port is open
					in.report.refused(host(peer), err)
				}
			},
			Closed: func(peer net.Addr, reason string) {
				in.report.broken(host(peer), fmt.Errorf("ended: the sender would not be admitted any more: %s", reason))
			},
			Loaded: func(err error) {
				if err != nil {
					err = fmt.Errorf("certificate, key or client authorities on disk cannot be used, those loaded before stay in use: %w", err)
				} else {
					in.Logger().Info("syslog: certificate, key and client authorities were read anew", zap.String("listen_address", in.tcp.ListenAddress))
				}
				in.health.set(files, err)
			},
		})
}
