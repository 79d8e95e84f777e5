// SPDX-License-Identifier: Apache-2.0

package configcheck

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	ca := testpki.NewCA("ca")
	require.NoError(t, ca.WriteCert(path("ca.pem")))
	ca.NewLeaf("a").WriteFiles(t, dir, "a")
	ca.NewLeaf("b").WriteFiles(t, dir, "b")
	ca.NewLeaf("old", testpki.Expired()).WriteFiles(t, dir, "old")
	whole, err := os.ReadFile(path("ca.pem"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path("cut.pem"), append(append([]byte{}, whole...), whole[:len(whole)-30]...), 0o600))
	require.NoError(t, os.WriteFile(path("empty.pem"), nil, 0o600))

	for name, tt := range map[string]struct {
		tls     map[string]any
		want    string
		expired bool
	}{
		"right":                  {map[string]any{"cert_file": path("a.pem"), "key_file": path("a.key"), "client_ca_file": path("ca.pem")}, "", false},
		"another key":            {map[string]any{"cert_file": path("a.pem"), "key_file": path("b.key")}, "private key does not match public key", false},
		"expired":                {map[string]any{"cert_file": path("old.pem"), "key_file": path("old.key")}, "expired on", true},
		"absent":                 {map[string]any{"ca_file": path("absent.pem")}, "no such file", false},
		"cut off":                {map[string]any{"client_ca_file": path("cut.pem")}, "cut off", false},
		"empty":                  {map[string]any{"ca_file": path("empty.pem")}, "no PEM block", false},
		"a key for an authority": {map[string]any{"ca_file": path("a.key")}, "no PEM block", false},
	} {
		t.Run(name, func(t *testing.T) {
			conf := map[string]any{
				"receivers": map[string]any{
					"otlp":     map[string]any{"protocols": map[string]any{"grpc": map[string]any{"tls": tt.tls}}},
					"not_used": map[string]any{"tls": map[string]any{"ca_file": path("absent.pem")}},
				},
				"service": map[string]any{"pipelines": map[string]any{"logs": map[string]any{"receivers": []any{"otlp"}}}},
			}
			problems := Files(conf, time.Now())
			if tt.want == "" {
				assert.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0].String(), "receivers::otlp::protocols::grpc::tls::")
			assert.Contains(t, problems[0].String(), tt.want)
			assert.Equal(t, tt.expired, Unusable(problems) == nil)
		})
	}
}
