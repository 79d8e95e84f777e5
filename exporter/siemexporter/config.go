// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/logseal/logseal/pkg/tlspin"
)

const (
	// defaultQueueSize is ten times the stock exporter's: at one request a tenth of a second, 1,000 requests are filled
	// in 100 seconds, which is no outage at all.
	defaultQueueSize = 10_000
	// defaultMaxRequestBytes stays below the 4 MiB at which a gRPC server refuses a request, with room for what the
	// sizer does not see.
	defaultMaxRequestBytes = 3_000_000
	// defaultReloadInterval bounds how long a connection outlives a certificate that was replaced.
	defaultReloadInterval = time.Hour
)

// Config is the configuration of the siem exporter. The keys of configgrpc.ClientConfig stand beside ours.
type Config struct {
	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
	ClientConfig  configgrpc.ClientConfig                                  `mapstructure:",squash"`

	// Pins are SHA-256 digests of public keys, as `logseal pin` prints them. The server's verified chain must contain a
	// certificate with one of these keys.
	Pins []string `mapstructure:"pins"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize = defaultQueueSize
	queue.BlockOnOverflow = true
	queue.Batch = configoptional.Some(exporterhelper.BatchConfig{
		FlushTimeout: 200 * time.Millisecond,
		Sizer:        exporterhelper.RequestSizerTypeBytes,
		MaxSize:      defaultMaxRequestBytes,
	})

	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	retry.MaxElapsedTime = 0 // for ever

	client := configgrpc.NewDefaultClientConfig()
	client.TLS.MinVersion = "1.3"
	client.TLS.ReloadInterval = defaultReloadInterval
	client.WriteBufferSize = 512 * 1024

	return &Config{
		TimeoutConfig: exporterhelper.NewDefaultTimeoutConfig(),
		QueueConfig:   configoptional.Some(queue),
		RetryConfig:   retry,
		ClientConfig:  client,
	}
}

// Validate refuses every configuration under which logs could be read on the way, reach another party or get lost. Each
// error names the key and says what to write.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateEndpoint(),
		validateTLS(&c.ClientConfig.TLS),
		validatePins(c.Pins),
		c.validateQueue(),
		c.validateRetry(),
	)
}

func (c *Config) validateEndpoint() error {
	switch endpoint := c.ClientConfig.Endpoint; {
	case endpoint == "":
		return errors.New("endpoint is not set; write the SIEM's host and port, `endpoint: siem.example.com:4317`")
	case strings.HasPrefix(endpoint, "http://"):
		return fmt.Errorf("endpoint %q would send logs in the clear; write host and port without a scheme, TLS is always on", endpoint)
	}
	return nil
}

func validateTLS(tls *configtls.ClientConfig) error {
	var errs []error
	if tls.Insecure {
		errs = append(errs, errors.New("tls.insecure would send logs in the clear; remove it and write the authority that signed the server's certificate, `tls: {ca_file: …}`"))
	}
	if tls.InsecureSkipVerify {
		errs = append(errs, errors.New("tls.insecure_skip_verify would accept certificates that nobody verified, and a pin comes in addition to verification; remove it and write `tls: {ca_file: …}`, with `server_name_override` when the certificate bears another name"))
	}
	switch tls.MinVersion {
	case "", "1.2", "1.3": // an empty one means 1.3, see policy
	default:
		errs = append(errs, fmt.Errorf("tls.min_version %q is broken or unknown; remove it (1.3 is the default), or write \"1.2\" for a server that knows no better", tls.MinVersion))
	}
	if tls.IncludeInsecureCipherSuites {
		errs = append(errs, errors.New("tls.include_insecure_cipher_suites would let logs be read on the way; remove it"))
	}
	return errors.Join(errs...)
}

func validatePins(pins []string) error {
	if len(pins) == 0 {
		return errors.New("pins are not set, so any server with a certificate from a trusted authority would receive the logs; run `logseal pin HOST:PORT` and write `pins: [sha256/…, sha256/…]`, the key in use and a backup")
	}
	_, err := parsePins(pins)
	return err
}

// parsePins reads the pins; a repeated one is an error, because whoever wrote it believes to have a backup.
func parsePins(pins []string) ([]tlspin.Pin, error) {
	var (
		parsed = make([]tlspin.Pin, 0, len(pins))
		first  = make(map[tlspin.Pin]int, len(pins))
		errs   []error
	)
	for i, text := range pins {
		pin, err := tlspin.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("pins[%d]: %w", i, err))
			continue
		}
		if j, seen := first[pin]; seen {
			errs = append(errs, fmt.Errorf("pins[%d] repeats pins[%d]; a backup is the pin of another key", i, j))
			continue
		}
		first[pin] = i
		parsed = append(parsed, pin)
	}
	return parsed, errors.Join(errs...)
}

func (c *Config) validateQueue() error {
	queue := c.QueueConfig.Get()
	if queue == nil {
		return errors.New("sending_queue is switched off, so an outage of the SIEM would lose logs; remove `enabled: false` and write `sending_queue: {storage: file_storage}`")
	}
	var errs []error
	if queue.StorageID == nil {
		errs = append(errs, errors.New("sending_queue.storage is not set, so a crash would lose the queued logs; write `sending_queue: {storage: file_storage}` and list file_storage under extensions and service.extensions"))
	}
	if !queue.BlockOnOverflow {
		errs = append(errs, errors.New("sending_queue.block_on_overflow: false would drop logs when the queue is full; remove it (true is the default: a full queue makes the receivers wait)"))
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
	if c.TimeoutConfig.Timeout == 0 {
		errs = append(errs, errors.New("timeout: 0 would wait for ever for a server that accepts and never answers; remove it (5s is the default)"))
	}
	return errors.Join(errs...)
}
