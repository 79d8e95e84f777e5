// SPDX-License-Identifier: Apache-2.0

package redactprocessor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/logseal/logseal/pkg/redact"
	"github.com/logseal/logseal/processor/redactprocessor/internal/metadata"
)

func load(t *testing.T, conf *confmap.Conf) (*Config, error) {
	t.Helper()
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)

	sub, err := conf.Sub(metadata.Type.String())
	require.NoError(t, err)
	cfg, err := load(t, sub)
	require.NoError(t, err)
	assert.Equal(t, redact.DefaultConfig(), *cfg)

	sub, err = conf.Sub(component.NewIDWithName(metadata.Type, "all").String())
	require.NoError(t, err)
	cfg, err = load(t, sub)
	require.NoError(t, err)
	want := redact.DefaultConfig()
	want.Mode = redact.ModeAudit
	want.OnFailure = redact.Drop
	want.Limits.MaxValueBytes, want.Limits.MaxDepth, want.Limits.OnExceed = 64<<10, 16, redact.Drop
	want.PseudonymKey.ID, want.PseudonymKey.File = "k3", "/etc/logseal/pseudonym.key"
	want.Rules = []redact.Rule{
		{ID: "pan", Action: "partial", KeepFirst: 6, KeepLast: 4},
		{ID: "email", Action: "pseudonymize"},
		{ID: "account", Regex: `ACCT-\d{8}`, Action: "mask"},
		{ID: "any_code", Regex: `[a-f]\d{4}`, ScanAll: true},
	}
	want.Keys.Sensitive, want.Keys.Ignore = []string{"*session*"}, []string{"session.count"}
	want.Allow = []redact.Allow{{Rule: "email", Match: "*@example.com"}}
	want.Annotate = redact.AnnotateCounts
	assert.Equal(t, want, *cfg)
}

func TestConfigErrors(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		wants      []string // what the error names: the key, and the remedy
	}{
		{"unknown key", "mask: all", []string{"mask"}},
		{"size", "limits: {max_value_bytes: 1MB}", []string{"max_value_bytes", "1MiB"}},
		{"seal", "rules: [{id: pan, action: seal}]", []string{"rules[0]", "seal", "pseudonymize"}},
		{"pass", "on_failure: pass", []string{"on_failure", "no pass"}},
		{"truncate and pseudonymize", "pseudonym_key: {id: a, file: /k}\nrules: [{id: pan, action: partial, keep_last: 4}, {id: pan, action: pseudonymize}]", []string{"rules[1] (pan)", "PCI DSS 3.5.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "c.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tt.yaml), 0o600))
			conf, err := confmaptest.LoadConf(file)
			require.NoError(t, err)
			_, err = load(t, conf)
			require.Error(t, err)
			for _, w := range tt.wants {
				assert.Contains(t, err.Error(), w)
			}
			assert.Equal(t, 1, strings.Count(err.Error(), tt.wants[0]), "reported once: %v", err)
		})
	}
}
