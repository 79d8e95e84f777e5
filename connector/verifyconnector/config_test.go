// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	load := func(name string) *Config {
		sub, err := conf.Sub(name)
		require.NoError(t, err)
		config := createDefaultConfig().(*Config)
		require.NoError(t, sub.Unmarshal(config))
		require.NoError(t, config.Validate())
		return config
	}
	assert.Equal(t, &Config{
		Trust:     TrustConfig{File: "testdata/streams.trust", Unknown: "alert"},
		LateAfter: 30 * time.Second, SilentAfter: 3 * time.Minute, MaxPendingRecords: 1_000_000,
	}, load("verify"))
	id := component.MustNewID("encrypted_storage")
	assert.Equal(t, &Config{
		Trust:   TrustConfig{File: "/etc/logseal/trust", CAFile: "/etc/logseal/tls/ca.crt", Unknown: "learn", LearnedFile: "/var/lib/logseal/gateway/learned.trust"},
		Storage: &id, LateAfter: 10 * time.Second, SilentAfter: 5 * time.Minute, MaxPendingRecords: 50_000,
		BindIdentity: true, Partial: true,
	}, load("verify/all"))
}

// TestConfigErrors: each names the key and what to write.
func TestConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"trust.file is not set":                     func(c *Config) { c.Trust.File = "" },
		`trust.unknown: "ask": write alert`:         func(c *Config) { c.Trust.Unknown = "ask" },
		"storage is not set":                        func(c *Config) { c.Trust.Unknown = "learn" },
		"late_after: 10ms: write 1s to 24h0m0s":     func(c *Config) { c.LateAfter = 10 * time.Millisecond },
		"silent_after: 48h0m0s: write 1s":           func(c *Config) { c.SilentAfter = 48 * time.Hour },
		"max_pending_records: 5: write 1024":        func(c *Config) { c.MaxPendingRecords = 5 },
		"trust.learned_file is trust.file: what wa": func(c *Config) { learning(c); c.Trust.LearnedFile = c.Trust.File },
		"storage is not set: with trust.ca_file":    func(c *Config) { c.Trust.CAFile = "ca.crt" },
		"trust.learned_file is trust.ca_file, and":  func(c *Config) { learning(c); c.Trust.CAFile, c.Trust.LearnedFile = "ca.crt", "ca.crt" },
		"trust.file is not set: a checkpoint says":  func(c *Config) { learning(c); c.Trust.File, c.Trust.CheckpointFile = "", "checkpoint.json" },
		"trust.ca_file is trust.file: write the":    func(c *Config) { learning(c); c.Trust.CAFile = c.Trust.File },
	} {
		config := createDefaultConfig().(*Config)
		config.Trust.File = "testdata/streams.trust"
		require.NoError(t, config.Validate())
		change(config)
		assert.ErrorContains(t, config.Validate(), want)
	}
}

// TestConfigOfCAsAlone: with a CA no trust line is needed.
func TestConfigOfCAsAlone(t *testing.T) {
	config := createDefaultConfig().(*Config)
	id := component.MustNewID("encrypted_storage")
	config.Trust.CAFile, config.Storage = "ca.crt", &id
	assert.NoError(t, config.Validate())
}

func learning(c *Config) {
	id := component.MustNewID("encrypted_storage")
	c.Trust.Unknown, c.Storage = "learn", &id
}
