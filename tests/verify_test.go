// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An archive gets the verdict of the whole however it is cut into files.
func TestVerifyOfManyFiles(t *testing.T) {
	vectors := filepath.Join(root, "pkg", "seal", "testdata", "vectors")
	data, err := os.ReadFile(filepath.Join(vectors, "archives.json"))
	require.NoError(t, err)
	var manifest []struct {
		File, Trust, Outcome string
		Until                time.Time
		Records, Verified    uint64
	}
	require.NoError(t, json.Unmarshal(data, &manifest))
	status := map[string]int{"ok": 0, "tampered": 1, "incomplete": 3}
	for _, want := range manifest {
		if filepath.Ext(want.File) != ".jsonl" {
			continue
		}
		t.Run(want.File, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(vectors, "archives", want.File))
			require.NoError(t, err)
			dir := t.TempDir()
			var parts [4][]byte
			n := 0
			for line := range bytes.Lines(data) {
				parts[n%len(parts)] = append(parts[n%len(parts)], line...)
				n++
			}
			archive := filepath.Join(dir, "archive")
			require.NoError(t, os.Mkdir(archive, 0o700))
			for i, part := range parts {
				require.NoError(t, os.WriteFile(filepath.Join(archive, fmt.Sprint(i)), part, 0o600))
			}
			trust := filepath.Join(dir, "trust")
			require.NoError(t, os.WriteFile(trust, []byte(want.Trust+"\n"), 0o600))
			args := []string{"verify", "--format", "json", "--trust", trust}
			if !want.Until.IsZero() {
				args = append(args, "--until", want.Until.Format(time.RFC3339Nano))
			}
			output, code := run(t, nil, logseal, append(args, archive)...)
			require.Equal(t, status[want.Outcome], code, output)
			var report struct {
				Verdict           string
				Records, Verified uint64
			}
			require.NoError(t, json.Unmarshal([]byte(output), &report), output)
			require.Equal(t, want.Outcome, report.Verdict)
			require.Equal(t, want.Records, report.Records)
			require.Equal(t, want.Verified, report.Verified)
		})
	}
}

// What real archives look like: a file that is being written, an editor's byte order mark, an export printed for people.
func TestVerifyReadsWhatIsThere(t *testing.T) {
	vectors := filepath.Join(root, "pkg", "seal", "testdata", "vectors", "archives")
	whole, err := os.ReadFile(filepath.Join(vectors, "plain.jsonl"))
	require.NoError(t, err)
	last := bytes.LastIndexByte(bytes.TrimSpace(whole), '\n') + 1
	var printed bytes.Buffer
	for line := range bytes.Lines(whole) {
		require.NoError(t, json.Indent(&printed, bytes.TrimSpace(line), "", "  "))
		printed.WriteByte('\n')
	}
	bom := []byte("\xef\xbb\xbf")
	for _, tt := range []struct {
		name string
		data []byte
		code int
		says string
	}{
		{"a last line that is still being written", whole[:last+(len(whole)-last)/2], 3, "TRUNCATED"},
		{"a last line without its end", bytes.TrimSpace(whole), 0, "ok: "},
		{"a byte order mark", append(bytes.Clone(bom), whole...), 0, "ok: "},
		{"printed for people", printed.Bytes(), 0, "ok: "},
		{"printed for people, with a byte order mark", append(bytes.Clone(bom), printed.Bytes()...), 0, "ok: "},
		{"printed for people, being written", printed.Bytes()[:printed.Len()-40], 3, "TRUNCATED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "logs.json")
			require.NoError(t, os.WriteFile(path, tt.data, 0o600))
			output, code := run(t, nil, logseal, "verify", "--trust-on-first-use", path)
			require.Equal(t, tt.code, code, output)
			require.Contains(t, output, tt.says)
		})
	}
}
