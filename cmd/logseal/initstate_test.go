// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInitStateGivesEverythingBelowTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := filepath.Join(t.TempDir(), "state", "agent")
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "queue"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "queue", "1"), []byte("x"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	for range 2 { // a second run changes nothing
		out, err := runInitState("--dir", dir, "--owner", "10001:0")
		require.NoError(t, err, out)
		for _, path := range []string{dir, filepath.Join(dir, "queue"), filepath.Join(dir, "queue", "1"), filepath.Join(dir, "link")} {
			info, err := os.Lstat(path)
			require.NoError(t, err)
			assert.True(t, owns(info, 10001, 0), path)
		}
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
	info, err := os.Stat(outside)
	require.NoError(t, err)
	assert.EqualValues(t, 0, info.Sys().(*syscall.Stat_t).Uid, "a link's target stays whose it is")
}

func TestInitStateArguments(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--owner", "0:0"}, "--dir is needed"},
		{[]string{"--dir", dir, "--owner", "logseal"}, "two numbers are needed"},
		{[]string{"--dir", dir, "--kubernetes-node", "n"}, "go together"},
	} {
		_, err := runInitState(c.args...)
		assert.ErrorContains(t, err, c.want)
	}
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := runInitState("--dir", file, "--owner", "1:1")
	assert.Error(t, err)
}

func TestKubernetesNodeUID(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/api/v1/nodes/node-1":
			_, _ = w.Write([]byte(`{"kind":"Node","metadata":{"name":"node-1","uid":"0b1c"}}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	account := t.TempDir()
	address := strings.TrimPrefix(server.URL, "https://")
	_, err := kubernetesNodeUID(t.Context(), account, address, "node-1")
	require.ErrorContains(t, err, "no credentials")

	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(account, "ca.crt"), ca, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(account, "token"), []byte("secret\n"), 0o600))
	uid, err := kubernetesNodeUID(t.Context(), account, address, "node-1")
	require.NoError(t, err)
	assert.Equal(t, "0b1c", uid)
	_, err = kubernetesNodeUID(t.Context(), account, address, "node-2")
	require.ErrorContains(t, err, `no node "node-2"`)
	require.NoError(t, os.WriteFile(filepath.Join(account, "token"), []byte("wrong"), 0o600))
	_, err = kubernetesNodeUID(t.Context(), account, address, "node-1")
	require.ErrorContains(t, err, "needs `get` on nodes")
}

func runInitState(args ...string) (string, error) {
	var out bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append([]string{"init-state"}, args...))
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.Execute()
	return out.String(), err
}
