// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/require"
)

// What root may read is everything: tests/health_test.go takes that from a whole process.
func TestReachable(t *testing.T) {
	dir := t.TempDir()
	cfg := NewFactory().CreateDefaultConfig().(*stock.FileLogConfig)
	cfg.InputConfig.Include = []string{filepath.Join(dir, "*.log"), filepath.Join(dir, "*/*.log")}

	require.ErrorContains(t, reachable(cfg), "no file matches")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "app.log"), nil, 0o600))
	require.NoError(t, reachable(cfg))
	cfg.InputConfig.Exclude = []string{filepath.Join(dir, "app.log")}
	require.ErrorContains(t, reachable(cfg), "so nothing is read")

	if os.Geteuid() == 0 {
		return
	}
	cfg.InputConfig.Exclude = nil
	require.NoError(t, os.Chmod(filepath.Join(dir, "app.log"), 0))
	require.ErrorContains(t, reachable(cfg), "permission denied")
}

func TestExcludesAFolder(t *testing.T) {
	for exclude, want := range map[string]bool{
		"/var/log/private/*.log": true, "/var/log/private/*": true, "/var/log/private/**": true,
		"/var/log/private/a.log": false, "/var/log/other/*": false,
	} {
		c := matcher.Criteria{Include: []string{"/var/log/*/*.log"}, Exclude: []string{exclude}}
		require.Equal(t, want, excludes(c, "/var/log/*/*.log", "/var/log/private"), exclude)
	}
}
