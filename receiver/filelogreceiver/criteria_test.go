// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFollowRotation(t *testing.T) {
	root := t.TempDir()
	for _, tt := range []struct {
		include string
		files   []string // that are read
		others  []string
	}{
		{
			include: "*.log",
			files: []string{
				"app.log", "app.log.1", "app.log.10", "app.log.123", "app.log-20261128", "app.log-2026112823", "app.log-2026-11-28", "app.log.2026-11-28",
				"app.log.2026-11-28_13", "app.log-1764324672", "app.log_20261128", "0.log", "0.log.20261128-101112", "audit.log.1", "app-2026-11-28T10-11-12.345.log",
				"app.1.log", "c0ffee-json.log", "c0ffee-json.log.2",
			},
			others: []string{
				"app.log.1.gz", "app.log-20261128.gz", "app.log.2.bz2", "app.log-20261128.xz", "app.log.3.lz4", "app.log.20261128-101112.gz",
				"app.log.20261128-101112.tmp", "app.log.swp", "app.txt", "app.log.old.gz", "app.log-20261128.bz2",
			},
		},
		{
			include: "syslog",
			files:   []string{"syslog", "syslog.1", "syslog.2", "syslog.12", "syslog-20261128", "syslog.20261128", "syslog-2026-11-28"},
			others:  []string{"syslog-2", "syslog-22", "syslog.1.gz", "syslog-20261128.bz2", "syslog-20261128.gz", "syslog-20261128.lz4", "syslog.conf", "syslog2"},
		},
		{
			include: "app.log",
			files:   []string{"app.log", "app.log.1", "app.1.log", "app.12.log", "app-20261128.log", "app.2026-11-28.log", "app-2026-11-28T10-11-12.345.log", "app.log-20261128"},
			others:  []string{"app-2.log", "application.log", "other.log", "app.1.log.gz"},
		},
		{
			include: "*.{log,txt}",
			files:   []string{"a.log", "a.txt", "a.log.1", "a.txt.2", "a.txt-20261128"},
			others:  []string{"a.csv", "a.csv.1", "a.txt.2.gz"},
		},
		{include: "*", files: []string{"a", "a.1", "a.1.gz"}},
		{include: "a.log.[0-9]*", files: []string{"a.log.1", "a.log.20", "a.log.1.gz"}, others: []string{"a.log"}},
		{include: "a.log.1", files: []string{"a.log.1"}, others: []string{"a.log", "a.log.2", "a.log.1.1"}},
		{include: "*.gz", files: []string{"a.gz"}, others: []string{"a", "a.gz.1"}},
	} {
		t.Run(tt.include, func(t *testing.T) {
			dir, err := os.MkdirTemp(root, "") // t.TempDir would have the pattern's braces in its name
			require.NoError(t, err)
			for _, name := range append(tt.files, tt.others...) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("a line\n"), 0o600))
			}
			m, err := matcher.New(followRotation(matcher.Criteria{Include: []string{filepath.Join(dir, tt.include)}}))
			require.NoError(t, err)
			found, err := m.MatchFiles()
			require.NoError(t, err)
			for i := range found {
				found[i] = filepath.Base(found[i])
			}
			assert.ElementsMatch(t, tt.files, found)
		})
	}
}

func TestFollowRotationLeavesAlone(t *testing.T) {
	chosen := matcher.Criteria{Include: []string{"/logs/*.log"}, OrderingCriteria: matcher.OrderingCriteria{SortBy: []matcher.Sort{{SortType: "mtime"}}}}
	assert.Equal(t, chosen, followRotation(chosen), "the newest N files, by the operator's own order")

	given := matcher.Criteria{Include: []string{"/logs/a.log"}, Exclude: []string{"/logs/a.log.[0-9]"}}
	got := followRotation(given)
	assert.Equal(t, []string{"/logs/a.log"}, given.Include, "the configuration is not written to")
	assert.Subset(t, got.Exclude, given.Exclude)
}

func TestSplitList(t *testing.T) {
	for _, tt := range []struct {
		in, want []string
	}{
		{[]string{"/var/log/*.log"}, []string{"/var/log/*.log"}},
		{[]string{"/var/log/a[12].log"}, []string{"/var/log/a[12].log"}},
		{[]string{"[/var/log/*.log.[0-9]]"}, []string{"/var/log/*.log.[0-9]"}},
		{[]string{"[/var/log/*.log, /var/log/*.log.[0-9]*]"}, []string{"/var/log/*.log", "/var/log/*.log.[0-9]*"}},
		{[]string{"[/a/*.{log,txt},/b/[a,b].log , ]"}, []string{"/a/*.{log,txt}", "/b/[a,b].log"}},
		{[]string{` ["/a b/[0-9].log", '/c/*.log'] `}, []string{"/a b/[0-9].log", "/c/*.log"}},
		{[]string{"[*.log, */[0-9].log]"}, []string{"*.log", "*/[0-9].log"}},
		{[]string{"[ab]/x.[cd]"}, []string{"[ab]/x.[cd]"}},
		{[]string{"[/a]", "/b"}, []string{"[/a]", "/b"}},
		{[]string{"[/a/[0-9].log", " /b/*.{log", "txt}]"}, []string{"/a/[0-9].log", "/b/*.{log,txt}"}},
		{[]string{"/b/*.{log", "txt}", "/c/*.log"}, []string{"/b/*.{log,txt}", "/c/*.log"}},
		{[]string{"/a,b.log", "/c.log"}, []string{"/a,b.log", "/c.log"}},
		{nil, nil},
	} {
		assert.Equal(t, tt.want, splitList(tt.in), "%q", tt.in)
	}
}
