// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"fmt"
	"net"
	"time"

	"go.opentelemetry.io/collector/config/configtls"
)

const (
	// minMessageBytes is what every receiver takes (RFC 5424, section 6.1).
	minMessageBytes = 480
	// sealBytes is room for every seal of the shipped agent; see docs/siem.md.
	sealBytes = 16 << 10
	// syslogProbation is how long a connection has to last before what was written into it counts as sent. A server refuses our
	// certificate, or answers in another protocol, after its system has acknowledged the first bytes.
	syslogProbation = time.Second
)

// SyslogConfig are the keys of `protocol: syslog`.
type SyslogConfig struct {
	// MaxMessageBytes is how long a message the receiver takes, header and all. The protocol does not say, and a receiver that is given
	// more cuts it without a word.
	MaxMessageBytes int `mapstructure:"max_message_bytes"`

	// Hostname and AppName are the fields of the header.
	Hostname EventField `mapstructure:"hostname"`
	AppName  EventField `mapstructure:"app_name"`

	probation time.Duration
}

// syslogKeys are those of the client.
type syslogKeys struct {
	Endpoint string                 `mapstructure:"endpoint"`
	TLS      configtls.ClientConfig `mapstructure:"tls"`
	Timeout  time.Duration          `mapstructure:"timeout"`
}

func defaultSyslog() SyslogConfig {
	return SyslogConfig{
		Hostname:  EventField{Attribute: "host.name"},
		AppName:   EventField{Attribute: "service.name"},
		probation: syslogProbation,
	}
}

func defaultSyslogKeys() syslogKeys {
	return syslogKeys{TLS: defaultTLS(), Timeout: defaultTimeout}
}

// maxMessageBytes is the limit of one endpoint.
func (c *Config) maxMessageBytes(endpoint EndpointConfig) int {
	if endpoint.MaxMessageBytes != 0 {
		return endpoint.MaxMessageBytes
	}
	return c.syslog.MaxMessageBytes
}

func (c *Config) validateSyslog() error {
	var errs []error
	for i, endpoint := range c.endpoints() {
		key := "syslog.max_message_bytes"
		if len(c.Endpoints) > 0 && c.Endpoints[i].MaxMessageBytes != 0 {
			key = fmt.Sprintf("endpoints[%d].max_message_bytes", i)
		}
		switch limit := c.maxMessageBytes(endpoint); {
		case limit == 0:
			errs = append(errs, errors.New("syslog.max_message_bytes is not set, and a receiver cuts what is longer than it takes without a word; write what it is configured for, `syslog: {max_message_bytes: 65536}` for syslog-ng as it is, and rsyslog with `maxMessageSize=\"64k\"`"))
		case limit < minMessageBytes:
			errs = append(errs, fmt.Errorf("%s: %d is less than every receiver takes; write %d or more", key, limit, minMessageBytes))
		}
	}
	return errors.Join(errs...)
}

func validateSyslogEndpoint(endpoint string) error {
	host, port, err := net.SplitHostPort(endpoint)
	if err == nil && (host == "" || port == "") {
		err = errors.New("host or port is missing")
	}
	return err
}
