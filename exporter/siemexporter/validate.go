// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/logseal/logseal/pkg/tlspin"
)

// Validate refuses every configuration under which logs could be read on the way, reach another party or get lost. Each
// error names the key and says what to write.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateEndpoints(),
		c.validateClient(),
		c.validateTLS(),
		c.validateQueue(),
		c.validateRetry(),
		c.validateDeadLetter(),
		c.validateProtocol(),
	)
}

// validateProtocol judges the keys that one protocol has.
func (c *Config) validateProtocol() error {
	var errs []error
	for i, endpoint := range c.Endpoints {
		if endpoint.MaxMessageBytes != 0 && c.Protocol != ProtocolSyslog {
			errs = append(errs, fmt.Errorf("endpoints[%d].max_message_bytes is a key of `protocol: syslog`; remove it", i))
		}
	}
	switch c.Protocol {
	case ProtocolSplunkHEC:
		errs = append(errs, c.validateFormat(), c.validateHEC())
	case ProtocolSyslog:
		errs = append(errs, c.validateFormat(), c.validateSyslog())
	}
	return errors.Join(errs...)
}

func (c *Config) validateFormat() error {
	if c.format != FormatOriginal && c.format != FormatText {
		return fmt.Errorf("format: %q is unknown; remove it (`original` is the default, which can be verified), or write `format: text`", c.format)
	}
	return nil
}

func (c *Config) validateEndpoints() error {
	if len(c.Endpoints) == 0 {
		return errors.Join(c.validateEndpoint("endpoint", c.singleEndpoint()), validatePins("pins", c.Pins))
	}
	var errs []error
	if c.singleEndpoint() != "" {
		errs = append(errs, errors.New("endpoint and endpoints are both set; write one of them, `endpoints` for more than one SIEM"))
	}
	for i, endpoint := range c.endpoints() {
		errs = append(errs, c.validateEndpoint(fmt.Sprintf("endpoints[%d].endpoint", i), endpoint.Endpoint))
		// The common pins are judged once, below.
		if len(c.Endpoints[i].Pins) > 0 || len(c.Pins) == 0 {
			errs = append(errs, validatePins(fmt.Sprintf("endpoints[%d].pins", i), endpoint.Pins))
		}
	}
	if len(c.Pins) > 0 {
		errs = append(errs, validatePins("pins", c.Pins))
	}
	return errors.Join(errs...)
}

// exampleEndpoints are what errors say that an endpoint looks like.
var exampleEndpoints = map[Protocol]string{
	ProtocolGRPC:      "siem.example.com:4317",
	ProtocolHTTP:      "https://siem.example.com:4318",
	ProtocolSplunkHEC: "https://splunk.example.com:8088",
	ProtocolSyslog:    "syslog.example.com:6514",
}

func (c *Config) validateEndpoint(key, endpoint string) error {
	example := exampleEndpoints[c.Protocol]
	switch {
	case endpoint == "":
		return fmt.Errorf("%s is not set; write where the SIEM listens, `endpoint: %s`", key, example)
	case strings.HasPrefix(endpoint, "http://"):
		return fmt.Errorf("%s %q would send logs in the clear; write `endpoint: %s`", key, endpoint, example)
	}
	if c.overHTTP() {
		if u, err := url.Parse(endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("%s %q is no https URL; write `endpoint: %s`", key, endpoint, example)
		}
		return nil
	}
	if c.Protocol == ProtocolSyslog {
		if err := validateSyslogEndpoint(endpoint); err != nil {
			return fmt.Errorf("%s %q: %w; write `endpoint: %s`", key, endpoint, err, example)
		}
		return nil
	}
	// configgrpc knows which endpoints gRPC can dial.
	client := c.grpc
	client.Endpoint = endpoint
	if err := client.Validate(); err != nil {
		return fmt.Errorf("%s %q: %w; write `endpoint: %s`", key, endpoint, err, example)
	}
	return nil
}

// validateClient runs the checks that the client's own configuration brings along.
func (c *Config) validateClient() error {
	if c.overHTTP() {
		return confmap.Validate(&c.http)
	}
	if c.Protocol == ProtocolSyslog {
		return confmap.Validate(&c.syslogKeys.TLS)
	}
	client := c.grpc
	client.Endpoint = "" // validateEndpoint has judged it, and named its key
	return confmap.Validate(&client)
}

func (c *Config) validateTLS() error {
	tls := c.tls()
	var errs []error
	if tls.Insecure {
		errs = append(errs, errors.New("tls.insecure would send logs in the clear; remove it and write the authority that signed the server's certificate, `tls: {ca_file: …}`"))
	}
	if tls.InsecureSkipVerify {
		errs = append(errs, errors.New("tls.insecure_skip_verify would accept certificates that nobody verified, and a pin comes in addition to verification; remove it and write `tls: {ca_file: …}`, with `server_name_override` when the certificate bears another name"))
	}
	switch tls.MinVersion {
	case "", "1.2", "1.3": // an empty one means 1.3, see newPolicy
	default:
		errs = append(errs, fmt.Errorf("tls.min_version %q is broken or unknown; remove it (1.3 is the default), or write \"1.2\" for a server that knows no better", tls.MinVersion))
	}
	if tls.IncludeInsecureCipherSuites {
		errs = append(errs, errors.New("tls.include_insecure_cipher_suites would let logs be read on the way; remove it"))
	}
	if tls.ReloadInterval < 0 {
		errs = append(errs, fmt.Errorf("tls.reload_interval: %s is negative; remove it (1h is the default)", tls.ReloadInterval))
	}
	if c.RequirePostQuantum {
		errs = append(errs, validatePostQuantum(tls))
	}
	return errors.Join(errs...)
}

// validatePostQuantum refuses what contradicts require_post_quantum.
func validatePostQuantum(tls *configtls.ClientConfig) error {
	var errs []error
	if tls.MinVersion == "1.2" || tls.MaxVersion == "1.2" {
		errs = append(errs, errors.New("require_post_quantum needs TLS 1.3; remove tls.min_version and tls.max_version"))
	}
	if len(tls.CurvePreferences) > 0 && !slices.Contains(tls.CurvePreferences, "X25519MLKEM768") {
		errs = append(errs, fmt.Errorf("require_post_quantum contradicts tls.curve_preferences %v, which names no hybrid; remove tls.curve_preferences, or add X25519MLKEM768", tls.CurvePreferences))
	}
	return errors.Join(errs...)
}

func validatePins(key string, pins []string) error {
	_, err := tlspin.ParseAll(key, pins)
	return err
}

func (c *Config) validateQueue() error {
	queue := c.QueueConfig.Get()
	if queue == nil {
		return errors.New("sending_queue is switched off, so an outage of the SIEM would lose logs; remove `enabled: false` and write `sending_queue: {storage: encrypted_storage}`")
	}
	var errs []error
	if queue.StorageID == nil && !c.AllowMemoryQueue {
		errs = append(errs, errors.New("sending_queue.storage is not set, so a crash would lose the queued logs; write `sending_queue: {storage: encrypted_storage}` and list encrypted_storage under extensions and service.extensions (or accept that loss with `allow_memory_queue: true`)"))
	}
	if !queue.BlockOnOverflow {
		errs = append(errs, errors.New("sending_queue.block_on_overflow: false would drop logs when the queue is full; remove it (true is the default: a full queue makes the receivers wait)"))
	}
	switch bytes := queue.Sizer == exporterhelper.RequestSizerTypeBytes; {
	case bytes && queue.QueueSize > 0 && queue.QueueSize < minQueueBytes:
		errs = append(errs, fmt.Errorf("sending_queue.queue_size: %d is counted in bytes, and less than 16 MiB; write for example `queue_size: %d` (2 GiB, the default), or count requests with `sizer: requests`", queue.QueueSize, defaultQueueBytes))
	case !bytes && (queue.QueueSize == defaultQueueBytes || queue.QueueSize == defaultMemoryQueueBytes):
		errs = append(errs, fmt.Errorf("sending_queue.sizer: %s without queue_size has no bound; write `queue_size: 10000` beside it, or remove sizer (bytes is the default)", queue.Sizer.String()))
	}
	return errors.Join(errs...)
}

func (c *Config) validateRetry() error {
	var errs []error
	if !c.RetryConfig.Enabled {
		errs = append(errs, errors.New("retry_on_failure is switched off, so one refused request would lose its logs; remove `enabled: false`"))
	}
	if c.RetryConfig.MaxElapsedTime != 0 {
		errs = append(errs, fmt.Errorf("retry_on_failure.max_elapsed_time: %s would drop logs after that time; remove it (0, for ever, is the default)", c.RetryConfig.MaxElapsedTime))
	}
	if c.timeout() <= 0 {
		errs = append(errs, fmt.Errorf("timeout: %s would wait for ever for a server that accepts and never answers; remove it (5s is the default)", c.timeout()))
	}
	return errors.Join(errs...)
}

func (c *Config) validateDeadLetter() error {
	if c.DeadLetter.MaxSizeMiB <= 0 {
		return fmt.Errorf("dead_letter.max_size_mib: %d leaves no room; remove it (100 is the default)", c.DeadLetter.MaxSizeMiB)
	}
	return nil
}
