// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What `make run` runs, with nothing in the environment but where the log store is, twice in a row.
func TestDemo(t *testing.T) {
	dir, env := t.TempDir(), []string{}
	store := os.Getenv("LOGSEAL_VICTORIALOGS")
	if store != "" {
		env = append(env, "LOGSEAL_VICTORIALOGS="+store)
	}
	for range 2 {
		out, status := run(t, env, logseal, "demo", "--dir", dir)
		require.Zero(t, status, out)
		if store != "" {
			assert.NotContains(t, out, "LEFT OUT")
		}
		assert.NotContains(t, out, "FAILED")
		assert.Contains(t, out, "drills held")
		out, status = run(t, nil, logseal, "verify", "--trust", filepath.Join(dir, "streams.trust"), filepath.Join(dir, "archive.jsonl"))
		assert.Zero(t, status, out)
		assert.Contains(t, out, "\nok: ")
		require.NoError(t, os.RemoveAll(dir))
	}
}

// A command that waits for its input ends at a Ctrl-C.
func TestInterrupt(t *testing.T) {
	cmd := exec.CommandContext(deadline(t, time.Minute), logseal, "redact")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = stdin.Write([]byte("a line\n"))
	require.NoError(t, err)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "a line\n", line) // and now it waits for the next
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.Error(t, cmd.Wait())
	assert.Equal(t, syscall.SIGINT, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args   string
		status int
		says   string
	}{
		{"--help", 0, "Exit status"},
		{"", 0, "Usage:"},
		{"version --json", 0, `"version"`},
		{"nonsense", 2, "unknown command"},
		{"demo --nonsense", 2, "unknown flag"},
		{"demo --drill nonsense", 2, "there are:"},
		{"demo --collector /nonexistent", 2, "make build"},
		{"pin", 2, ""},
		{"pin --cert /nonexistent", 2, "/nonexistent"},
		{"pin 127.0.0.1:1", 2, "127.0.0.1:1"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			out, status := run(t, os.Environ(), logseal, strings.Fields(tt.args)...)
			assert.Equal(t, tt.status, status, out)
			assert.Contains(t, out, tt.says)
		})
	}
	commands, status := run(t, os.Environ(), logseal, "--help")
	require.Zero(t, status)
	for _, line := range strings.Split(commands, "\n") {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || name == "help" || strings.HasPrefix(name, "-") || name == "logseal" {
			continue
		}
		t.Run(name+" --help", func(t *testing.T) {
			out, status := run(t, os.Environ(), logseal, name, "--help")
			assert.Zero(t, status)
			assert.Greater(t, strings.Count(out, "\n"), 5, "help that teaches: %s", out)
		})
	}
}
