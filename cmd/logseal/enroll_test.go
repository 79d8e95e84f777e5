// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
)

// execEnroll runs `logseal enroll` and returns what it prints and its exit status.
func execEnroll(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	cmd := newEnrollCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	var exit exitError
	switch {
	case err == nil:
		return out.String(), 0
	case errors.As(err, &exit):
		return err.Error(), exit.code
	default:
		return err.Error(), exitUsage
	}
}

func TestEnroll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stream.key")
	line, code := execEnroll(t, "--name", "web-17/audit", "--out", file)
	require.Zero(t, code, line)
	trust, err := seal.ParseTrustLine(strings.TrimSuffix(line, "\n"))
	require.NoError(t, err)
	require.Equal(t, "web-17/audit", trust.Name)

	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	keys, err := seal.OpenKeyFile(file)
	require.NoError(t, err)
	require.Equal(t, trust, keys.Trust())
	require.NoError(t, keys.Close())

	before, err := os.ReadFile(file)
	require.NoError(t, err)
	message, code := execEnroll(t, "--name", "other", "--out", file)
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
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no file":         {[]string{"--name", "web"}, exitUsage},
		"no name":         {[]string{"--out", filepath.Join(dir, "a")}, exitUsage},
		"name with space": {[]string{"--name", "web 17", "--out", filepath.Join(dir, "a")}, exitUsage},
		"name with plus":  {[]string{"--name", "web+17", "--out", filepath.Join(dir, "a")}, exitUsage},
		"an argument":     {[]string{"--name", "web", "--out", filepath.Join(dir, "a"), "b"}, exitUsage},
		"no such folder":  {[]string{"--name", "web", "--out", filepath.Join(dir, "none", "a")}, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			message, code := execEnroll(t, c.args...)
			require.Equal(t, c.code, code, message)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
}
