// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/logseal/logseal/pkg/seal/watch"
)

// load reads one section of testdata/config.yaml as the collector does.
func load(t *testing.T, section string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	sub, err := all.Sub(section)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestDefaults(t *testing.T) {
	cfg, err := load(t, "siem")
	require.NoError(t, err)
	queue := cfg.QueueConfig.Get()
	require.NotNil(t, queue)
	assert.EqualValues(t, 2<<30, queue.QueueSize)
	assert.Equal(t, "bytes", queue.Sizer.String())
	assert.True(t, queue.BlockOnOverflow)
	require.True(t, queue.Batch.HasValue())
	assert.EqualValues(t, 3_000_000, queue.Batch.Get().MaxSize)
	assert.Equal(t, "bytes", queue.Batch.Get().Sizer.String())
	assert.True(t, cfg.RetryConfig.Enabled)
	assert.Zero(t, cfg.RetryConfig.MaxElapsedTime)
	retry := cfg.RetryConfig
	assert.Less(t, time.Duration(float64(retry.MaxInterval)*(1+retry.RandomizationFactor)), watch.DefaultLateAfter,
		"what waits to be sent again would be called missing when its seal has overtaken it")
	assert.Equal(t, "1.3", cfg.tls().MinVersion)
	assert.Equal(t, time.Hour, cfg.tls().ReloadInterval)
	assert.Len(t, cfg.Pins, 2)
}

func TestEveryKey(t *testing.T) {
	cfg, err := load(t, "siem/every_key")
	require.NoError(t, err)
	assert.Equal(t, "zstd", string(cfg.grpc.Compression))
	assert.Equal(t, 3*time.Second, cfg.timeout())
	assert.EqualValues(t, 50, cfg.QueueConfig.Get().QueueSize)
	assert.Equal(t, "siem.internal", cfg.tls().ServerName)
}

func TestHTTP(t *testing.T) {
	cfg, err := load(t, "siem/http")
	require.NoError(t, err)
	assert.Equal(t, "https://siem.example.com:4318", cfg.singleEndpoint())
	assert.Equal(t, defaultTimeout, cfg.timeout())
	assert.Equal(t, "1.3", cfg.tls().MinVersion)

	cfg, err = load(t, "siem/http_every_key")
	require.NoError(t, err)
	assert.Equal(t, 3*time.Second, cfg.timeout())
	assert.Equal(t, "http://proxy.example.com:3128", cfg.http.ProxyURL)
	assert.Equal(t, DeadLetterConfig{Directory: "/var/lib/logseal/dead", MaxSizeMiB: 7}, cfg.DeadLetter)
	assert.True(t, cfg.RequirePostQuantum)
	assert.Equal(t, 30*time.Second, cfg.http.Keepalive.Get().IdleConnTimeout)
	assert.Equal(t, 100, cfg.http.Keepalive.Get().MaxIdleConns)
	assert.False(t, cfg.http.DisableKeepAlives) //nolint:staticcheck // see Unmarshal

	cfg, err = load(t, "siem/http_no_keepalive")
	require.NoError(t, err)
	assert.True(t, cfg.http.DisableKeepAlives) //nolint:staticcheck // see Unmarshal
}

func TestSplunkHEC(t *testing.T) {
	cfg, err := load(t, "siem/hec")
	require.NoError(t, err)
	assert.Equal(t, FormatOriginal, cfg.format)
	assert.Equal(t, originalSourceType, cfg.hec.SourceType.Value)
	assert.Equal(t, hecConsumers, cfg.consumers())
	assert.EqualValues(t, hecBatch, cfg.QueueConfig.Get().Batch.Get().MinSize)
	assert.Equal(t, defaultTimeout, cfg.timeout())
	assert.Equal(t, "1.3", cfg.tls().MinVersion)

	cfg, err = load(t, "siem/hec_every_key")
	require.NoError(t, err)
	assert.Equal(t, FormatText, cfg.format)
	assert.Empty(t, cfg.hec.SourceType, "the token's")
	assert.Equal(t, EventField{Value: "gateway-1"}, cfg.hec.Host)
	assert.Equal(t, EventField{Attribute: "com.example.index", Value: "security"}, cfg.hec.Index)
	assert.Equal(t, 10*time.Minute, cfg.hec.AckTimeout)
	assert.Equal(t, 20, cfg.consumers())
	assert.Zero(t, cfg.QueueConfig.Get().Batch.Get().MinSize, "which would be in records")
}

func TestSyslog(t *testing.T) {
	cfg, err := load(t, "siem/syslog")
	require.NoError(t, err)
	assert.Equal(t, FormatOriginal, cfg.format)
	assert.Equal(t, 65536, cfg.maxMessageBytes(cfg.endpoints()[0]))
	assert.Equal(t, defaultTimeout, cfg.timeout())
	assert.Equal(t, "1.3", cfg.tls().MinVersion)

	cfg, err = load(t, "siem/syslog_every_key")
	require.NoError(t, err)
	assert.Equal(t, FormatText, cfg.format)
	assert.Equal(t, 3*time.Second, cfg.timeout())
	assert.Equal(t, EventField{Value: "gateway-1"}, cfg.syslog.Hostname)
	assert.Equal(t, 32768, cfg.maxMessageBytes(cfg.endpoints()[0]))
	assert.Equal(t, 8192, cfg.maxMessageBytes(cfg.endpoints()[1]))
}

func TestEndpoints(t *testing.T) {
	cfg, err := load(t, "siem/failover")
	require.NoError(t, err)
	endpoints := cfg.endpoints()
	require.Len(t, endpoints, 2)
	assert.Equal(t, cfg.Pins, endpoints[0].Pins)
	assert.Len(t, endpoints[1].Pins, 1)
}

func TestMemoryQueueByName(t *testing.T) {
	_, err := load(t, "siem/memory_allowed")
	require.NoError(t, err)
}

// TestPrintedConfigCanBeRead: what the collector prints is the configuration it runs with.
func TestPrintedConfigCanBeRead(t *testing.T) {
	for _, section := range []string{"siem", "siem/every_key", "siem/http", "siem/http_every_key", "siem/failover", "siem/hec", "siem/hec_every_key", "siem/syslog", "siem/syslog_every_key"} {
		t.Run(section, func(t *testing.T) {
			cfg, err := load(t, section)
			require.NoError(t, err)
			whole := confmap.New()
			require.NoError(t, whole.Marshal(map[string]any{"siem": cfg})) // as a part of the collector's configuration
			printed, err := whole.Sub("siem")
			require.NoError(t, err)
			again := createDefaultConfig().(*Config)
			require.NoError(t, printed.Unmarshal(again))
			cfg.grpc.Headers, again.grpc.Headers = nil, nil // their values are not printed
			cfg.http.Headers, again.http.Headers = nil, nil
			cfg.hec.Token, again.hec.Token = "", ""
			assert.Equal(t, cfg, again)
		})
	}
}

// TestRefused: each section of the file is refused, naming the key and what to write.
func TestRefused(t *testing.T) {
	for section, want := range map[string][]string{
		"siem/no_endpoint":               {"endpoint is not set", "siem.example.com:4317"},
		"siem/plain_scheme":              {"in the clear", "write `endpoint: siem.example.com:4317`"},
		"siem/no_port":                   {"missing port"},
		"siem/insecure":                  {"tls.insecure would send logs in the clear", "ca_file"},
		"siem/skip_verify":               {"tls.insecure_skip_verify", "ca_file"},
		"siem/old_tls":                   {"tls.min_version \"1.1\"", "1.3 is the default"},
		"siem/max_below_min":             {"min_version cannot be greater than max_version"},
		"siem/insecure_ciphers":          {"tls.include_insecure_cipher_suites", "remove it"},
		"siem/no_pins":                   {"pins are not set", "logseal pin"},
		"siem/hex_pin":                   {"pins[0]", "hexadecimal", "logseal pin"},
		"siem/short_pin":                 {"pins[0]", "holds 3 bytes", "logseal pin"},
		"siem/repeated_pin":              {"pins[1] repeats pins[0]", "another key"},
		"siem/queue_of_few_bytes":        {"sending_queue.queue_size: 50000 is counted in bytes", "sizer: requests"},
		"siem/queue_without_bound":       {"sending_queue.sizer: items without queue_size", "queue_size: 10000"},
		"siem/no_storage":                {"sending_queue.storage is not set", "sending_queue: {storage: encrypted_storage}"},
		"siem/queue_off":                 {"sending_queue is switched off", "remove `enabled: false`"},
		"siem/drops_when_full":           {"sending_queue.block_on_overflow", "remove it"},
		"siem/finite_retry":              {"retry_on_failure.max_elapsed_time: 5m0s", "remove it"},
		"siem/retry_off":                 {"retry_on_failure is switched off", "remove `enabled: false`"},
		"siem/no_timeout":                {"timeout: 0", "remove it"},
		"siem/unknown_key":               {"pin_sha256"},
		"siem/unknown_protocol":          {"protocol \"gelf\" is unknown", "otlp_http", "splunk_hec"},
		"siem/hec_key_in_grpc":           {"otlp_grpc", "splunk_hec"},
		"siem/format_in_http":            {"otlp_http", "format"},
		"siem/hec_plain":                 {"in the clear", "https://splunk.example.com:8088"},
		"siem/hec_no_token":              {"splunk_hec.token is not set", "${env:SPLUNK_HEC_TOKEN}"},
		"siem/hec_whole_header":          {"splunk_hec.token begins with the word Splunk", "the token alone"},
		"siem/hec_token_with_line_break": {"splunk_hec.token has a space, a line break"},
		"siem/hec_auth":                  {"auth would take the place of splunk_hec.token", "remove auth"},
		"siem/hec_header":                {"headers: authorization is set by this exporter"},
		"siem/hec_zstd":                  {"compression: zstd", "gzip is the default"},
		"siem/hec_no_length":             {"splunk_hec.max_content_length", "1000000 is the default"},
		"siem/hec_no_patience":           {"splunk_hec.ack_timeout", "5m0s is the default"},
		"siem/hec_format":                {"format: \"json\" is unknown", "format: text"},
		"siem/syslog_no_limit":           {"syslog.max_message_bytes is not set", "syslog: {max_message_bytes: 65536}"},
		"siem/syslog_tiny_limit":         {"syslog.max_message_bytes: 100", "write 480 or more"},
		"siem/syslog_no_port":            {"missing port", "syslog.example.com:6514"},
		"siem/syslog_plain":              {"in the clear", "syslog.example.com:6514"},
		"siem/syslog_compressed":         {"syslog", "compression"},
		"siem/syslog_insecure":           {"tls.insecure would send logs in the clear"},
		"siem/syslog_old_tls":            {"tls.min_version \"1.1\""},
		"siem/syslog_no_pins":            {"pins are not set"},
		"siem/syslog_limit_in_grpc":      {"endpoints[0].max_message_bytes is a key of `protocol: syslog`"},
		"siem/hec_bare_index":            {"splunk_hec.index is no value alone", "`splunk_hec: {index: {value: security}}`"},
		"siem/hec_bare_host":             {"splunk_hec.host is no value alone", "{attribute: …}"},
		"siem/syslog_bare_name":          {"syslog.app_name is no value alone", "`syslog: {app_name: {value: 7}}`"},
		"siem/hec_slip":                  {"tokn"},
		"siem/http_key_in_grpc":          {"otlp_grpc", "proxy_url"},
		"siem/grpc_key_in_http":          {"otlp_http", "balancer_name"},
		"siem/http_plain":                {"in the clear", "https://siem.example.com:4318"},
		"siem/http_no_scheme":            {"no https URL", "https://siem.example.com:4318"},
		"siem/http_insecure":             {"tls.insecure would send logs in the clear"},
		"siem/http_no_timeout":           {"timeout: 0"},
		"siem/endpoint_and_endpoints":    {"endpoint and endpoints are both set"},
		"siem/endpoints_no_pins":         {"endpoints[1].pins are not set", "logseal pin"},
		"siem/endpoints_bad_pin":         {"endpoints[0].pins[0]", "logseal pin"},
		"siem/endpoints_plain":           {"endpoints[0].endpoint", "in the clear"},
		"siem/pq_curves":                 {"require_post_quantum contradicts tls.curve_preferences", "X25519MLKEM768"},
		"siem/pq_old_tls":                {"require_post_quantum needs TLS 1.3"},
		"siem/negative_reload":           {"tls.reload_interval", "1h is the default"},
		"siem/dead_letter_size":          {"dead_letter.max_size_mib", "100 is the default"},
		"siem/half_client_cert":          {"both certificate and key"},
		"siem/http_queue_off":            {"sending_queue is switched off"},
		"siem/http_slip_in_tls":          {"ca_fil"},
		"siem/http_slip":                 {"pinns"},
		"siem/http_slip_in_queue":        {"storag"},
		"siem/http_old_key":              {"disable_keep_alives", "keepalive: {enabled: false}"},
		"siem/two_mistakes_both_told":    {"tls.insecure", "pins are not set"},
	} {
		t.Run(strings.TrimPrefix(section, "siem/"), func(t *testing.T) {
			_, err := load(t, section)
			require.Error(t, err)
			for _, text := range want {
				assert.Contains(t, err.Error(), text)
			}
		})
	}
}
