// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
)

// TestVectorArchives verifies the archives of testdata/vectors, and compares the
// verdicts with the manifest, in the order of the files and in others.
func TestVectorArchives(t *testing.T) {
	dir := filepath.Join("testdata", "vectors")
	data, err := os.ReadFile(filepath.Join(dir, "archives.json"))
	require.NoError(t, err)
	var manifest []struct {
		File, Trust, Outcome          string
		Until                         time.Time
		Records, Verified, Duplicates uint64
		Verdicts                      map[string]int
	}
	require.NoError(t, json.Unmarshal(data, &manifest))
	require.NotEmpty(t, manifest)
	seen := map[string]int{}
	for _, want := range manifest {
		maps.Copy(seen, want.Verdicts)
	}
	for _, verdict := range []seal.Verdict{
		seal.Altered, seal.Unresolved, seal.Missing, seal.Inserted, seal.Conflict, seal.Unstamped, seal.Orphan, seal.Malformed, seal.Late, seal.Absent, seal.UnknownStream,
		seal.BadSeal, seal.MissingSeal, seal.Forked, seal.BrokenChain, seal.Unsupported, seal.Silent, seal.Unsealed, seal.StateRolledBack, seal.Doubt, seal.Voided, seal.OpenEnd,
	} {
		require.Contains(t, seen, string(verdict), "no archive shows it")
	}
	for _, want := range manifest {
		t.Run(want.File, func(t *testing.T) {
			trust, err := seal.ParseTrust(strings.NewReader(want.Trust))
			require.NoError(t, err)
			data, err := os.ReadFile(filepath.Join(dir, "archives", want.File))
			require.NoError(t, err)
			for seed := range uint64(8) {
				if seed > 0 && (filepath.Ext(want.File) != ".jsonl" || want.Verdicts["FORKED"] > 0) {
					break // which branch of a fork is followed depends on the order
				}
				if seed > 0 {
					lines := strings.SplitAfter(string(data), "\n")
					rand.New(rand.NewPCG(seed, 0)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
					data = []byte(strings.Join(lines, ""))
				}
				path := filepath.Join(t.TempDir(), want.File)
				require.NoError(t, os.WriteFile(path, data, 0o600))
				report, err := archive.Verify(t.Context(), []string{path}, seal.NewVerifier(trust), want.Until, archive.Options{})
				require.NoError(t, err)
				got := map[string]int{}
				for _, f := range report.Findings {
					got[string(f.Verdict)] += int(f.Count)
				}
				require.Equal(t, want.Verdicts, got, "seed %d", seed)
				require.Equal(t, want.Outcome, string(report.Outcome))
				require.Equal(t, want.Records, report.Records, "records")
				require.Equal(t, want.Verified, report.Verified, "verified")
				require.Equal(t, want.Duplicates, report.Duplicates, "duplicates")
			}
		})
	}
}
