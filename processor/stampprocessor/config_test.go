// SPDX-License-Identifier: Apache-2.0

package stampprocessor

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
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
	cfg, err := load(t, "stamp")
	require.NoError(t, err)
	assert.Empty(t, cfg.Name)
	assert.True(t, cfg.PostQuantum)
	assert.False(t, cfg.Carry)
	assert.Equal(t, time.Second, cfg.Seal.Interval)
	assert.Equal(t, 1024, cfg.Seal.MaxRecords)
	assert.Equal(t, time.Minute, cfg.Seal.Heartbeat)
}

func TestEveryKey(t *testing.T) {
	cfg, err := load(t, "stamp/every_key")
	require.NoError(t, err)
	assert.Equal(t, "web-17/audit", cfg.Name)
	assert.Equal(t, "stamp.trust", cfg.TrustLineFile)
	assert.Equal(t, "encrypted_storage/state", cfg.Storage.String())
	assert.Equal(t, 250*time.Millisecond, cfg.Seal.Interval)
	assert.Equal(t, 100, cfg.Seal.MaxRecords)
	assert.Equal(t, 10*time.Second, cfg.Seal.Heartbeat)
	assert.False(t, cfg.PostQuantum)
	assert.Equal(t, "agent.pem", cfg.Endorse.CertFile)
	assert.Equal(t, "agent.key", cfg.Endorse.KeyFile)
	assert.Equal(t, []string{"tenant"}, cfg.Seal.ResourceAttributes)
	policy, err := cfg.policy()
	require.NoError(t, err)
	assert.True(t, cfg.Carry)
	assert.Equal(t, []string{"ingest.time", "logseal.client.*", "logseal.original"}, policy.Names())
	assert.Equal(t, []string{"cloud.region", "k8s.*", "logseal.client.*"}, policy.ResourceNames())
}

// TestRefused: each section of the file is refused, naming the key and what to write.
func TestRefused(t *testing.T) {
	for section, want := range map[string][]string{
		"stamp/no_key_file":          {"key_file is not set", "key_file: /var/lib/logseal/stamp.key"},
		"stamp/no_storage":           {"storage is not set", "storage: encrypted_storage"},
		"stamp/bad_name":             {`name "web 17"`, "letters, digits"},
		"stamp/endorse_without_key":  {"endorse.key_file is not set", "take both out"},
		"stamp/endorse_without_cert": {"endorse.cert_file is not set", "take both out"},
		"stamp/short_interval":       {"seal.interval: 10ms", "at least 100ms"},
		"stamp/odd_interval":         {"seal.interval: 1.0000005s", "whole milliseconds"},
		"stamp/short_heartbeat":      {"seal.heartbeat: 500ms", "not less than seal.interval (1s)"},
		"stamp/no_records":           {"seal.max_records: 0", "1 to 1024"},
		"stamp/too_many_records":     {"seal.max_records: 5000", "1 to 1024"},
		"stamp/exclude_all":          {"exclude: ", `"*"`},
		"stamp/exclude_resource":     {"exclude: resource attributes: ", `"k8s*"`},
		"stamp/unknown_key":          {"keyfile"},
		"stamp/two_mistakes_told":    {"key_file is not set", "storage is not set"},
		"stamp/exclude_the_id_too":   {"exclude: ", "logseal.id", "left out anyway"},
	} {
		t.Run(strings.TrimPrefix(section, "stamp/"), func(t *testing.T) {
			_, err := load(t, section)
			require.Error(t, err)
			for _, text := range want {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}
