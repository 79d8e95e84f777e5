// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
		File, Trust, From, Outcome string
		TrustCA                    string `json:"trust_ca"`
		Quantum                    bool   `json:"require_post_quantum"`
		Until                      time.Time
		Records, Verified          uint64
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
			args := []string{"verify", "--format", "json"}
			if want.Trust != "" {
				args = append(args, "--trust", trust)
			}
			if want.TrustCA != "" {
				ca := filepath.Join(dir, "ca.pem")
				require.NoError(t, os.WriteFile(ca, []byte(want.TrustCA), 0o600))
				args = append(args, "--trust-ca", ca)
			}
			if want.From != "" {
				from := filepath.Join(dir, "from")
				require.NoError(t, os.WriteFile(from, []byte(want.From), 0o600))
				args = append(args, "--from-seal", from)
			}
			if want.Quantum {
				args = append(args, "--require-post-quantum")
			}
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

// An archive that is verified day by day, and one that begins without seal 0.
func TestVerifyFromASealOn(t *testing.T) {
	vectors := filepath.Join(root, "pkg", "seal", "testdata", "vectors", "archives")
	data, err := os.ReadFile(filepath.Join(vectors, "long.jsonl"))
	require.NoError(t, err)
	lines := slices.Collect(bytes.Lines(data))
	dir := t.TempDir()
	file := func(name string, lines ...[]byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, bytes.Join(lines, nil), 0o600))
		return path
	}
	trust := file("trust", []byte(vectorTrust(t, "long.jsonl")+"\n"))
	monday, tuesday, wednesday := file("monday", lines[:101]...), file("tuesday", lines[101:150]...), file("wednesday", lines[150:]...)
	state := filepath.Join(dir, "state.json")
	verify := func(code int, says string, args ...string) {
		t.Helper()
		output, status := run(t, nil, logseal, append([]string{"verify", "--trust", trust}, args...)...)
		require.Equal(t, code, status, output)
		require.Contains(t, output, says)
	}
	verify(1, "ABSENT", tuesday, wednesday)
	verify(3, "OPEN_END", "--checkpoint", state, monday)
	verify(3, "OPEN_END", "--from-seal", state, "--checkpoint", state, tuesday)
	verify(0, "ok: ", "--from-seal", state, wednesday)
	verify(1, "MALFORMED", "--from-seal", state, file("broken", append([][]byte{[]byte("{]}\n")}, lines[150:]...)...))

	cut := slices.IndexFunc(lines[120:], func(line []byte) bool { return bytes.Contains(line, []byte("logseal.seal")) }) + 120
	verify(0, "ok: ", "--from-seal", file("seal", lines[cut]), file("second-siem", lines[cut:]...))

	verify(2, "--from-seal", "--from-seal", trust, wednesday)
	verify(2, "no such file", "--from-seal", filepath.Join(dir, "none"), wednesday)
	verify(2, "--checkpoint", "--from-seal", state, "--checkpoint", filepath.Join(dir, "none", "state"), wednesday)
}

// vectorTrust is the trust file of a vector archive.
func vectorTrust(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "pkg", "seal", "testdata", "vectors", "archives.json"))
	require.NoError(t, err)
	var manifest []struct{ File, Trust string }
	require.NoError(t, json.Unmarshal(data, &manifest))
	for _, m := range manifest {
		if m.File == file {
			return m.Trust
		}
	}
	t.Fatalf("no vector %s", file)
	return ""
}
