// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

// store keeps a sealer's state in memory.
type verifyStore map[string][]byte

func (m verifyStore) Batch(_ context.Context, ops ...*sealer.Op) error {
	for _, op := range ops {
		switch op.Kind {
		case sealer.OpGet:
			op.Value = m[op.Key]
		case sealer.OpSet:
			m[op.Key] = bytes.Clone(op.Value)
		case sealer.OpDelete:
			delete(m, op.Key)
		}
	}
	return nil
}

// writeArchive writes the archive of a host that stamped three batches of 20 records, and its trust file.
func writeArchive(t *testing.T, stop bool) (archive, trust string) {
	return writeArchiveOf(t, stop, sealer.NewStream{Name: "web-17"})
}

func writeArchiveOf(t *testing.T, stop bool, stream sealer.NewStream) (archive, trust string) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	line, err := sealer.CreateKeyFile(key, stream)
	require.NoError(t, err)
	trust = filepath.Join(dir, "trust")
	require.NoError(t, os.WriteFile(trust, []byte("# our hosts\n"+line.String()+"\n"), 0o600))
	keys, err := sealer.OpenKeyFile(key)
	require.NoError(t, err)
	sealer, err := sealer.Open(t.Context(), sealer.Config{Keys: keys, Store: verifyStore{}})
	require.NoError(t, err)
	var out bytes.Buffer
	emit := func(_ context.Context, ld plog.Logs) error {
		data, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		out.Write(append(data, '\n'))
		return err
	}
	require.NoError(t, sealer.Seal(t.Context(), emit))
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for range 20 {
			lr := records.AppendEmpty()
			lr.Body().SetStr("login by " + string(rune('a'+rng.IntN(26))) + "lice")
			lr.SetTimestamp(1795412345123456789)
		}
		batch, err := sealer.Stamp(t.Context(), ld)
		require.NoError(t, err)
		require.NoError(t, emit(t.Context(), ld))
		batch.Settle(true)
	}
	open := out.Len()
	require.NoError(t, sealer.Close(t.Context(), emit))
	if !stop {
		out.Truncate(open)
	}
	archive = filepath.Join(dir, "logs", "archive.json")
	require.NoError(t, os.Mkdir(filepath.Dir(archive), 0o700))
	require.NoError(t, os.WriteFile(archive, out.Bytes(), 0o600))
	return archive, trust
}

func TestVerifyExitCodes(t *testing.T) {
	archive, trust := writeArchive(t, true)
	unsealed, unsealedTrust := writeArchive(t, false)
	data, err := os.ReadFile(archive)
	require.NoError(t, err)
	altered := filepath.Join(t.TempDir(), "altered.json")
	require.NoError(t, os.WriteFile(altered, bytes.Replace(data, []byte("login"), []byte("logout"), 1), 0o600))
	text := filepath.Join(t.TempDir(), "syslog")
	require.NoError(t, os.WriteFile(text, []byte("Nov 23 05:22:20 web-17 sshd: hello\n"), 0o600))
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		code  int
		says  string
	}{
		{"verified", []string{"--trust", trust, archive}, "", 0, "ok: 60 of 60 records verified"},
		{"a folder", []string{"--trust", trust, filepath.Dir(archive)}, "", 0, "ok: 60 of 60 records verified"},
		{"standard input", []string{"--trust", trust, "-"}, string(data), 0, "ok: 60 of 60 records verified"},
		{"on first use", []string{"--trust-on-first-use", archive}, "", 0, "not whose it is"},
		{"altered", []string{"--trust", trust, altered}, "", 1, "tampered: 44 of 60 records verified"},
		{"not known yet", []string{"--trust", unsealedTrust, unsealed}, "", 3, "incomplete: 0 of 60 records verified"},
		{"not known yet, strictly", []string{"--trust", unsealedTrust, "--strict", unsealed}, "", 1, "incomplete: 0 of 60"},
		{"until", []string{"--trust", trust, "--until", "2200-01-01T00:00:00Z", archive}, "", 1, "SILENT"},
		{"another's key", []string{"--trust", unsealedTrust, archive}, "", 1, "ABSENT"},
		{"nothing", []string{"--trust", trust, "-"}, "", 1, "ABSENT"},
		{"no trust", []string{archive}, "", 2, "logseal enroll"},
		{"two kinds of trust", []string{"--trust", trust, "--trust-on-first-use", archive}, "", 2, "trust"},
		{"no path", []string{"--trust", trust}, "", 2, ""},
		{"no such path", []string{"--trust", trust, archive + "x"}, "", 2, "no such file"},
		{"a bad trust file", []string{"--trust", archive, archive}, "", 2, "trust file"},
		{"not an archive", []string{"--trust", trust, text}, "", 2, "not an archive"},
		{"an archive, and what is none", []string{"--trust", trust, text, archive}, "", 2, "60 of 60 records verified"},
		{"a bad time", []string{"--trust", trust, "--until", "yesterday", archive}, "", 2, "2026-11-23T00:00:00Z"},
		{"an empty time", []string{"--trust", trust, "--until", "", archive}, "", 2, "2026-11-23T00:00:00Z"},
		{"no store", []string{"--trust", trust, "--from", "graylog", archive}, "", 2, "splunk, elastic, loki, victorialogs, otlp"},
		{"an empty store", []string{"--trust", trust, "--from", "", archive}, "", 2, "an archive needs no --from"},
		{"from a store", []string{"--trust", trust, "--from", "otlp", archive}, "", 0, "ok: 60 of 60 records verified"},
		{"from a store, on standard input", []string{"--trust", trust, "--from", "otlp", "-"}, string(data), 0, "ok: 60 of 60 records verified"},
		{"from another store", []string{"--trust", trust, "--from", "loki", "-"}, `{"status":"error"}`, 2, "did the search fail?"},
		{"from a store, a web page", []string{"--trust", trust, "--from", "splunk", "-"}, "<html>", 2, "line 1: no JSON"},
		{"an interval of an archive", []string{"--trust", trust, "--from-time", "2026-11-23T00:00:00Z", archive}, "", 2, "add --from STORE"},
		{"an interval that ends before", []string{"--trust", trust, "--from", "otlp", "--from-time", "2026-11-23T00:00:00Z", "--until", "2026-11-22T00:00:00Z", archive}, "", 2, "is not before"},
		{"an interval and a checkpoint", []string{"--trust", trust, "--from", "otlp", "--until", "2026-11-22T00:00:00Z", "--checkpoint", filepath.Join(t.TempDir(), "c"), archive}, "", 2, "leave out one or the other"},
		{"an interval", []string{"--trust", trust, "--from", "otlp", "--from-time", "2026-11-23T00:00:00Z", "--until", "2200-01-01T00:00:00Z", archive}, "", 3, "NOT_EXPORTED"},
		{"a bad format", []string{"--trust", trust, "--format", "xml", archive}, "", 2, "text or json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := logseal(t, c.stdin, append([]string{"verify"}, c.args...)...)
			require.Equal(t, c.code, code, stdout+stderr)
			require.Contains(t, stdout+stderr, c.says)
		})
	}
}

func TestVerifyTrustCA(t *testing.T) {
	dir := t.TempDir()
	ca, foreign := testpki.NewCA("fleet"), testpki.NewCA("foreign")
	cert := ca.NewLeaf("web-17", testpki.Names("web-17.example.com")).TLS()
	archive, trust := writeArchiveOf(t, true, sealer.NewStream{Name: "web-17", Endorse: func(trust seal.Trust) (*seal.Endorsement, error) {
		return endorse.Sign(&cert, trust, time.Now())
	}})
	plain, plainTrust := writeArchive(t, true)
	caFile, foreignFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "foreign.pem")
	require.NoError(t, ca.WriteCert(caFile))
	require.NoError(t, foreign.WriteCert(foreignFile))
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"by its CA", []string{"--trust-ca", caFile, archive}, 0, "web-17.example.com (web-17, "},
		{"by its line", []string{"--trust", trust, archive}, 0, "ok: 60 of 60 records verified"},
		{"by both", []string{"--trust", trust, "--trust-ca", caFile, archive}, 0, "ok: 60 of 60 records verified"},
		{"some by line, some by CA", []string{"--trust", plainTrust, "--trust-ca", caFile, archive, plain}, 0, "ok: 120 of 120 records verified"},
		{"by a foreign CA", []string{"--trust-ca", foreignFile, archive}, 1, "does not lead to a trusted CA"},
		{"not endorsed", []string{"--trust-ca", caFile, plain}, 1, "carries no endorsement"},
		{"no such file", []string{"--trust-ca", caFile + "x", archive}, 2, "no such file"},
		{"no certificates", []string{"--trust-ca", trust, archive}, 2, "no PEM certificate"},
		{"an empty name", []string{"--trust-ca", "", archive}, 2, "whose logs are these"},
		{"two kinds of trust", []string{"--trust-ca", caFile, "--trust-on-first-use", archive}, 2, "trust"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := logseal(t, "", append([]string{"verify"}, c.args...)...)
			require.Equal(t, c.code, code, stdout+stderr)
			require.Contains(t, stdout+stderr, c.says)
		})
	}

	// Day by day: the checkpoint names the stream.
	checkpoint := filepath.Join(dir, "state.json")
	_, stderr, code := logseal(t, "", "verify", "--trust-ca", caFile, "--checkpoint", checkpoint, archive)
	require.Zero(t, code, stderr)
	stdout, stderr, code := logseal(t, "", "verify", "--trust-ca", caFile, "--from-seal", checkpoint, "--format", "json", archive)
	require.Equal(t, 1, code, stderr) // nothing in it is new
	require.Contains(t, stdout, `"identity": "web-17.example.com"`)
}

func TestVerifyJSON(t *testing.T) {
	archive, trust := writeArchive(t, true)
	data, err := os.ReadFile(archive)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(archive, bytes.Replace(data, []byte("login"), []byte("logout"), 1), 0o600))
	stdout, _, code := logseal(t, "", "verify", "--trust", trust, "--format", "json", archive)
	require.Equal(t, 1, code)
	var report struct {
		Verdict string
		Records int
		Streams []struct {
			Stream, Verdict string
			Verified, Seals int
		}
		Findings []struct {
			Code, Reason, Verdict, ID, Stream, File, Message string
			Line, Count                                      int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Equal(t, "tampered", report.Verdict)
	require.Equal(t, 60, report.Records)
	require.Equal(t, "web-17", report.Streams[0].Stream)
	require.Equal(t, 44, report.Streams[0].Verified)
	require.Equal(t, "ALTERED", report.Findings[0].Code)
	require.Equal(t, "digest_differs", report.Findings[0].Reason)
	require.Equal(t, "tampered", report.Findings[0].Verdict)
	require.Regexp(t, `^[a-z2-7]{8}-0$`, report.Findings[0].ID)
	require.Equal(t, archive, report.Findings[0].File)
	require.Equal(t, 2, report.Findings[0].Line)
}

// TestVerifyPipe: what comes through a pipe, as from <(zstd -dc archive.zst), is read once and from its first byte on.
func TestVerifyPipe(t *testing.T) {
	archive, trust := writeArchive(t, true)
	data, err := os.ReadFile(archive)
	require.NoError(t, err)
	pipe := func() string {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		t.Cleanup(func() { _ = r.Close() })
		go func() {
			_, _ = w.Write(data)
			_ = w.Close()
		}()
		return fmt.Sprintf("/dev/fd/%d", r.Fd())
	}
	stdout, stderr, code := logseal(t, "", "verify", "--trust", trust, pipe())
	require.Zero(t, code, stdout+stderr)
	_, stderr, code = logseal(t, "", "prove", "aaaaaaaa-1", "--trust", trust, "--archive", pipe())
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "the archive is read twice; give a file or a folder")
}

// TestVerifyOutputIsClean: nothing that an archive or its name holds reaches a terminal as it is.
func TestVerifyOutputIsClean(t *testing.T) {
	archive, trust := writeArchive(t, true)
	data, err := os.ReadFile(archive)
	require.NoError(t, err)
	evil := filepath.Join(t.TempDir(), "a\x1b[31m\u202egnp.json")
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.Body().SetStr("\x1b]0;owned\x07")
	lr.SetEventName(seal.EventName)
	line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(evil, append(data, line...), 0o600))
	stdout, stderr, code := logseal(t, "", "verify", "--trust", trust, evil)
	require.Equal(t, 1, code)
	require.NotContains(t, stdout+stderr, "\x1b")
	require.NotContains(t, stdout+stderr, "\u202e")
	require.Contains(t, stdout, `\u{1b}`)
	require.NotContains(t, stdout, "owned", "what a record says is not repeated")

	unknown := filepath.Join(t.TempDir(), "a\x1b[31m\nlogseal: all is well")
	require.NoError(t, os.WriteFile(unknown, []byte("hello"), 0o600))
	stdout, stderr, code = logseal(t, "", "verify", "--trust", trust, unknown, archive)
	require.Equal(t, 2, code)
	require.NotContains(t, stdout+stderr, "\x1b")
	require.NotContains(t, stderr, "\nlogseal: all is well")
}
