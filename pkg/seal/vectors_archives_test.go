// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
)

// TestVectorArchives verifies the archives of testdata/vectors, and compares the
// verdicts with the manifest.
func TestVectorArchives(t *testing.T) {
	dir := filepath.Join("testdata", "vectors")
	data, err := os.ReadFile(filepath.Join(dir, "archives.json"))
	require.NoError(t, err)
	var manifest []struct {
		File, Trust, Outcome string
		Records, Verified    uint64
		Verdicts             map[string]int
	}
	require.NoError(t, json.Unmarshal(data, &manifest))
	require.NotEmpty(t, manifest)
	for _, want := range manifest {
		t.Run(want.File, func(t *testing.T) {
			trust, err := seal.ParseTrustLine(want.Trust)
			require.NoError(t, err)
			report, err := archive.Verify(t.Context(), []string{filepath.Join(dir, "archives", want.File)},
				seal.NewVerifier([]seal.Trust{trust}), time.Time{}, archive.Options{})
			require.NoError(t, err)
			got := map[string]int{}
			for _, f := range report.Findings {
				got[string(f.Verdict)] += int(f.Count)
			}
			require.Equal(t, want.Verdicts, got)
			require.Equal(t, want.Outcome, string(report.Outcome))
			require.Equal(t, want.Records, report.Records, "records")
			require.Equal(t, want.Verified, report.Verified, "verified")
		})
	}
}
