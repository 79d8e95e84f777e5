// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
)

// folder is a folder of log files with numbered lines, each line once.
type folder struct {
	dir     string
	tally   testbed.Tally
	written int
}

func newFolder(t *testing.T, dir, name string) *folder {
	t.Helper()
	f := &folder{dir: filepath.Join(dir, name), tally: testbed.Tally{Prefix: name + " line "}}
	require.NoError(t, os.MkdirAll(f.dir, 0o755))
	return f
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *folder) write(t *testing.T, name string, n int) {
	t.Helper()
	appendFile(t, f.path(name), lines(f.tally.Prefix, f.written, f.written+n))
	f.written += n
}

// logrotate runs the real one over the folder's files, with these directives.
func (f *folder) logrotate(t *testing.T, directives string) {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "logrotate.conf")
	text := fmt.Sprintf("\"%s/*.log\" \"%s/syslog\" {\n  missingok\n  rotate 9\n  %s\n}\n", f.dir, f.dir, directives)
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
	out, status := run(t, os.Environ(), needs(t, "/usr/sbin/logrotate", "logrotate"), "--force", "--state", f.dir+".state", conf)
	require.Zero(t, status, out)
}

// awaitFolders waits until every line of every folder is in the archive, and wants none of them twice.
func awaitFolders(t *testing.T, archive *testbed.Archive, folders ...*folder) {
	t.Helper()
	err := testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		_, err := archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
			for _, f := range folders {
				f.tally.Add(rl, lr)
			}
		})
		for _, f := range folders {
			if f.tally.Seen() < f.written {
				return false, err
			}
		}
		return true, err
	})
	for _, f := range folders {
		first, missing := f.tally.Missing(f.written)
		assert.Zerof(t, missing, "%s: %d of %d lines have not arrived, the first of them %v", f.dir, missing, f.written, first)
		assert.Zerof(t, f.tally.Duplicates, "%s: lines that arrived twice", f.dir)
	}
	require.NoError(t, err)
}

// An agent is stopped; a hundred lines are written; logrotate runs; the agent starts.
func TestRotatedWhileTheAgentIsStopped(t *testing.T) {
	site := newSite(t)
	site.AgentToSIEM()
	logs := filepath.Join(site.Dir, "logs")
	site.SetInclude(filepath.Join(logs, "*", "*.log"), filepath.Join(logs, "*", "syslog"))
	archive := testbed.Archive{Path: site.ArchivePath()}

	cases := []struct {
		name, file string
		rotate     func(t *testing.T, f *folder)
	}{
		{"create", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create") }},
		{"nocreate", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "nocreate") }},
		{"dateext", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  dateext") }},
		{"dateformat", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  dateext\n  dateformat .%Y-%m-%d_%H") }},
		{"dateseconds", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  dateext\n  dateformat -%s") }},
		{"extension", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  extension .log") }},
		{"copytruncate", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "copytruncate") }},
		{"copytruncate with dates", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "copytruncate\n  dateext") }},
		{"compressed with a delay", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  compress\n  delaycompress") }},
		{"compressed at once", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  compress") }},
		{"compressed at once, with dates", "syslog", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  compress\n  dateext") }},
		{"copied and compressed", "app.log", func(t *testing.T, f *folder) { f.logrotate(t, "copytruncate\n  compress") }},
		{"no extension", "syslog", func(t *testing.T, f *folder) { f.logrotate(t, "create") }},
		{"no extension, with dates", "syslog", func(t *testing.T, f *folder) { f.logrotate(t, "create\n  dateext") }},
		{"three times", "app.log", func(t *testing.T, f *folder) {
			for range 3 {
				f.logrotate(t, "create")
				f.write(t, "app.log", 50)
			}
		}},
		{"kubelet", "0.log", func(t *testing.T, f *folder) {
			require.NoError(t, os.Rename(f.path("0.log"), f.path("0.log.20261128-101112")))
			f.write(t, "0.log", 50)
		}},
		{"python", "app.log", func(t *testing.T, f *folder) {
			require.NoError(t, os.Rename(f.path("app.log"), f.path("app.log.2026-11-28")))
		}},
	}
	folders := make([]*folder, len(cases))
	for i, c := range cases {
		folders[i] = newFolder(t, logs, c.name)
		folders[i].write(t, c.file, 200)
	}
	start(t, site.SIEM)
	agent := start(t, site.Agent)
	awaitFolders(t, &archive, folders...)
	require.NoError(t, agent.Stop(time.Minute))

	for i, c := range cases {
		folders[i].write(t, c.file, 100)
		c.rotate(t, folders[i])
		folders[i].write(t, c.file, 20)
	}
	agent = start(t, site.Agent)
	awaitFolders(t, &archive, folders...)
	// And once more while it runs: nothing is read again.
	for i, c := range cases {
		folders[i].write(t, c.file, 10)
		folders[i].logrotate(t, "create")
	}
	awaitFolders(t, &archive, folders...)
	require.NoError(t, agent.Stop(time.Minute))
	awaitFolders(t, &archive, folders...) // nothing has come twice behind the last line
}

// The queue is full, and fifty files are rotated again and again while the reader waits: by renaming, and by copying.
func TestRotatedWhileTheQueueIsFull(t *testing.T) {
	const files = 50
	site := newSite(t)
	site.AgentToSIEM()
	logs := filepath.Join(site.Dir, "logs")
	site.SetInclude(filepath.Join(logs, "*", "*.log"))
	archive := testbed.Archive{Path: site.ArchivePath()}
	renamed, copied := newFolder(t, logs, "renamed"), newFolder(t, logs, "copied")
	rotations := map[*folder]string{renamed: "create", copied: "copytruncate"}
	writeAll := func(n int) {
		for i := range files {
			renamed.write(t, fmt.Sprintf("app%d.log", i), n)
			copied.write(t, fmt.Sprintf("app%d.log", i), n)
		}
	}
	writeAll(20)
	siem := start(t, site.SIEM)
	small := site.Agent
	small.Args = []string{"--config", "yaml:exporters::siem::sending_queue: {sizer: requests, queue_size: 20}"}
	agent := start(t, small)
	awaitFolders(t, &archive, renamed, copied)

	require.NoError(t, siem.Stop(time.Minute))
	writeAll(20)
	awaitMetric(t, agent, "otelcol_exporter_queue_size", 20)
	for range 3 {
		for f, directives := range rotations {
			f.logrotate(t, directives)
		}
		writeAll(20)
	}
	start(t, site.SIEM)
	awaitFolders(t, &archive, renamed, copied)
}

// A line a millisecond while logrotate runs. The program keeps the old file open for a while, as one does that waits for
// its signal, or goes on in the same file.
func TestRotatedUnderAWriter(t *testing.T) {
	const total = 5_000
	site := newSite(t)
	site.AgentToSIEM()
	logs := filepath.Join(site.Dir, "logs")
	site.SetInclude(filepath.Join(logs, "*", "*.log"))
	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	start(t, site.Agent)

	created := newFolder(t, logs, "created")
	path := created.path("app.log")
	var reopen atomic.Bool
	var writer sync.WaitGroup
	writer.Go(func() {
		open := func() *os.File {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			assert.NoError(t, err)
			return f
		}
		f := open()
		defer func() { _ = f.Close() }()
		for tick := time.NewTicker(time.Millisecond); created.written < total; created.written++ {
			<-tick.C
			if reopen.CompareAndSwap(true, false) {
				assert.NoError(t, f.Close())
				f = open()
			}
			_, err := f.WriteString(lines(created.tally.Prefix, created.written, created.written+1))
			assert.NoError(t, err)
		}
	})
	for range 9 {
		<-time.After(400 * time.Millisecond) // the writer's lines between two rotations
		created.logrotate(t, "create")
		<-time.After(30 * time.Millisecond) // until the program has had its signal
		reopen.Store(true)
	}
	writer.Wait()
	awaitFolders(t, &archive, created)
}

// Brackets and braces in LOGSEAL_INCLUDE, which YAML does not take unquoted.
func TestIncludeWithBrackets(t *testing.T) {
	site := newSite(t)
	site.AgentToSIEM()
	f := newFolder(t, site.Dir, "brackets")
	f.write(t, "app1.log", 10)
	f.write(t, "app2.log", 10)
	f.write(t, "app2.txt", 10)
	site.Agent.Env["LOGSEAL_INCLUDE"] = fmt.Sprintf("[%s/app[0-1].log, %s/app[2-9].{log,txt}]", f.dir, f.dir)
	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	start(t, site.Agent)
	awaitFolders(t, &archive, f)
}
