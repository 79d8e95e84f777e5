// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/archive"
)

// logseal runs the command as a user does, and returns what it prints and its exit status.
func logseal(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	root := newRootCommand()
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	code = run(t.Context(), root, &errs)
	return out.String(), errs.String(), code
}

// TestUsageErrors: whoever gets the arguments wrong is told where to read.
func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"verfy", "unknown command \"verfy\" for \"logseal\"; see `logseal --help`"},
		{"--trust", "unknown flag: --trust; see `logseal --help`"},
		{"verify", "requires at least 1 arg(s), only received 0; see `logseal verify --help`"},
		{"verify --trsut x", "unknown flag: --trsut; see `logseal verify --help`"},
		{"pin a:1 b:1", "accepts at most 1 arg(s), received 2; see `logseal pin --help`"},
		{"pin --timeout soon a:1", "see `logseal pin --help`"},
		{"enroll web-17", "see `logseal enroll --help`"},
		{"redact app.log", "see `logseal redact --help`"},
		{"demo --drill", "see `logseal demo --help`"},
		{"version 1", "see `logseal version --help`"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			stdout, stderr, code := logseal(t, "", strings.Fields(tt.args)...)
			require.Equal(t, exitUsage, code)
			assert.Empty(t, stdout)
			assert.True(t, strings.HasPrefix(stderr, "logseal: ") && strings.HasSuffix(stderr, tt.says+"\n"), stderr)
		})
	}
}

func TestVersion(t *testing.T) {
	stdout, _, code := logseal(t, "", "version")
	assert.Zero(t, code)
	assert.True(t, strings.HasPrefix(stdout, "logseal "+version+" (go"), stdout)
}

// TestInternalErrors: a fault of the program has a status of its own, and does not look like a verdict or like wrong usage.
func TestInternalErrors(t *testing.T) {
	for name, fail := range map[string]func() error{
		"a panic": func() error { panic("\x1b[31mhere") },
		"a panic that was caught": func() error {
			return fmt.Errorf("x: %w", &archive.InternalError{Value: "\x1b[31mhere", Stack: []byte("stack")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var errs bytes.Buffer
			code := run(t.Context(), &cobra.Command{SilenceErrors: true, SilenceUsage: true, RunE: func(*cobra.Command, []string) error { return fail() }}, &errs)
			require.Equal(t, exitInternal, code)
			require.Contains(t, errs.String(), `internal error: \u{1b}[31mhere`)
			require.Contains(t, errs.String(), "no verdict")
			require.NotContains(t, errs.String(), "\x1b")
		})
	}
}

// TestHelp: every command says what its exit status means, and no help or manual page, which are made on a build machine,
// shows a path of that.
func TestHelp(t *testing.T) {
	var look func([]*cobra.Command)
	look = func(commands []*cobra.Command) {
		for _, cmd := range commands {
			if cmd.HasSubCommands() {
				look(cmd.Commands())
				continue
			}
			if cmd.Name() != "version" {
				assert.Contains(t, cmd.Long, "Exit status:", cmd.CommandPath())
			}
			assert.NotContains(t, cmd.UsageString(), `(default "/`, cmd.CommandPath())
		}
	}
	look(newRootCommand().Commands())
}
