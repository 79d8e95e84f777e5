// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
)

// `logseal check` tells before a start what the collector would find out after it.
func TestCheckFindsWhatAStartWould(t *testing.T) {
	site := newSite(t)
	site.SetInclude(filepath.Join(site.Dir, "app.log"))
	start(t, site.Gateway)
	config := filepath.Join(t.TempDir(), "agent.yaml")
	require.NoError(t, os.WriteFile(config, site.Agent.Config, 0o600))
	foreign := testpki.NewCA("foreign")
	foreignCert, foreignKey := foreign.NewLeaf("agent").WriteFiles(t, t.TempDir(), "foreign")
	expiredCert, expiredKey := foreign.NewLeaf("agent", testpki.Expired()).WriteFiles(t, t.TempDir(), "expired")
	for name, tt := range map[string]struct {
		env    map[string]string
		args   []string
		want   []string
		status int
	}{
		"all is well":            {nil, nil, []string{"ok    configuration", "ok    files", "ok    exporters::siem: 127.0.0.1:", "TLS 1.3, pinned key"}, 0},
		"another key is pinned":  {map[string]string{"LOGSEAL_SIEM_PINS": "[sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]"}, nil, []string{"WRONG exporters::siem", "pin_mismatch"}, 1},
		"nobody listens":         {map[string]string{"LOGSEAL_SIEM_ENDPOINT": "127.0.0.1:1"}, nil, []string{"WRONG exporters::siem", "connection refused"}, 1},
		"nobody is asked":        {map[string]string{"LOGSEAL_SIEM_ENDPOINT": "127.0.0.1:1"}, []string{"--no-network"}, []string{"ok    files"}, 0},
		"our CA is another":      {map[string]string{"LOGSEAL_CERT_FILE": foreignCert, "LOGSEAL_KEY_FILE": foreignKey}, nil, []string{"the server refuses this host's certificate"}, 1},
		"our certificate is old": {map[string]string{"LOGSEAL_CERT_FILE": expiredCert, "LOGSEAL_KEY_FILE": expiredKey}, nil, []string{"WRONG exporters::siem::tls::cert_file", "expired on"}, 1},
		"the key is another":     {map[string]string{"LOGSEAL_KEY_FILE": foreignKey}, nil, []string{"private key does not match public key"}, 1},
		"a file is not there":    {map[string]string{"LOGSEAL_CA_FILE": "/does/not/exist.crt"}, nil, []string{"WRONG exporters::siem::tls::ca_file", "/does/not/exist.crt"}, 1},
		"no pins":                {map[string]string{"LOGSEAL_SIEM_PINS": "[]"}, nil, []string{"WRONG configuration", "pins are not set"}, 1},
		"no such configuration":  {nil, []string{"--config", "/does/not/exist.yaml"}, []string{"/does/not/exist.yaml"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			env := maps.Clone(site.Agent.Env)
			maps.Copy(env, tt.env)
			list := []string{"PATH=" + os.Getenv("PATH")}
			for name, value := range env {
				list = append(list, name+"="+value)
			}
			out, status := run(t, list, logseal, append([]string{"check", "--config", config}, tt.args...)...)
			assert.Equal(t, tt.status, status, out)
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
		})
	}
}
