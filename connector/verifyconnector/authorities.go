// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"

	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal/endorse"
)

// authorities is the file of the CAs whose certificates vouch for streams, followed.
type authorities struct {
	path   string // empty: there are none
	logger *zap.Logger
	health *health
	text   []byte // what was read last; nil while it cannot be used
	roots  *x509.CertPool
}

func newAuthorities(path string, logger *zap.Logger, health *health) *authorities {
	a := &authorities{path: path, logger: logger, health: health}
	if path != "" {
		// Without any, streams that a certificate has vouched for before a restart would be forgotten, and their first seals do not
		// come again. An empty pool vouches for nobody new.
		a.roots = x509.NewCertPool()
	}
	return a
}

// follow returns the CAs, nil if no file is configured, and whether they have changed. While the file cannot be used, those of before stay.
func (a *authorities) follow() (roots *x509.CertPool, changed bool) {
	if a.path == "" {
		return nil, false
	}
	text, err := os.ReadFile(a.path)
	if err == nil && a.text != nil && bytes.Equal(text, a.text) {
		return a.roots, false
	}
	var parsed *x509.CertPool
	if err == nil {
		parsed, err = endorse.ParseRoots(text)
	}
	if err != nil {
		a.text = nil
		a.health.set(troubleAuthorities, fmt.Errorf("trust.ca_file %s cannot be used, and the CAs of before stay: write the certificates of the CAs into it, as PEM and nothing else, readable by this process: %w",
			a.path, err))
		return a.roots, false
	}
	a.text = text
	a.health.set(troubleAuthorities, nil)
	if parsed.Equal(a.roots) {
		return a.roots, false
	}
	a.roots = parsed
	a.logger.Info("Streams are trusted that certificates of CAs vouch for", zap.String("file", a.path))
	return a.roots, true
}
