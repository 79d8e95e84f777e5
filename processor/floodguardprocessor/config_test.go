// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/logseal/logseal/pkg/flood"
	"github.com/logseal/logseal/processor/floodguardprocessor/internal/metadata"
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
	cfg, err := load(t, "flood_guard")
	require.NoError(t, err)
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Equal(t, flood.Rate{Records: 2000, Bytes: 2 << 20, Burst: 10 * time.Second}, cfg.Rate.rate())
}

func TestEveryKey(t *testing.T) {
	cfg, err := load(t, "flood_guard/every_key")
	require.NoError(t, err)
	engine := cfg.engine()
	assert.Equal(t, flood.Rate{Records: 1000, Bytes: 1 << 19, Burst: 5 * time.Second}, engine.Rate)
	assert.Equal(t, flood.Rate{Records: 3000, Bytes: 1 << 20, Burst: 20 * time.Second}, engine.Total)
	assert.InDelta(t, 0.3, engine.Reserve, 0)
	assert.True(t, engine.Hold)
	assert.Equal(t, 50, engine.MaxKeys)
	assert.Equal(t, 2*time.Second, cfg.ReportInterval)
	assert.Equal(t, "file_storage/state", cfg.Storage.String())
	for path, want := range map[string]flood.Rate{
		"/var/log/audit/audit.log":   {Records: 20000, Bytes: 1 << 19, Burst: 5 * time.Second},
		"/var/log/app/noise.log":     {Records: 0, Bytes: 0.1 * (1 << 20), Burst: time.Second},
		"/var/log/audit/a/audit.log": {},
		"/var/log/syslog":            {},
	} {
		rate, found := engine.RateOf(flood.Key{Name: "log.file.path", Value: path})
		assert.Equal(t, want != flood.Rate{}, found, path)
		assert.Equal(t, want, rate, path)
	}
}

// TestRefused: each section of the file is refused, naming the key and what to write.
func TestRefused(t *testing.T) {
	for section, want := range map[string][]string{
		"flood_guard/no_key":             {"key is empty", "log.file.path"},
		"flood_guard/empty_key":          {"key[0] is empty"},
		"flood_guard/key_twice":          {`key[1]: "log.file.path" is there twice`},
		"flood_guard/unknown_client_key": {`key[0]: there is no "client.port"`, "client.address"},
		"flood_guard/negative_rate":      {"rate.records: -1", "0 for no limit"},
		"flood_guard/negative_bytes":     {"total.bytes_mib: -1"},
		"flood_guard/short_burst":        {"rate.burst: 10ms", "1s to 24h"},
		"flood_guard/all_reserved":       {"reserve.share: 1", "0.2 is the default"},
		"flood_guard/bad_severity":       {`reserve.min_severity: "loud"`, "debug, error, fatal"},
		"flood_guard/bad_mode":           {`on_exceed: "sample"`, "drop", "hold"},
		"flood_guard/no_keys":            {"max_keys: 0", "10000"},
		"flood_guard/short_interval":     {"report_interval: 10ms", "at least 1s"},
		"flood_guard/bad_pattern":        {"overrides[0].key", "/var/log/audit/*"},
		"flood_guard/no_pattern":         {"overrides[0].key"},
		"flood_guard/bad_override":       {"overrides[0].rate.records: -1"},
		"flood_guard/unknown_key":        {"rates"},
		"flood_guard/unknown_key_within": {"lines"},
	} {
		t.Run(section, func(t *testing.T) {
			_, err := load(t, section)
			require.Error(t, err)
			for _, text := range want {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}

func TestConditionThatDoesNotParse(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Reserve.Conditions = []string{`attributes["event.name" == "x"`}
	_, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.ErrorContains(t, err, "reserve.conditions")
}
