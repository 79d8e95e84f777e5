// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/internal/testpki"
)

// A gateway that is asked, with SIGHUP, for a configuration that cannot work runs on with the one it has, says so, and takes
// the next one that works; agents lose nothing by it.
func TestSIGHUPWithABrokenConfigurationKeepsTheProcess(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	logFile := filepath.Join(site.Dir, "app.log")
	site.SetInclude(logFile)
	start(t, site.SIEM)
	gateway := start(t, site.Gateway)
	start(t, site.Agent)
	archive := testbed.Archive{Path: site.ArchivePath()}
	tally := testbed.Tally{Prefix: "reload line "}
	written := 0
	more := func(t *testing.T) {
		t.Helper()
		appendFile(t, logFile, lines(tally.Prefix, written, written+50))
		written += 50
		awaitLines(t, &archive, &tally, written, seconds)
	}
	more(t)

	config := filepath.Join(site.Dir, "gateway.yaml")
	good := string(site.Gateway.Config)
	key, authorities := site.Gateway.Env["LOGSEAL_SERVER_KEY_FILE"], site.Gateway.Env["LOGSEAL_CLIENT_CA_FILE"]
	edit := func(old, replacement string) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			require.Contains(t, good, old)
			require.NoError(t, os.WriteFile(config, []byte(strings.Replace(good, old, replacement, 1)), 0o600))
		}
	}
	file := func(path string, change func([]byte) []byte) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, os.WriteFile(path, before, 0o600)) })
			require.NoError(t, os.WriteFile(path, change(before), 0o600))
		}
	}
	otherKey := func([]byte) []byte {
		path := filepath.Join(t.TempDir(), "other.key")
		require.NoError(t, testpki.NewCA("x").NewLeaf("x").WriteKey(path))
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return content
	}
	health := "${env:LOGSEAL_HEALTH_ENDPOINT:-127.0.0.1:13133}"
	for _, tt := range []struct {
		name   string
		damage func(*testing.T)
		want   string
	}{
		{"half a file", func(t *testing.T) {
			require.NoError(t, os.WriteFile(config, []byte(good[:len(good)/2]+"\n  }: ["), 0o600))
		}, "not valid YAML"},
		{"no file", func(t *testing.T) { require.NoError(t, os.Remove(config)) }, "no such file"},
		{"an empty file", func(t *testing.T) { require.NoError(t, os.WriteFile(config, nil, 0o600)) }, "empty configuration file"},
		{"a key that is unknown", edit("max_concurrent_streams:", "max_concurrent_dreams:"), "max_concurrent_dreams"},
		{"a component that is unknown", edit("  siem:", "  spam:"), "spam"},
		{"no pins", edit("    pins: ${env:LOGSEAL_SIEM_PINS:-[]}\n", ""), "pins are not set"},
		{"a key of another certificate", file(key, otherKey), "private key does not match public key"},
		{"half a bundle of authorities", file(authorities, func(b []byte) []byte { return append(bytes.Clone(b), b[:len(b)/2]...) }), "may be cut off"},
		{"a certificate that is not there", edit("${env:LOGSEAL_SERVER_CERT_FILE:-/etc/logseal/tls/server.crt}", "/does/not/exist.crt"), "/does/not/exist.crt"},
		// These two pass every check and fail at the start, when the old configuration is stopped already.
		{"a port that is taken", edit(health, site.SIEM.Env["LOGSEAL_LISTEN"]), "address already in use"},
		{"a directory that cannot be made", edit("${env:LOGSEAL_STATE_DIR:-/var/lib/logseal/gateway}/dead-letters", "/proc/no/such"), "/proc/no"},
	} {
		ok := t.Run(tt.name, func(t *testing.T) {
			before, err := os.ReadFile(site.Gateway.LogFile())
			require.NoError(t, err)
			refused, err := gateway.Metric(deadline(t, seconds), "otelcol_extension_config_reload_refused")
			require.NoError(t, err)
			tt.damage(t)
			require.NoError(t, gateway.Signal(syscall.SIGHUP))
			require.NoError(t, testbed.Until(deadline(t, seconds), func() (bool, error) {
				now, err := gateway.Metric(deadline(t, seconds), "otelcol_extension_config_reload_refused")
				return err == nil && now == refused+1, nil
			}))
			current, err := gateway.Metric(deadline(t, seconds), "otelcol_extension_config_reload_current")
			require.NoError(t, err)
			assert.Zero(t, current)
			after, err := os.ReadFile(site.Gateway.LogFile())
			require.NoError(t, err)
			assert.Contains(t, string(after[len(before):]), tt.want)
			assert.Regexp(t, "is refused, and the one before runs on|the one before is started again", string(after[len(before):]))
			more(t)
			select {
			case <-gateway.Done():
				t.Fatal("the process ended")
			default:
			}
		})
		require.True(t, ok)
		require.NoError(t, os.WriteFile(config, []byte(good), 0o600))
	}

	// One that works is taken: another health check, on a port of its own.
	ports, err := testbed.FreePorts(1)
	require.NoError(t, err)
	edit("  extensions: [health_check", "  extensions: [health_check, health_check/second")(t)
	changed, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, bytes.Replace(changed, []byte("extensions:\n"), []byte("extensions:\n  health_check/second: {endpoint: "+testbed.Loopback(ports[0])+"}\n"), 1), 0o600))
	require.NoError(t, gateway.Signal(syscall.SIGHUP))
	require.NoError(t, testbed.Until(deadline(t, seconds), func() (bool, error) {
		response, err := http.Get("http://" + testbed.Loopback(ports[0]))
		if err != nil {
			return false, nil
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	}))
	awaitMetric(t, gateway, "otelcol_extension_config_reload_current", 1)
	more(t)
	require.NoError(t, gateway.Stop(seconds))
}
