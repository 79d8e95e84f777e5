// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

func TestEnroll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stream.key")
	line, message, code := logseal(t, "", "enroll", "--name", "web-17/audit", "--out", file)
	require.Zero(t, code, message)
	trust, err := seal.ParseTrustLine(strings.TrimSuffix(line, "\n"))
	require.NoError(t, err)
	require.Equal(t, "web-17/audit", trust.Name)
	require.NotZero(t, trust.PostQuantum)

	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	keys, err := sealer.OpenKeyFile(file)
	require.NoError(t, err)
	require.Equal(t, trust, keys.Trust())
	require.NoError(t, keys.Close())

	before, err := os.ReadFile(file)
	require.NoError(t, err)
	_, message, code = logseal(t, "", "enroll", "--name", "other", "--out", file)
	require.Equal(t, exitUsage, code)
	require.Contains(t, message, file)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, before, after, "the key file was replaced")
	entries, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, entries, 1, "something was left behind")
}

func TestEnrollRefuses(t *testing.T) {
	dir := t.TempDir()
	expired, expiredKey := testpki.NewCA("ca").NewLeaf("web", testpki.Expired()).WriteFiles(t, t.TempDir(), "agent")
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no file":                       {[]string{"--name", "web"}, exitUsage},
		"no name":                       {[]string{"--out", filepath.Join(dir, "a")}, exitUsage},
		"name with space":               {[]string{"--name", "web 17", "--out", filepath.Join(dir, "a")}, exitUsage},
		"name with plus":                {[]string{"--name", "web+17", "--out", filepath.Join(dir, "a")}, exitUsage},
		"an argument":                   {[]string{"--name", "web", "--out", filepath.Join(dir, "a"), "b"}, exitUsage},
		"a certificate without its key": {[]string{"--name", "web", "--out", filepath.Join(dir, "a"), "--endorse-cert", "a.pem"}, exitUsage},
		"no such certificate":           {[]string{"--name", "web", "--out", filepath.Join(dir, "a"), "--endorse-cert", "a.pem", "--endorse-key", "a.key"}, exitUsage},
		"an empty certificate's name":   {[]string{"--name", "web", "--out", filepath.Join(dir, "a"), "--endorse-cert", "", "--endorse-key", ""}, exitUsage},
		"an expired certificate":        {[]string{"--name", "web", "--out", filepath.Join(dir, "a"), "--endorse-cert", expired, "--endorse-key", expiredKey}, exitUsage},
		"no such folder":                {[]string{"--name", "web", "--out", filepath.Join(dir, "none", "a")}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			_, message, code := logseal(t, "", append([]string{"enroll"}, c.args...)...)
			require.Equal(t, c.code, code, message)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
}

func TestEnrollEndorsed(t *testing.T) {
	dir := t.TempDir()
	cert, key := testpki.NewCA("ca").NewLeaf("web").WriteFiles(t, dir, "agent")
	file := filepath.Join(dir, "stream.key")
	line, message, code := logseal(t, "", "enroll", "--name", "web-17", "--out", file, "--endorse-cert", cert, "--endorse-key", key)
	require.Zero(t, code, message)
	keys, err := sealer.OpenKeyFile(file)
	require.NoError(t, err)
	require.True(t, keys.Endorsed())
	require.Equal(t, line, keys.Trust().String()+"\n")
	require.NoError(t, keys.Close())
}

// full is a disk that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestEnrollUnprinted: a key file whose trust line reached nobody is good for nothing.
func TestEnrollUnprinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stream.key")
	err := (&enrollOptions{name: "web-17", out: file}).run(full{})
	require.ErrorContains(t, err, "remove "+file)
	var exit exitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, exitFailed, exit.code)
}
