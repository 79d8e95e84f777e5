// SPDX-License-Identifier: Apache-2.0

package verifier_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// verifyFrom verifies lines as an archive that goes on from checkpoints, which are in a file.
func verifyFrom(t *testing.T, trust []seal.Trust, from []byte, lines [][]byte) *verifier.Report {
	t.Helper()
	return verifyFromWith(t, verifier.New(trust), from, lines)
}

// verifyFromWith is verifyFrom with a verifier that knows whom to trust.
func verifyFromWith(t *testing.T, v *verifier.Verifier, from []byte, lines [][]byte) *verifier.Report {
	t.Helper()
	dir := t.TempDir()
	if from != nil {
		path := filepath.Join(dir, "from")
		require.NoError(t, os.WriteFile(path, from, 0o600))
		list, err := archive.ReadCheckpoints(t.Context(), path)
		require.NoError(t, err)
		require.NoError(t, v.From(list, finding.Place{File: path, Line: 1}))
	}
	path := filepath.Join(dir, "archive")
	require.NoError(t, os.WriteFile(path, bytes.Join(lines, nil), 0o600))
	report, err := archive.Verify(t.Context(), []string{path}, v, time.Time{}, archive.Options{})
	require.NoError(t, err)
	return report
}

func checkpointOf(t *testing.T, report *verifier.Report) []byte {
	t.Helper()
	data, err := verifier.MarshalCheckpoints(report.Checkpoints)
	require.NoError(t, err)
	return data
}

// TestIncremental cuts archives in two wherever it can be done. The second part, from the checkpoint of the first on, has nothing wrong with it if
// the whole has not, and together they verify what the whole does.
func TestIncremental(t *testing.T) {
	dir, manifest := vectorManifest(t)
	cuts := 40
	if sampled {
		cuts = 3
	}
	for _, want := range manifest {
		file := want.File
		if filepath.Ext(file) != ".jsonl" || want.Outcome == string(finding.Tampered) || strings.HasPrefix(file, "shared") || want.From != "" {
			continue
		}
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "archives", file))
			require.NoError(t, err)
			lines := slices.Collect(bytes.Lines(data))
			whole := verifyFromWith(t, want.verifier(t), nil, lines)
			for k := 1; k < len(lines); k += 1 + len(lines)/cuts {
				first := verifyFromWith(t, want.verifier(t), nil, lines[:k])
				if len(first.Checkpoints) < len(whole.Checkpoints) {
					continue
				}
				what := fmt.Sprintf("cut behind line %d:\n%s", k, show(first))
				second := verifyFromWith(t, want.verifier(t), checkpointOf(t, first), lines[k:])
				what += show(second)
				if slices.ContainsFunc(second.Findings, func(f finding.Finding) bool { return f.Reason == finding.NoStream }) {
					continue // every stream was closed before, and there is no seal behind: an archive without one is never right
				}
				require.NotEqual(t, finding.Tampered, second.Verdict, what)
				if whole.Verdict == finding.OK && !slices.ContainsFunc(second.Findings, func(f finding.Finding) bool { return f.Code == finding.Before }) {
					require.Equal(t, finding.OK, second.Verdict, what)
				}
				if file != "twice.jsonl" {
					require.Equal(t, whole.Verified, first.Verified+second.Verified, what)
				}
			}
		})
	}
}

// TestIncrementalTampering: what is done to the second part shows as in the whole.
func TestIncrementalTampering(t *testing.T) {
	h := newHost(t, "web-17").start().send(20).seal()
	h.send(20).seal()
	a := h.archive
	cut := len(a.list)
	h.send(5)
	waiting := len(a.list) // five records are in the first part, and their seal in the second
	h.seal().send(20).seal().send(20).seal().stop()
	trust := []seal.Trust{h.trust}
	part := func(list []string) (lines [][]byte) {
		for _, line := range list {
			lines = append(lines, []byte(line+"\n"))
		}
		return lines
	}
	first := verifyFrom(t, trust, nil, part(a.list[:waiting]))
	require.EqualValues(t, 40, first.Verified, show(first))
	from := checkpointOf(t, first)
	rest := part(a.list[waiting:])
	ok := verifyFrom(t, trust, from, rest)
	require.Equal(t, finding.OK, ok.Verdict, show(ok))
	require.EqualValues(t, 45, ok.Verified)
	require.Equal(t, finding.Tampered, verifyFrom(t, trust, nil, rest).Verdict, "without the checkpoint")

	codes := func(r *verifier.Report) map[finding.Code]uint64 {
		m := map[finding.Code]uint64{}
		for _, f := range r.Findings {
			m[f.Code] += f.Count
		}
		return m
	}
	record := func(lines [][]byte, n int) int { // the n-th line that is a record
		for i, line := range lines {
			if !bytes.Contains(line, []byte(seal.EventName)) {
				if n--; n < 0 {
					return i
				}
			}
		}
		t.Fatal("no such record")
		return 0
	}
	for name, c := range map[string]struct {
		change func([][]byte) [][]byte
		want   finding.Code
	}{
		"a record deleted": {func(l [][]byte) [][]byte { i := record(l, 3); return slices.Delete(l, i, i+1) }, finding.Missing},
		"a record altered": {func(l [][]byte) [][]byte {
			i := record(l, 3)
			l[i] = bytes.Replace(l[i], []byte("line "), []byte("lime "), 1)
			return l
		}, finding.Altered},
		"the first seal deleted": {func(l [][]byte) [][]byte { return l[1:] }, finding.BadSeal},
		"everything deleted":     {func([][]byte) [][]byte { return nil }, finding.OpenEnd},
		"an id of before the cut": {func(l [][]byte) [][]byte {
			return append(l, []byte(strings.Replace(a.list[cut-2], "line ", "lime ", 1)+"\n"))
		}, finding.Before},
		"seals of before the cut": {func(l [][]byte) [][]byte { return append(part(a.list[:1]), l...) }, finding.Before},
	} {
		t.Run(name, func(t *testing.T) {
			report := verifyFrom(t, trust, from, c.change(slices.Clone(rest)))
			require.NotZero(t, codes(report)[c.want], show(report))
			require.NotEqual(t, finding.OK, report.Verdict)
		})
	}

	t.Run("from a seal", func(t *testing.T) {
		base := []byte(a.list[cut-1] + "\n") // the seal is in the archive too, as its first line
		report := verifyFrom(t, trust, base, part(a.list[cut-1:]))
		require.Equal(t, finding.OK, report.Verdict, show(report))
		require.EqualValues(t, 45, report.Verified)
		note := []byte(noteOf(t, a.list[cut-1]))
		require.EqualValues(t, 45, verifyFrom(t, trust, note, part(a.list[cut-1:])).Verified, "from a note")
	})
	t.Run("of another stream", func(t *testing.T) {
		other := newHost(t, "db-3").start().send(1).seal()
		list := []verifier.Checkpoint{verifier.NewCheckpoint([]*seal.Seal{other.archive.note(t, len(other.archive.list)-1).Seal})}
		require.ErrorContains(t, verifier.New(trust).From(list, finding.Place{}), "not in the trust file")
	})
}

func noteOf(t *testing.T, line string) string {
	a := &lines{list: []string{line}}
	n := a.note(t, 0)
	require.NotNil(t, n)
	start := strings.Index(line, "logseal.v1/")
	end := strings.Index(line[start:], `"`)
	return strings.ReplaceAll(line[start:start+end], `\n`, "\n")
}
