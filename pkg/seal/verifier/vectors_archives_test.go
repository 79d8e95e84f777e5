// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// vectorArchive is an entry of testdata/vectors/archives.json.
type vectorArchive struct {
	File, Trust, From, Outcome    string
	TrustCA                       string `json:"trust_ca"`
	Quantum                       bool   `json:"require_post_quantum"`
	PostQuantum                   *int   `json:"post_quantum_until"`
	Until                         time.Time
	Records, Verified, Duplicates uint64
	Verdicts                      map[string]int
}

func vectorManifest(t *testing.T) (dir string, manifest []vectorArchive) {
	t.Helper()
	dir = filepath.Join("..", "testdata", "vectors")
	data, err := os.ReadFile(filepath.Join(dir, "archives.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &manifest))
	require.NotEmpty(t, manifest)
	return dir, manifest
}

// verifier returns one that trusts what the archive is to be verified with.
func (want *vectorArchive) verifier(t *testing.T) *verifier.Verifier {
	t.Helper()
	var trust []seal.Trust
	if want.Trust != "" {
		var err error
		trust, err = seal.ParseTrust(strings.NewReader(want.Trust))
		require.NoError(t, err)
	}
	v := verifier.New(trust)
	if want.Quantum {
		v.RequirePostQuantum()
	}
	if want.TrustCA != "" {
		roots, err := endorse.ParseRoots([]byte(want.TrustCA))
		require.NoError(t, err)
		v.TrustCA(roots)
	}
	if want.From != "" {
		note, err := seal.ParseNote(want.From)
		require.NoError(t, err)
		require.NoError(t, v.From([]verifier.Checkpoint{verifier.NewCheckpoint([]*seal.Seal{note.Seal})}, finding.Place{}))
	}
	return v
}

// check compares the verdict on files with the manifest's.
func (want *vectorArchive) check(t *testing.T, files []string, what string) {
	t.Helper()
	report, err := archive.Verify(t.Context(), files, want.verifier(t), want.Until, archive.Options{})
	require.NoError(t, err, what)
	require.Equal(t, want.Outcome, string(report.Verdict), what)
	require.Equal(t, want.Records, report.Records, "records: %s", what)
	got := map[string]int{}
	for _, f := range report.Findings {
		got[string(f.Code)] += int(f.Count)
	}
	if want.Verdicts["FORKED"] > 0 && what != inOrder { // which branch of a fork is followed depends on the order
		require.Equal(t, want.Verdicts["FORKED"], got["FORKED"], what)
		return
	}
	require.Equal(t, want.Verdicts, got, what)
	if want.PostQuantum != nil {
		require.Empty(t, report.Streams[0].NotPostQuantum, what)
		require.EqualValues(t, *want.PostQuantum, report.Streams[0].PostQuantum, what)
	}
	for _, s := range report.Streams {
		require.True(t, want.PostQuantum != nil || s.Seals == 0 || s.NotPostQuantum != "", what)
	}
	require.Equal(t, want.Verified, report.Verified, "verified: %s", what)
	require.Equal(t, want.Duplicates, report.Duplicates, "duplicates: %s", what)
}

const inOrder = "in order"

// TestVectorArchives verifies the archives of testdata/vectors, and compares the
// verdicts with the manifest, in the order of the files and in others.
func TestVectorArchives(t *testing.T) {
	dir, manifest := vectorManifest(t)
	seen := map[string]int{}
	for _, want := range manifest {
		maps.Copy(seen, want.Verdicts)
	}
	for _, verdict := range []finding.Code{
		finding.Altered, finding.Unresolved, finding.Missing, finding.Inserted, finding.Conflict, finding.Unstamped, finding.Orphan, finding.Malformed, finding.Late, finding.Absent, finding.UnknownStream, finding.FurtherStream, finding.NotPostQuantum, finding.NotPostQuantumYet,
		finding.BadSeal, finding.MissingSeal, finding.Forked, finding.BrokenChain, finding.Unsupported, finding.Silent, finding.Unsealed, finding.StateRolledBack, finding.Doubt, finding.Voided, finding.OpenEnd, finding.Truncated, finding.Before,
	} {
		require.Contains(t, seen, string(verdict), "no archive shows it")
	}
	for _, want := range manifest {
		t.Run(want.File, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(dir, "archives", want.File))
			require.NoError(t, err)
			what := inOrder
			for seed := range orders() {
				if seed > 0 {
					if filepath.Ext(want.File) != ".jsonl" || want.Verdicts["TRUNCATED"] > 0 {
						break
					}
					lines := strings.SplitAfter(string(data), "\n")
					rand.New(rand.NewPCG(seed, 0)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
					data = []byte(strings.Join(lines, ""))
					what = fmt.Sprintf("shuffled, seed %d", seed)
				}
				path := filepath.Join(t.TempDir(), want.File)
				require.NoError(t, os.WriteFile(path, data, 0o600))
				want.check(t, []string{path}, what)
			}
		})
	}
}

// TestSplitArchives cuts each of them into any number of files, in any order, each plain or compressed, on any number of processors: the
// verdict stays that of the whole.
func TestSplitArchives(t *testing.T) {
	dir, manifest := vectorManifest(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	zstandard, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	defer zstandard.Close()
	wraps := []func([]byte) []byte{
		func(b []byte) []byte { return b },
		func(b []byte) []byte {
			var out bytes.Buffer
			w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
			_, _ = w.Write(b)
			_ = w.Close()
			return out.Bytes()
		},
		func(b []byte) []byte { return zstandard.EncodeAll(b, nil) },
	}
	for i, want := range manifest {
		t.Run(want.File, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "archives", want.File))
			require.NoError(t, err)
			frames := cutFrames(want.File, data)
			for seed := range orders() - 2 {
				rng := rand.New(rand.NewPCG(seed, uint64(len(data))))
				runtime.GOMAXPROCS([]int{1, 2, 5, 8}[(i+int(seed))%4])
				folder := t.TempDir()
				parts := 1 + rng.IntN(min(len(frames), 12)+1)
				var files []string
				for i := range parts { // some of them empty
					var part []byte
					for n := i; n < len(frames); n += parts {
						part = append(part, frames[n]...)
					}
					path := filepath.Join(folder, fmt.Sprint(i))
					require.NoError(t, os.WriteFile(path, wraps[rng.IntN(len(wraps))](part), 0o600))
					files = append(files, path)
				}
				rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
				want.check(t, files, fmt.Sprintf("%d files, seed %d", parts, seed))
			}
		})
	}
}

// cutFrames returns the lines or messages of an archive. What is broken in its last one stays the last thing in a file.
func cutFrames(name string, data []byte) (frames [][]byte) {
	if filepath.Ext(name) == ".jsonl" {
		return slices.Collect(bytes.Lines(data))
	}
	for len(data) > 0 {
		n := len(data)
		if n >= 4 {
			n = min(n, 4+int(binary.BigEndian.Uint32(data)))
		}
		frames = append(frames, data[:n])
		data = data[n:]
	}
	return frames
}
