// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
)

// bodiesOf follows the archive until it holds n records of a file, and returns their bodies in the order of arrival.
func bodiesOf(t *testing.T, archive *testbed.Archive, n map[string]int) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := testbed.Until(deadline(t, 2*time.Minute), func() (bool, error) {
		_, err := archive.Read(func(_ plog.ResourceLogs, lr plog.LogRecord) {
			if name, ok := lr.Attributes().Get("log.file.name"); ok && !seal.IsSeal(lr) {
				all[name.Str()] = append(all[name.Str()], lr.Body().AsString())
			}
		})
		for name, want := range n {
			if len(all[name]) < want {
				return false, err
			}
		}
		return true, err
	})
	for name, want := range n {
		assert.Len(t, all[name], want, name)
	}
	require.NoError(t, err)
	return all
}

// A program that writes through C stdio leaves its lines in two pieces for as long as it takes to fill the next 4 KiB. A
// container's runtime cuts them at 16 KiB. A line may be longer than 1 MiB. No record is half a line, and no half of a
// secret leaves the host.
func TestTornLines(t *testing.T) {
	t.Parallel()
	const (
		linesWritten = 600
		secret       = "Xk29vQp7LmWz4TnRb83c"
	)
	site := newSite(t)
	site.AgentToSIEM()
	site.SetInclude(filepath.Join(site.Dir, "*.log.in"), filepath.Join(site.Dir, "pods", "*", "app", "0.log"))
	agent := site.Agent
	agent.Args = []string{"--config", `yaml:receivers::file_log::operators: [` +
		`{type: router, id: source, routes: [{output: pod, expr: 'attributes["log.file.path"] contains "/pods/"'}], default: end},` +
		`{type: container, id: pod, output: end}, {type: noop, id: end}]`}
	archive := testbed.Archive{Path: site.ArchivePath()}

	long := strings.Repeat("many words ", 1<<20/11) + " password=" + secret + " " + strings.Repeat("more words ", 40_000)
	appendFile(t, filepath.Join(site.Dir, "long.log.in"), long+"\nthe next line\n")
	pod := filepath.Join(site.Dir, "pods", "default_web-1_0a1b2c3d-0000-0000-0000-000000000000", "app")
	require.NoError(t, os.MkdirAll(pod, 0o755))
	var cri strings.Builder
	for i := range 100 {
		at := time.Unix(1_800_000_000, int64(i)).UTC().Format(time.RFC3339Nano)
		fmt.Fprintf(&cri, "%s stdout P line %d password=%s\n%s stderr P error %d token \n%s stdout F %s\n%s stderr F is bad\n",
			at, i, secret[:9], at, i, at, secret[9:], at)
	}
	// The log was rotated in the middle of a line.
	at := time.Unix(1_800_000_000, 0).UTC().Format(time.RFC3339Nano)
	appendFile(t, filepath.Join(pod, "0.log.20261128-101112"), fmt.Sprintf("%s stdout P rotated password=%s\n", at, secret[:9]))
	appendFile(t, filepath.Join(pod, "0.log"), fmt.Sprintf("%s stdout F %s\n", at, secret[9:])+cri.String())
	start(t, site.SIEM)
	start(t, agent)

	var text strings.Builder
	for i := range linesWritten {
		fmt.Fprintf(&text, "block line %d of a program, password=%s, and the end\n", i, secret)
	}
	rest := text.String()
	for len(rest) > 0 {
		block := rest[:min(4096, len(rest))]
		rest = rest[len(block):]
		appendFile(t, filepath.Join(site.Dir, "block.log.in"), block)
		<-time.After(700 * time.Millisecond) // longer than the stock receiver waits for the rest of a line
	}

	got := bodiesOf(t, &archive, map[string]int{"block.log.in": linesWritten, "0.log": 201, "long.log.in": 2})
	for _, body := range got["block.log.in"] {
		assert.Regexp(t, `^block line \d+ of a program, password=\[REDACTED[^ ]*, and the end$`, body)
	}
	assert.Empty(t, got["0.log.20261128-101112"])
	for _, body := range got["0.log"] {
		assert.Regexp(t, `^((line \d+|rotated) password=\[REDACTED|error \d+ token is bad$)`, body)
	}
	assert.Greater(t, max(len(got["long.log.in"][0]), len(got["long.log.in"][1])), 1<<20)
	for name, bodies := range got {
		for _, body := range bodies {
			for from := 0; from+9 <= len(secret); from++ {
				assert.NotContains(t, body, secret[from:from+9], name)
			}
		}
	}
}

// A line that stays unfinished for longer than force_flush_period is handed on as far as it is there, and again when it is whole.
func TestUnfinishedLineArrivesTwice(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.AgentToSIEM()
	path := filepath.Join(site.Dir, "app.log.in")
	site.SetInclude(path)
	agent := site.Agent
	agent.Args = []string{"--config", "yaml:receivers::file_log::force_flush_period: 300ms"}
	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	start(t, agent)
	appendFile(t, path, "first\nsecond is not ")
	bodiesOf(t, &archive, map[string]int{"app.log.in": 2})
	appendFile(t, path, "finished\nthird\n")
	got := bodiesOf(t, &archive, map[string]int{"app.log.in": 2})
	assert.Equal(t, []string{"second is not finished", "third"}, got["app.log.in"])
}
