// SPDX-License-Identifier: Apache-2.0

package tlspinextension

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/logseal/logseal/pkg/tlspin"
)

// Mode is what becomes of a server that breaks the policy.
type Mode string

// The modes, as they are written under `mode`.
const (
	ModeEnforce Mode = "enforce" // it is refused in the handshake
	ModeReport  Mode = "report"  // it is told, and spoken to
)

// Config is the configuration of tls_pin.
type Config struct {
	// Pins are SHA-256 digests of public keys, as `logseal pin` prints them. A server's verified chain must contain a certificate with one
	// of these keys. They hold for every client that names the extension.
	Pins []string `mapstructure:"pins"`

	// Mode is enforce (the default) or report.
	Mode Mode `mapstructure:"mode"`

	// MinVersion is the lowest version of TLS: "1.3" (the default) or "1.2".
	MinVersion string `mapstructure:"min_version"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	return &Config{Mode: ModeEnforce, MinVersion: "1.3"}
}

// Validate implements confmap.Validator.
func (c *Config) Validate() error {
	_, errs := tlspin.ParseAll("pins", c.Pins)
	if c.Mode != ModeEnforce && c.Mode != ModeReport {
		errs = errors.Join(errs, fmt.Errorf("mode: %q is unknown; write `enforce` (the default), or `report` to be told what it would refuse", c.Mode))
	}
	if c.MinVersion != "1.3" && c.MinVersion != "1.2" {
		errs = errors.Join(errs, fmt.Errorf("min_version %q is broken or unknown; remove it (1.3 is the default), or write \"1.2\" for a server that knows no better", c.MinVersion))
	}
	return errs
}
