// SPDX-License-Identifier: Apache-2.0

package otlpreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

// Config is the stock receiver's, and what becomes of the client's identity.
type Config struct {
	otlpreceiver.Config `mapstructure:",squash"`

	ClientIdentity ClientIdentity `mapstructure:"client_identity"`
}

// ClientIdentity says what is done with the certificate of the client that sent a record.
type ClientIdentity struct {
	// Enabled puts logseal.client.name and logseal.client.serial on the resource of every record, and removes what the
	// sender wrote under logseal.client. Without a client certificate only the latter.
	Enabled bool `mapstructure:"enabled"`
	// RequireMatch names an attribute of the resource, such as host.name, that must be a name of the client's
	// certificate. A request in which one is not is refused as a whole.
	RequireMatch string `mapstructure:"require_match"`

	// prevent unkeyed literal initialization
	_ struct{}
}

func createDefaultConfig() component.Config {
	stock := otlpreceiver.NewFactory().CreateDefaultConfig().(*otlpreceiver.Config)
	return &Config{Config: *stock, ClientIdentity: ClientIdentity{Enabled: true}}
}

// Validate says what to write for everything that is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Config.Validate()}
	if c.ClientIdentity.RequireMatch == "" {
		return errors.Join(errs...)
	}
	if !c.ClientIdentity.Enabled {
		errs = append(errs, errors.New("client_identity.require_match needs the identity that `client_identity.enabled: false` switches off; remove one of them"))
	}
	for protocol, tls := range c.tls() {
		if tls == nil || tls.ClientCAFile == "" {
			errs = append(errs, errors.New("client_identity.require_match is set, and protocols."+protocol+" authenticates nobody; write `tls: {client_ca_file: …}` there, the authority of the clients' certificates"))
		}
	}
	return errors.Join(errs...)
}

// tls returns the TLS configuration of each protocol that is on; nil where it has none.
func (c *Config) tls() map[string]*configtls.ServerConfig {
	found := map[string]*configtls.ServerConfig{}
	if c.Protocols.GRPC.HasValue() {
		found["grpc"] = c.Protocols.GRPC.Get().TLS.Get()
	}
	if c.Protocols.HTTP.HasValue() {
		found["http"] = c.Protocols.HTTP.Get().ServerConfig.TLS.Get()
	}
	return found
}
