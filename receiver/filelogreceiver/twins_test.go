// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/require"
)

func TestTwins(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cfg := NewFactory().CreateDefaultConfig().(*stock.FileLogConfig)
	cfg.InputConfig.Include = []string{filepath.Join(dir, "*.log")}
	w := newTwins(cfg)
	look := func() error {
		w.looked = time.Time{}
		return w.look()
	}
	boot := strings.Repeat("kernel: the same line\n", 200)
	require.NoError(t, look())
	write("short.log", boot[:500])
	write("shorter.log", boot[:500])
	require.NoError(t, look(), "files shorter than a fingerprint are told apart when they have grown")

	write("syslog.log", boot)
	require.NoError(t, look())
	write("syslog.log.1", boot)
	require.NoError(t, look(), "a copy")
	require.NoError(t, os.Link(filepath.Join(dir, "syslog.log"), filepath.Join(dir, "link.log")))
	require.NoError(t, look(), "a link")
	require.NoError(t, os.Remove(filepath.Join(dir, "link.log")))
	require.NoError(t, os.Remove(filepath.Join(dir, "syslog.log.1")))

	write("messages.log", boot+"one\n")
	require.NoError(t, look(), "not known yet: the other may get the same")
	write("syslog.log", boot+"two\n")
	for range 2 {
		err := look()
		require.ErrorContains(t, err, filepath.Join(dir, "messages.log")+" and "+filepath.Join(dir, "syslog.log"))
		require.ErrorContains(t, err, "the same 4400 bytes")
		require.ErrorContains(t, err, "fingerprint_size, now 1000,")
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "syslog.log")))
	require.NoError(t, look())
	require.Empty(t, w.pairs)
}
