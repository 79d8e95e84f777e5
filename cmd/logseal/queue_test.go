// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/request"

	"github.com/logseal/logseal/pkg/seglog"
)

// stateFolder has n requests of two records in an exporter's queue, and a receiver's position.
func stateFolder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	key := bytes.Repeat([]byte{7}, seglog.KeySize)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "storage.key"), []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600))
	store, err := seglog.Open(dir, seglog.Options{Keys: [][]byte{key}})
	require.NoError(t, err)
	queue, err := store.Log("exporter_siem__logs")
	require.NoError(t, err)
	for i := range n {
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		records.AppendEmpty().Body().SetStr(fmt.Sprintf("request %d %s", i, strings.Repeat("x", 3000)))
		records.AppendEmpty()
		value, err := request.MarshalLogs(context.Background(), ld)
		require.NoError(t, err)
		require.NoError(t, queue.Apply(seglog.Op{Kind: seglog.Set, Key: fmt.Sprint(i + 8), Value: value, Bulk: true}))
	}
	require.NoError(t, queue.Apply(seglog.Op{Kind: seglog.Set, Key: "qmv0", Value: []byte("numbers")}))
	positions, err := store.Log("receiver_file_log_")
	require.NoError(t, err)
	require.NoError(t, positions.Apply(seglog.Op{Kind: seglog.Set, Key: "position", Value: []byte("17")}))
	require.NoError(t, store.Close())
	return dir
}

func TestQueue(t *testing.T) {
	dir := stateFolder(t, 20)
	out, message, code := logseal(t, "", "queue", "inspect", dir)
	require.Zero(t, code, message)
	require.Regexp(t, `exporter_siem__logs +20 +40 +\d+ +1 +20`, out)
	require.Regexp(t, `receiver_file_log_ +0 +0 +2 +1 +20`, out)

	out, message, code = logseal(t, "", "queue", "export", dir)
	require.Zero(t, code, message)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 20)
	for i, line := range lines {
		require.Contains(t, line, fmt.Sprintf("request %d x", i), "in the order of the queue")
	}
	require.Contains(t, message, "20 requests with 40 records")

	copied := filepath.Join(t.TempDir(), "new")
	_, message, code = logseal(t, "", "queue", "repair", dir, "--out", copied)
	require.Zero(t, code, message)
	again, message, code := logseal(t, "", "queue", "export", copied)
	require.Zero(t, code, message)
	require.Equal(t, out, again)
	_, message, code = logseal(t, "", "queue", "repair", dir, "--out", copied)
	require.Equal(t, exitUsage, code, message)
}

func TestQueueDamaged(t *testing.T) {
	dir := stateFolder(t, 20)
	path := filepath.Join(dir, "exporter_siem__logs.seglog", "0000000000000001.seg")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[20_000] ^= 1
	require.NoError(t, os.WriteFile(path, b, 0o600))
	for _, args := range [][]string{{"inspect", dir}, {"export", dir}, {"repair", dir, "--out", filepath.Join(t.TempDir(), "new")}} {
		out, message, code := logseal(t, "", append([]string{"queue"}, args...)...)
		require.Equal(t, exitFailed, code, args)
		require.Contains(t, message, "lost: client exporter_siem__logs, segment 1, offset ")
		if args[0] == "export" {
			require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 19)
		}
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, b, after, "nothing is changed")
	}
}

func TestQueueRefuses(t *testing.T) {
	dir := stateFolder(t, 1)
	other := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{8}, seglog.KeySize))
	for name, c := range map[string]struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		"no folder":   {"", []string{"inspect", filepath.Join(dir, "none")}, exitUsage, "is no folder"},
		"no key":      {"", []string{"inspect", dir, "--key-file", filepath.Join(dir, "none")}, exitUsage, "--key-file"},
		"another key": {other, []string{"export", dir, "--key-file", "-"}, exitFailed, "needs a key that is not given"},
		"no out":      {"", []string{"repair", dir}, exitUsage, "--out"},
	} {
		t.Run(name, func(t *testing.T) {
			_, message, code := logseal(t, c.stdin, append([]string{"queue"}, c.args...)...)
			require.Equal(t, c.code, code, message)
			if name == "another key" {
				require.Contains(t, message, "sealed under a key that is not given")
				return
			}
			require.Contains(t, message, c.want)
		})
	}
}
