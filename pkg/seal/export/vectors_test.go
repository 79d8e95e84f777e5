// SPDX-License-Identifier: Apache-2.0

package export_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestVectors: what every attack of the test vectors comes to in an archive it comes to in an export, too.
func TestVectors(t *testing.T) {
	const vectors = "../testdata/vectors/"
	data, err := os.ReadFile(vectors + "archives.json")
	require.NoError(t, err)
	var manifest []struct {
		File, Trust, From string
		TrustCA           string `json:"trust_ca"`
		Until             time.Time
	}
	require.NoError(t, json.Unmarshal(data, &manifest))
	// What stands beside resourceLogs is a store's own affair where it answers in OTLP.
	envelopes := map[string]bool{"malformed-empty.jsonl": true, "malformed-frame.jsonl": true}
	tried := 0
	for _, v := range manifest {
		if filepath.Ext(v.File) != ".jsonl" || v.Trust == "" || v.From != "" || v.TrustCA != "" || !v.Until.IsZero() {
			continue
		}
		path := filepath.Join(vectors, "archives", v.File)
		trust, err := seal.ParseTrust(strings.NewReader(v.Trust))
		require.NoError(t, err)
		want, err := archive.Verify(t.Context(), []string{path}, verifier.New(trust), time.Time{}, archive.Options{})
		require.NoError(t, err, v.File)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		w := &world{trust: trust[0]}
		if !envelopes[v.File] && len(trust) == 1 {
			got, err := w.verify(t, "otlp", []string{string(text)}, given{})
			require.NoError(t, err, v.File)
			require.Equal(t, want.Verdict, got.Verdict, v.File) // in answers, an object may stand behind another on one line
		}
		if utf8.Valid(text) && len(trust) == 1 {
			var rows strings.Builder
			for line := range bytes.Lines(text) {
				if line = bytes.TrimSpace(line); len(line) > 0 {
					rows.WriteString(object("_msg", quote(string(line))) + "\n")
				}
			}
			got, err := w.verify(t, "victorialogs", []string{rows.String()}, given{})
			require.NoError(t, err, v.File)
			require.Equal(t, want.Verdict, got.Verdict, v.File)
			require.Equal(t, want.Verified, got.Verified, v.File)
			tried++
		}
	}
	require.Greater(t, tried, 100)
}
