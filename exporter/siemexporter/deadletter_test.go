// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// bodies returns the bodies of the records in a line, as the file's reader gets them.
func (l line) bodies(t testing.TB) []string {
	t.Helper()
	if l.Protobuf != nil {
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(l.Protobuf)
		require.NoError(t, err)
		return bodies(logs)
	}
	logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(l.Logs)
	require.NoError(t, err)
	return bodies(logs)
}

// readDeadLetters returns the lines of every dead-letter file of the configured directory.
func readDeadLetters(t testing.TB, cfg *Config) []line {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cfg.DeadLetter.Directory, "*.jsonl"))
	require.NoError(t, err)
	var lines []line
	for _, name := range files {
		lines = append(lines, readLines(t, name)...)
	}
	return lines
}

func readLines(t testing.TB, name string) []line {
	t.Helper()
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	var lines []line
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var l line
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &l), "%q", scanner.Text())
		lines = append(lines, l)
	}
	require.NoError(t, scanner.Err())
	return lines
}

func waitForDeadLetters(t testing.TB, cfg *Config, n int) []line {
	t.Helper()
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(cfg.DeadLetter.Directory, "*.jsonl"))
		count := 0
		for _, name := range files {
			content, _ := os.ReadFile(name)
			count += strings.Count(string(content), "\n")
		}
		return count >= n
	}, 30*time.Second, 10*time.Millisecond)
	lines := readDeadLetters(t, cfg)
	require.Len(t, lines, n)
	return lines
}

func letterOf(t testing.TB, body string) deadLetter {
	t.Helper()
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Body().SetStr(body)
	return deadLetter{request: encoded(t, logs), cause: causeInvalid, reason: "no\nnewline \x1b[2J and " + body}
}

func newTestLetters(t *testing.T) *deadLetters {
	t.Helper()
	letters, err := newDeadLetters(DeadLetterConfig{Directory: filepath.Join(t.TempDir(), "made"), MaxSizeMiB: 1},
		component.MustNewIDWithName("siem", "a/b"))
	require.NoError(t, err)
	return letters
}

func TestDeadLetterFile(t *testing.T) {
	d := newTestLetters(t)
	assert.Equal(t, "siem%2Fa%2Fb.jsonl", filepath.Base(d.path))
	bodies := []string{"plain", "new\nline", "\x1b[31mred", "bidi \u202e", "not UTF-8 \xff\xfe", ""}
	for _, body := range bodies {
		require.NoError(t, d.write(letterOf(t, body)))
	}
	lines := readLines(t, d.path)
	require.Len(t, lines, len(bodies))
	for i, body := range bodies {
		assert.Equal(t, []string{body}, lines[i].bodies(t))
		assert.Equal(t, 1, lines[i].Records)
		assert.WithinDuration(t, time.Now(), lines[i].Time, time.Minute)
	}
	assert.NotNil(t, lines[4].Protobuf, "what JSON cannot hold is kept in binary")
	assert.Nil(t, lines[0].Protobuf)
	content, err := os.ReadFile(d.path)
	require.NoError(t, err)
	assert.True(t, utf8.Valid(content), "the file is JSON to every reader")

	info, err := os.Stat(d.path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(d.path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// TestDeadLetterCrash: half a line that a crash left behind is cut off, whatever its length.
func TestDeadLetterCrash(t *testing.T) {
	for name, torn := range map[string]string{
		"short": `{"time":"20`,
		"long":  strings.Repeat("x", 200_000),
	} {
		for _, before := range []int{0, 2} {
			t.Run(name, func(t *testing.T) {
				d := newTestLetters(t)
				for range before {
					require.NoError(t, d.write(letterOf(t, "whole")))
				}
				file, err := os.OpenFile(d.path, os.O_APPEND|os.O_WRONLY, 0)
				require.NoError(t, err)
				_, err = file.WriteString(torn)
				require.NoError(t, err)
				require.NoError(t, file.Close())
				require.NoError(t, d.write(letterOf(t, "next")))
				assert.Len(t, readLines(t, d.path), before+1)
			})
		}
	}
}

func TestDeadLetterFull(t *testing.T) {
	d := newTestLetters(t)
	big := strings.Repeat("x", 400_000)
	require.NoError(t, d.write(letterOf(t, big)))
	err := d.write(letterOf(t, big))
	require.ErrorContains(t, err, "dead_letter.max_size_mib")
	assert.Len(t, readLines(t, d.path), 1, "nothing of a refused letter is in the file")

	// The operator moves the file away while we run.
	require.NoError(t, os.Rename(d.path, d.path+".1"))
	require.NoError(t, d.write(letterOf(t, big)))
	assert.Len(t, readLines(t, d.path), 1)
}

func TestDeadLetterDirectoryIsProbedAtStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := newDeadLetters(DeadLetterConfig{Directory: file, MaxSizeMiB: 1}, component.MustNewID("siem"))
	require.ErrorContains(t, err, "dead_letter.directory")
}

// TestFullDeadLettersHold: records wait while there is no room for them, and are set aside when there is.
func TestFullDeadLettersHold(t *testing.T) {
	p := newPKI()
	s := newSink()
	s.respond(refuseBodies(status.Error(codes.InvalidArgument, "no"), "r-3"))
	addr, _ := s.serve(t, ProtocolGRPC, anyPort, serverTLS(p.leaf))
	cfg := testConfig(t, ProtocolGRPC, addr, p.ca, p.leaf)
	cfg.DeadLetter = DeadLetterConfig{Directory: t.TempDir(), MaxSizeMiB: 1}
	set := nopSettings()
	full := filepath.Join(cfg.DeadLetter.Directory, url.PathEscape(set.ID.String())+".jsonl")
	require.NoError(t, os.WriteFile(full, []byte(strings.Repeat("{}"+strings.Repeat(" ", 1021)+"\n", 1024)), 0o600))
	exp := startExporterWith(t, cfg, set)
	sent := send(t, exp, "r", 10)
	requireDelivered(t, s, append(sent[:3:3], sent[4:]...))
	require.Eventually(t, func() bool { return s.requestCount() > 12 }, 30*time.Second, 10*time.Millisecond, "the record is tried again")
	require.NoError(t, os.Rename(full, full+".moved"))
	assert.Equal(t, []string{"r-3"}, waitForDeadLetters(t, cfg, 1)[0].bodies(t))
}
