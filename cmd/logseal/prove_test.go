// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/archive"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// TestProve: the evidence of a record, made of an archive, holds without it; with other trust or a byte changed it does not.
func TestProve(t *testing.T) {
	archive, trust := writeArchive(t, true)
	_, otherTrust := writeArchive(t, true)
	data, err := os.ReadFile(archive)
	require.NoError(t, err)
	id := string(regexp.MustCompile(`[a-z2-7]{8}-7`).Find(data))
	dir := t.TempDir()
	out, page := filepath.Join(dir, "evidence.json"), filepath.Join(dir, "page.html")

	stdout, stderr, code := logseal(t, "", "prove", id, "--archive", filepath.Dir(archive), "--trust", trust, "--out", out, "--html", page)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "ok: record "+id+" is what stream web-17 sealed at ")
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "login by ")

	require.NoError(t, os.RemoveAll(filepath.Dir(archive)))
	stdout, stderr, code = logseal(t, "", "verify", out)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "Compare it with what the host's operator tells you")
	stdout, stderr, code = logseal(t, "", "verify", "--trust", trust, out)
	require.Zero(t, code, stderr)
	require.NotContains(t, stdout, "Compare it")

	evidence, err := os.ReadFile(out)
	require.NoError(t, err)
	edited := filepath.Join(dir, "edited.json")
	require.NoError(t, os.WriteFile(edited, bytes.Replace(evidence, []byte("login by"), []byte("logout b"), 1), 0o600))
	splunk := filepath.Join(dir, "splunk.jsonl")
	require.NoError(t, os.WriteFile(splunk, []byte(`{"preview":false,"offset":0,"result":{"_raw":"{}","logseal_id":"`+id+`"}}`+"\n"), 0o600))
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"edited", []string{"verify", edited}, 1, "refused"},
		{"other trust", []string{"verify", "--trust", otherTrust, out}, 1, "not among those that are trusted"},
		{"a flag of archives", []string{"verify", "--until", "2026-11-23T00:00:00Z", out}, 2, "only --trust goes with it"},
		{"no id", []string{"prove", "17", "--archive", dir, "--trust", trust}, 2, "k3x7a2qd-104233"},
		{"standard input", []string{"prove", id, "--archive", "-", "--trust", trust}, 2, "read twice"},
		{"no archive", []string{"prove", id, "--archive", archive, "--trust", trust}, 2, "no such file"},
		{"not there", []string{"prove", id, "--archive", page, "--trust", trust, "--out", edited}, 2, "not an archive"},
		{"an export", []string{"prove", id, "--archive", splunk, "--trust", trust, "--out", edited}, 2, "is read with --from STORE"},
		{"an export without originals", []string{"prove", id, "--from", "splunk", "--archive", splunk, "--trust", trust, "--out", edited}, 2, "its original is in it"},
		{"no store", []string{"prove", id, "--from", "graylog", "--archive", splunk, "--trust", trust}, 2, "splunk, elastic, loki, victorialogs, otlp"},
		{"no trust", []string{"prove", id, "--archive", dir}, 2, "trust"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := logseal(t, "", c.args...)
			require.Equal(t, c.code, code, stdout+stderr)
			require.Contains(t, stdout+stderr, c.says)
		})
	}
}

// TestProveFrom: what a store's search gave back proves a record as its archive does, in as many files as there are pages.
func TestProveFrom(t *testing.T) {
	path, trust := writeArchive(t, true)
	var events, seals, id string
	err := archive.Read(t.Context(), []string{path}, archive.Options{}, func(o *verifier.Observed) error {
		raw, to := o.Note, &seals
		if o.HasID {
			id = o.ID.String()
			raw, to = o.AppendOTLP(nil, id), &events
		}
		row, err := json.Marshal(map[string]any{"preview": false, "result": map[string]string{"_raw": string(raw)}})
		*to += string(row) + "\n"
		return err
	})
	require.NoError(t, err)
	dir := t.TempDir()
	day, sealed, out := filepath.Join(dir, "day.json"), filepath.Join(dir, "seals.json"), filepath.Join(dir, "evidence.json")
	require.NoError(t, os.WriteFile(day, []byte(events), 0o600))
	require.NoError(t, os.WriteFile(sealed, []byte(seals), 0o600))

	_, stderr, code := logseal(t, "", "prove", id, "--from", "splunk", "--archive", day, "--trust", trust, "--out", out)
	require.Equal(t, 1, code, "the seals are not there: %s", stderr)
	require.NoFileExists(t, out)
	stdout, stderr, code := logseal(t, "", "prove", id, "--from", "splunk", "--archive", day, "--archive", sealed, "--trust", trust, "--out", out)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "ok: record "+id)
	stdout, stderr, code = logseal(t, "", "verify", "--trust", trust, out)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "ok: record "+id)

	require.NoError(t, os.Remove(out))
	require.NoError(t, os.WriteFile(day, []byte(strings.ReplaceAll(events, "login by", "logout b")), 0o600))
	_, stderr, code = logseal(t, "", "prove", id, "--from", "splunk", "--archive", dir, "--trust", trust, "--out", out)
	require.Equal(t, 1, code, stderr)
	require.NoFileExists(t, out)
}
