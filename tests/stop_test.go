// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// Whoever asks an agent to end while it starts gets an orderly end: what has been started is stopped, and the exit status is 0.
func TestSIGTERMDuringTheStartIsAnOrderlyEnd(t *testing.T) {
	for _, tt := range []struct{ name, after string }{
		{"before anything runs", "Starting otelcol-logseal"},
		{"when the extensions run, which is what a liveness probe sees", "Extension started"},
		{"when everything runs", "Everything is ready"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site := newSite(t)
			site.SetInclude(filepath.Join(site.Dir, "app.log"))
			config, log := filepath.Join(site.Dir, "agent.yaml"), filepath.Join(site.Dir, "start.log")
			require.NoError(t, os.WriteFile(config, site.Agent.Config, 0o600))
			output, err := os.Create(log)
			require.NoError(t, err)
			defer output.Close()
			cmd := exec.CommandContext(deadline(t, seconds), collector, "--config", config)
			cmd.Stdout, cmd.Stderr = output, output
			cmd.Env = os.Environ()
			for name, value := range site.Agent.Env {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			require.NoError(t, cmd.Start())
			var text []byte
			require.NoError(t, testbed.Until(deadline(t, seconds), func() (bool, error) {
				text, err = os.ReadFile(log)
				return bytes.Contains(text, []byte(tt.after)), err
			}), "%s", text)
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			err = cmd.Wait()
			text, _ = os.ReadFile(log)
			require.NoErrorf(t, err, "%s", text)
			assert.Equal(t, 1, strings.Count(string(text), "Shutdown complete"), "%s", text)
		})
	}
}
