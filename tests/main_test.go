// SPDX-License-Identifier: Apache-2.0

// Package tests drives the built binaries as whole processes: end to end, killed, stopped, cut off and misled.
// `make test` builds them first.
package tests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

var root, collector, logseal string

func TestMain(m *testing.M) {
	var err error
	if root, err = filepath.Abs(".."); err != nil {
		panic(err)
	}
	collector = filepath.Join(root, "bin", "otelcol-logseal")
	logseal = filepath.Join(root, "bin", "logseal")
	for _, binary := range []string{collector, logseal} {
		if _, err := os.Stat(binary); err != nil {
			fmt.Fprintf(os.Stderr, "%s is not there: run `make build` (or `make test`, which does)\n", binary)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// deadline is the longest that a test waits for what must happen.
func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func newSite(t *testing.T) *testbed.Site {
	t.Helper()
	site, err := testbed.NewSite(t.TempDir(), collector)
	require.NoError(t, err)
	return site
}

// start starts a collector and ends it with the test.
func start(t *testing.T, c testbed.Collector) *testbed.Process {
	t.Helper()
	p, err := c.Start(deadline(t, 90*time.Second))
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

// awaitMetric returns when a metric of the process, or the series with these labels, is at least that much.
func awaitMetric(t *testing.T, p *testbed.Process, name string, least float64, labels ...string) {
	t.Helper()
	ctx := deadline(t, 2*time.Minute)
	require.NoError(t, testbed.Until(ctx, func() (bool, error) {
		value, err := p.Metric(ctx, name, labels...)
		return value >= least, err
	}))
}

// run runs a command in the repository's root and returns its output and exit status.
func run(t *testing.T, env []string, name string, args ...string) (output string, status int) {
	t.Helper()
	cmd := exec.CommandContext(deadline(t, 5*time.Minute), name, args...)
	cmd.Dir = root
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// needs skips a test whose peer is not installed, except in CI, which installs them all.
func needs(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI must have it (Debian package %s)", program, debianPackage)
	}
	t.Skipf("%s is not installed (Debian package %s)", program, debianPackage)
	return ""
}

// awaitLines waits until the archive holds the lines 0 to n-1 of the tally.
func awaitLines(t *testing.T, archive *testbed.Archive, tally *testbed.Tally, n int, timeout time.Duration) {
	t.Helper()
	err := testbed.Until(deadline(t, timeout), func() (bool, error) {
		_, err := archive.Read(tally.Add)
		return tally.Seen() >= n, err
	})
	first, missing := tally.Missing(n)
	require.NoErrorf(t, err, "%d of %d lines have not arrived, the first of them %v", missing, n, first)
	require.Zero(t, missing)
}

// lines renders the numbered lines from..to-1 as a Tally expects them.
func lines(prefix string, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "%s%d 10.0.%d.%d - user%d \"GET /api/v1/orders/%d HTTP/1.1\" 200 %d\n", prefix, i, i%256, i/256%256, i%97, i*7, i%9999)
	}
	return b.String()
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
