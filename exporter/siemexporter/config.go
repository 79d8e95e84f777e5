// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Protocol is how requests travel inside the TLS session.
type Protocol string

// The protocols, as they are written under `protocol`.
const (
	ProtocolGRPC      Protocol = "otlp_grpc"
	ProtocolHTTP      Protocol = "otlp_http"
	ProtocolSplunkHEC Protocol = "splunk_hec"
	ProtocolSyslog    Protocol = "syslog"
)

// Format is how a record is written where the protocol does not carry OTLP.
type Format string

// The formats, as they are written under `format`.
const (
	// FormatOriginal is the record as one line of OTLP JSON, which `logseal verify` reads.
	FormatOriginal Format = "original"
	// FormatText is the record's body alone, which proves nothing.
	FormatText Format = "text"
)

const (
	// defaultTimeout bounds one request, and the making of a connection.
	defaultTimeout = 5 * time.Second
	// defaultQueueBytes holds an agent's logs for hours. Requests would say nothing: fifty quiet files make 10,000 of them,
	// of 700 bytes each, in 45 seconds.
	defaultQueueBytes = 2 << 30
	// defaultMemoryQueueBytes is for a queue that is not on disk.
	defaultMemoryQueueBytes = 128 << 20
	// minQueueBytes is a number that somebody means as bytes. A number of requests is below it.
	minQueueBytes = 16 << 20
	// defaultMaxRequestBytes stays below the 4 MiB at which a gRPC server refuses a request, with room for what the
	// sizer does not see.
	defaultMaxRequestBytes = 3_000_000
	// defaultReloadInterval bounds how long a connection outlives a certificate that expires or is withdrawn.
	defaultReloadInterval = time.Hour
	// defaultDeadLetterMiB holds some hundred thousand records, and fits on any disk that holds logs.
	defaultDeadLetterMiB = 100
)

// Config is the configuration of the siem exporter. Beside these keys stand those of the client that `protocol` names:
// configgrpc.ClientConfig, or confighttp.ClientConfig, and for splunk_hec and syslog a section of that name and `format`. A key of
// another protocol is an error.
type Config struct {
	// Protocol is otlp_grpc (the default), otlp_http, splunk_hec or syslog.
	Protocol Protocol `mapstructure:"protocol"`

	// Pins are SHA-256 digests of public keys, as `logseal pin` prints them. The server's verified chain must contain a
	// certificate with one of these keys.
	Pins []string `mapstructure:"pins"`

	// Endpoints are SIEMs in the order of preference, instead of the one under `endpoint`.
	Endpoints []EndpointConfig `mapstructure:"endpoints"`

	// RequirePostQuantum refuses a server with which no hybrid post-quantum key exchange is possible. Such a key
	// exchange is preferred in any case.
	RequirePostQuantum bool `mapstructure:"require_post_quantum"`

	// DeadLetter is where records go that the server will never take.
	DeadLetter DeadLetterConfig `mapstructure:"dead_letter"`

	// AllowMemoryQueue permits a queue without storage, which a crash empties.
	AllowMemoryQueue bool `mapstructure:"allow_memory_queue"`

	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`

	// The clients are unexported because only one of them is configured, and which one is decided in Unmarshal.
	grpc        configgrpc.ClientConfig
	grpcTimeout time.Duration // configgrpc has none; confighttp has its own
	http        confighttp.ClientConfig
	format      Format
	hec         SplunkHECConfig
	syslog      SyslogConfig
	syslogKeys  syslogKeys
}

// EndpointConfig is one SIEM of several.
type EndpointConfig struct {
	// Endpoint is written as the key `endpoint` is.
	Endpoint string `mapstructure:"endpoint"`
	// Pins are this SIEM's own. When there are none, those under `pins` hold.
	Pins []string `mapstructure:"pins"`
	// MaxMessageBytes is this receiver's own, with `protocol: syslog`. When it is 0, syslog.max_message_bytes holds.
	MaxMessageBytes int `mapstructure:"max_message_bytes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// DeadLetterConfig says where records go that the server will never take.
type DeadLetterConfig struct {
	// Directory holds one file for each siem exporter. When it is not set, such records wait in the queue.
	Directory string `mapstructure:"directory"`
	// MaxSizeMiB bounds the file. When it is full, such records wait in the queue until it is moved away.
	MaxSizeMiB int64 `mapstructure:"max_size_mib"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Validator   = (*Config)(nil)
	_ confmap.Unmarshaler = (*Config)(nil)
	_ confmap.Marshaler   = Config{}
)

// consumers is how many requests are sent at the same time.
func (c *Config) consumers() int {
	if queue := c.QueueConfig.Get(); queue != nil {
		return queue.NumConsumers
	}
	return 1
}

// turns is how many of them a target has to bear: those whose acknowledgement is waited for are not under way any more.
func (c *Config) turns() int {
	if c.Protocol == ProtocolSplunkHEC {
		return min(c.consumers(), maxTurns)
	}
	return c.consumers()
}

func createDefaultConfig() component.Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = defaultQueueBytes
	queue.BlockOnOverflow = true
	queue.Batch = configoptional.Some(exporterhelper.BatchConfig{
		FlushTimeout: 200 * time.Millisecond,
		Sizer:        exporterhelper.RequestSizerTypeBytes,
		MaxSize:      defaultMaxRequestBytes,
	})

	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	// After an outage a request waits for up to one and a half of these, and what comes behind it is sent meanwhile. A watcher that has the
	// seal waits for late_after, 30 s, for the records.
	retry.MaxInterval = 15 * time.Second
	retry.MaxElapsedTime = 0 // for ever

	grpc := configgrpc.NewDefaultClientConfig()
	grpc.TLS = defaultTLS()
	// gzip is the one compression that every OTLP server has to understand.
	grpc.Compression = configcompression.TypeGzip
	// Answers are tiny and requests are large: the stock exporter's sizes.
	grpc.WriteBufferSize = 512 * 1024
	grpc.Keepalive = configoptional.None[configgrpc.KeepaliveClientConfig]()

	http := confighttp.NewDefaultClientConfig()
	http.TLS = defaultTLS()
	http.Compression = configcompression.TypeGzip
	http.WriteBufferSize = 512 * 1024
	// confighttp keeps these twice; the section wins, see replacedHTTPKeys.
	http.Keepalive = configoptional.Some(confighttp.NewDefaultKeepaliveClientConfig())
	http.IdleConnTimeout, http.MaxIdleConns = 0, 0 //nolint:staticcheck // set by confighttp's own defaults
	http.Timeout = defaultTimeout

	return &Config{
		Protocol:    ProtocolGRPC,
		DeadLetter:  DeadLetterConfig{MaxSizeMiB: defaultDeadLetterMiB},
		QueueConfig: configoptional.Some(queue),
		RetryConfig: retry,
		grpc:        grpc,
		grpcTimeout: defaultTimeout,
		http:        http,
		format:      FormatOriginal,
		hec:         defaultHEC(),
		syslog:      defaultSyslog(),
		syslogKeys:  defaultSyslogKeys(),
	}
}

// setProtocol chooses a protocol and sets what it has other defaults of.
func (c *Config) setProtocol(protocol Protocol) {
	c.Protocol = protocol
	if protocol == ProtocolSplunkHEC {
		c.setHECDefaults()
	}
}

func defaultTLS() configtls.ClientConfig {
	tls := configtls.NewDefaultClientConfig()
	tls.MinVersion = "1.3"
	tls.ReloadInterval = defaultReloadInterval
	return tls
}

// plain is Config without its methods, so that decoding it does not lead back to Unmarshal.
type plain Config

// The shapes of the configuration. Decoding into one of them makes a key of another protocol an unknown key.
type (
	grpcShape struct {
		Common  plain                   `mapstructure:",squash"`
		Timeout time.Duration           `mapstructure:"timeout"`
		Client  configgrpc.ClientConfig `mapstructure:",squash"`
	}
	httpShape struct {
		Common plain    `mapstructure:",squash"`
		Client httpKeys `mapstructure:",squash"`
	}
	hecShape struct {
		Common plain           `mapstructure:",squash"`
		Format Format          `mapstructure:"format"`
		HEC    SplunkHECConfig `mapstructure:"splunk_hec"`
		Client httpKeys        `mapstructure:",squash"`
	}
	syslogShape struct {
		Common plain        `mapstructure:",squash"`
		Format Format       `mapstructure:"format"`
		Syslog SyslogConfig `mapstructure:"syslog"`
		Client syslogKeys   `mapstructure:",squash"`
	}
	// httpKeys is confighttp's without its methods. Its Unmarshal ignores unknown keys, and with them every slip of the
	// pen in the whole section.
	httpKeys confighttp.ClientConfig
)

// replacedHTTPKeys are confighttp's deprecated spellings of what is in its keepalive section, and would have no effect.
var replacedHTTPKeys = map[string]string{
	"idle_conn_timeout":       "idle_conn_timeout: …",
	"max_idle_conns":          "max_idle_conns: …",
	"max_idle_conns_per_host": "max_idle_conns_per_host: …",
	"disable_keep_alives":     "enabled: false",
}

// Unmarshal implements confmap.Unmarshaler: `protocol` decides whose keys are known.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	protocol := c.Protocol
	if conf.IsSet("protocol") {
		protocol = Protocol(fmt.Sprint(conf.Get("protocol")))
	}
	c.setProtocol(protocol)
	var err error
	switch protocol {
	case ProtocolGRPC:
		shape := grpcShape{Common: plain(*c), Timeout: c.grpcTimeout, Client: c.grpc}
		err = conf.Unmarshal(&shape)
		*c = Config(shape.Common)
		c.grpc, c.grpcTimeout = shape.Client, shape.Timeout
	case ProtocolHTTP:
		shape := httpShape{Common: plain(*c), Client: httpKeys(c.http)}
		err = errors.Join(checkReplacedHTTPKeys(conf), conf.Unmarshal(&shape))
		*c = Config(shape.Common)
		c.setHTTP(shape.Client)
	case ProtocolSplunkHEC:
		shape := hecShape{Common: plain(*c), Format: c.format, HEC: c.hec, Client: httpKeys(c.http)}
		err = errors.Join(checkReplacedHTTPKeys(conf), unmarshalFields(conf, &shape, "splunk_hec", "host", "source", "sourcetype", "index"))
		*c = Config(shape.Common)
		c.format, c.hec = shape.Format, shape.HEC
		c.setHTTP(shape.Client)
		c.adoptHEC(conf)
	case ProtocolSyslog:
		shape := syslogShape{Common: plain(*c), Format: c.format, Syslog: c.syslog, Client: c.syslogKeys}
		err = unmarshalFields(conf, &shape, "syslog", "hostname", "app_name")
		*c = Config(shape.Common)
		c.format, c.syslog, c.syslogKeys = shape.Format, shape.Syslog, shape.Client
	default:
		return fmt.Errorf("protocol %q is unknown; write `protocol: otlp_grpc` (the default), `otlp_http`, `splunk_hec` or `syslog`", protocol)
	}
	if err != nil {
		return fmt.Errorf("with `protocol: %s`, whose keys are not those of the other protocols: %w", protocol, err)
	}
	if queue := c.QueueConfig.Get(); queue != nil && queue.StorageID == nil && !conf.IsSet("sending_queue::queue_size") {
		queue.QueueSize = defaultMemoryQueueBytes
	}
	return nil
}

// checkReplacedHTTPKeys refuses spellings that would have no effect.
func checkReplacedHTTPKeys(conf *confmap.Conf) error {
	for key, instead := range replacedHTTPKeys {
		if conf.IsSet(key) {
			return fmt.Errorf("%s is a key of the past; write `keepalive: {%s}`", key, instead)
		}
	}
	return nil
}

func (c *Config) setHTTP(client httpKeys) {
	c.http = confighttp.ClientConfig(client)
	// `keepalive: {enabled: false}`, in the words that confighttp's ToClient understands.
	c.http.DisableKeepAlives = !c.http.Keepalive.HasValue() //nolint:staticcheck // ToClient knows no other word for it
}

// Marshal implements confmap.Marshaler, so that a printed configuration can be read again. confmap looks for it on the
// value, not on the pointer.
func (c Config) Marshal(conf *confmap.Conf) error {
	var err error
	switch c.Protocol {
	case ProtocolHTTP:
		err = conf.Marshal(httpShape{Common: plain(c), Client: httpKeys(c.http)})
	case ProtocolSplunkHEC:
		err = conf.Marshal(hecShape{Common: plain(c), Format: c.format, HEC: c.hec, Client: httpKeys(c.http)})
	case ProtocolSyslog:
		err = conf.Marshal(syslogShape{Common: plain(c), Format: c.format, Syslog: c.syslog, Client: c.syslogKeys})
	default:
		err = conf.Marshal(grpcShape{Common: plain(c), Timeout: c.grpcTimeout, Client: c.grpc})
	}
	queue := c.QueueConfig.Get()
	if err != nil || queue == nil {
		return err
	}
	// exporterhelper's sizers know how to be read, and not how to be written.
	sizers := map[string]any{"sizer": queue.Sizer.String()}
	if batch := queue.Batch.Get(); batch != nil {
		sizers["batch"] = map[string]any{"sizer": batch.Sizer.String()}
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{"sending_queue": sizers}))
}

// writesText reports whether what is sent proves nothing.
func (c *Config) writesText() bool {
	return (c.Protocol == ProtocolSplunkHEC || c.Protocol == ProtocolSyslog) && c.format == FormatText
}

// overHTTP reports whether the client is confighttp's.
func (c *Config) overHTTP() bool {
	return c.Protocol == ProtocolHTTP || c.Protocol == ProtocolSplunkHEC
}

// tls returns the TLS section of the configured client.
func (c *Config) tls() *configtls.ClientConfig {
	switch {
	case c.overHTTP():
		return &c.http.TLS
	case c.Protocol == ProtocolSyslog:
		return &c.syslogKeys.TLS
	default:
		return &c.grpc.TLS
	}
}

// timeout returns the bound of one request.
func (c *Config) timeout() time.Duration {
	switch {
	case c.overHTTP():
		return c.http.Timeout
	case c.Protocol == ProtocolSyslog:
		return c.syslogKeys.Timeout
	default:
		return c.grpcTimeout
	}
}

// singleEndpoint returns the key `endpoint`.
func (c *Config) singleEndpoint() string {
	switch {
	case c.overHTTP():
		return c.http.Endpoint
	case c.Protocol == ProtocolSyslog:
		return c.syslogKeys.Endpoint
	default:
		return c.grpc.Endpoint
	}
}

// endpoints returns the SIEMs in the order of preference, each with the pins that hold for it.
func (c *Config) endpoints() []EndpointConfig {
	if len(c.Endpoints) == 0 {
		return []EndpointConfig{{Endpoint: c.singleEndpoint(), Pins: c.Pins}}
	}
	endpoints := make([]EndpointConfig, len(c.Endpoints))
	for i, endpoint := range c.Endpoints {
		if len(endpoint.Pins) == 0 {
			endpoint.Pins = c.Pins
		}
		endpoints[i] = endpoint
	}
	return endpoints
}
