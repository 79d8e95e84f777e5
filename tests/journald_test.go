// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
)

// journal is a folder of real journal files, written by systemd-journal-remote.
type journal struct {
	dir   string
	write string
}

func newJournal(t *testing.T, site *testbed.Site) journal {
	t.Helper()
	needs(t, "journalctl", "systemd")
	j := journal{filepath.Join(site.Dir, "journal"), needs(t, "/lib/systemd/systemd-journal-remote", "systemd-journal-remote")}
	require.NoError(t, os.Mkdir(j.dir, 0o755))
	site.Agent.Env["LOGSEAL_RECEIVERS"] = "[journald]"
	site.Agent.Env["LOGSEAL_JOURNAL_DIR"] = j.dir
	return j
}

// journalFields are the names and values of an entry's fields in turn.
type journalFields []string

// append adds entries to a file of the journal, a millisecond apart, from number first on.
func (j journal) append(t *testing.T, file string, first int, entries ...journalFields) {
	t.Helper()
	j.appendAt(t, file, "5b1f0000000000000000000000000001", 1764000000000000, first, entries...)
}

// appendAt is append for a boot that began at a time, in µs.
func (j journal) appendAt(t *testing.T, file, boot string, at, first int, entries ...journalFields) {
	t.Helper()
	var export strings.Builder
	for i, fields := range entries {
		n := first + i
		fmt.Fprintf(&export, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n", at+n*1000, 1000+n*1000, boot)
		for f := 0; f < len(fields); f += 2 {
			value := fields[f+1]
			fmt.Fprintf(&export, "%s\n%s%s\n", fields[f], binary.LittleEndian.AppendUint64(nil, uint64(len(value))), value)
		}
		export.WriteByte('\n')
	}
	cmd := exec.Command(j.write, "-o", filepath.Join(j.dir, file), "-")
	cmd.Stdin = strings.NewReader(export.String())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// numbered are entries of a tally's lines from..to-1.
func numbered(tally *testbed.Tally, from, to int) (entries []journalFields) {
	for i := from; i < to; i++ {
		entries = append(entries, journalFields{"MESSAGE", fmt.Sprintf("%s%d x", tally.Prefix, i), "PRIORITY", "6"})
	}
	return entries
}

// A real journal, read by the real journalctl, while the agent is killed again and again. The stock receiver loses up to
// 101 entries a kill.
func TestJournaldLosesNothingOnSIGKILL(t *testing.T) {
	const total = 20_000
	site := newSite(t)
	site.AgentToSIEM()
	j := newJournal(t, site)
	tally := testbed.Tally{Prefix: "journal line "}
	j.append(t, "system.journal", 0, numbered(&tally, 0, total)...)

	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	const kills = 8
	for range kills {
		agent := start(t, site.Agent)
		<-time.After(time.Duration(rand.IntN(400)) * time.Millisecond) // anywhere in the stream
		agent.Kill()
	}
	start(t, site.Agent)
	awaitLines(t, &archive, &tally, total, 2*time.Minute)
	t.Logf("%d entries, %d kills, %d duplicates", total, kills, tally.Duplicates)
	require.LessOrEqual(t, tally.Duplicates, 11*100*kills, "a kill repeats the batch on its way, and the requests in flight, one of each of 10 senders")
}

// journalctl's JSON has lists of numbers for what is not printable, null for what is long, and its usual priority hides the
// rest. Nothing of that must reach the SIEM, and no secret behind it.
func TestJournaldEntriesArriveWholeAndWithoutSecrets(t *testing.T) {
	const secret = "hunter2secret"
	long := strings.Repeat("long ", 1000)
	entries := []journalFields{
		{"MESSAGE", "0 \x1b[31mpassword=" + secret, "PRIORITY", "6"},
		{"MESSAGE", "1 password=" + secret + "\r\n", "PRIORITY", "7"},
		{"MESSAGE", "2 password=" + secret + "\x00", "UNIT", "\x9b[1m password=" + secret},
		{"MESSAGE", "3 password=" + secret + " \xff\xfe", "PRIORITY", "6"},
		{"MESSAGE", "4 several", "ARG", "plain", "ARG", "password=" + secret + "\x07", "ARG", "password=" + secret + "\xff"},
		{"MESSAGE", "5 " + long, "PRIORITY", "6", "EXTRA", long + "\x1b[0m"},
		{"MESSAGE", "6 no priority", "_TRANSPORT", "audit"},
		{"MESSAGE", "7 debug", "PRIORITY", "7"},
		{"MESSAGE", "8 password=hunter2\x00secret", "PRIORITY", "0"}, // not printable inside the secret itself
	}
	for _, tt := range []struct{ name, options string }{
		{"as shipped", "{}"},
		{"all: false", "{all: false, convert_message_bytes: false}"},
		{"priority: 7", "{priority: '7'}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site := newSite(t)
			site.AgentToSIEM()
			j := newJournal(t, site)
			j.append(t, "system.journal", 0, entries...)
			site.Agent.Args = []string{"--config", "yaml:receivers: {journald: " + tt.options + "}"}
			start(t, site.SIEM)
			start(t, site.Agent)

			got := map[string]pcommon.Map{}
			archive := testbed.Archive{Path: site.ArchivePath()}
			require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
				_, err := archive.Read(func(_ plog.ResourceLogs, lr plog.LogRecord) {
					if !seal.IsSeal(lr) {
						message, _ := lr.Body().Map().Get("MESSAGE")
						text := message.AsString()
						if message.Type() == pcommon.ValueTypeBytes {
							text = string(message.Bytes().AsRaw())
						}
						number, _, _ := strings.Cut(text, " ")
						got[number] = lr.Body().Map()
					}
				})
				return len(got) >= len(entries), err
			}), "%d of %d entries", len(got), len(entries))

			raw, err := os.ReadFile(site.ArchivePath())
			require.NoError(t, err)
			assert.NotContains(t, string(raw), "hunter2")
			assert.NotContains(t, string(raw), "doubleValue", "a list of numbers")
			whole, _ := got["5"].Get("MESSAGE")
			assert.Equal(t, "5 "+long, whole.Str())
			args, _ := got["4"].Get("ARG")
			assert.Equal(t, 3, args.Slice().Len(), "a field that comes several times")
			for number, body := range got {
				body.Range(func(name string, v pcommon.Value) bool {
					assert.NotEqual(t, pcommon.ValueTypeEmpty, v.Type(), "%s of entry %s", name, number)
					return true
				})
			}
		})
	}
}

// The entry that was read last is gone when the agent starts again, and so is all of its file.
func TestJournaldVacuumedBehindTheCursorSkipsNothing(t *testing.T) {
	site := newSite(t)
	site.AgentToSIEM()
	j := newJournal(t, site)
	tally := testbed.Tally{Prefix: "journal line "}
	archived := "system@5b1f0000000000000000000000000009-0000000000000001-0006445941624000.journal"
	j.append(t, archived, 0, numbered(&tally, 0, 10)...)
	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	agent := start(t, site.Agent)
	awaitLines(t, &archive, &tally, 10, time.Minute)
	require.NoError(t, agent.Stop(30*time.Second))

	j.append(t, "system.journal", 10, numbered(&tally, 10, 20)...)
	out, err := exec.Command("journalctl", "--directory="+j.dir, "--vacuum-files=1").CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoFileExists(t, filepath.Join(j.dir, archived), string(out))

	agent = start(t, site.Agent)
	awaitLines(t, &archive, &tally, 20, time.Minute)
	require.NoError(t, agent.Stop(30*time.Second))

	// And while the agent is there: what comes later, in the file that is read and in a new one.
	agent = start(t, site.Agent)
	j.append(t, "system.journal", 20, numbered(&tally, 20, 30)...)
	j.append(t, "user-1000.journal", 30, numbered(&tally, 30, 40)...)
	awaitLines(t, &archive, &tally, 40, time.Minute)
	require.NoError(t, agent.Stop(30*time.Second))
	require.Zero(t, tally.Duplicates, "a stop repeats nothing")
}

// With start_at: end, a start goes on where the last one ended all the same.
func TestJournaldStartAtEndGoesOnFromTheCursor(t *testing.T) {
	site := newSite(t)
	site.AgentToSIEM()
	j := newJournal(t, site)
	site.Agent.Args = []string{"--config", "yaml:receivers: {journald: {start_at: end}}"}
	old, probe, tally := testbed.Tally{Prefix: "old line "}, testbed.Tally{Prefix: "probe "}, testbed.Tally{Prefix: "journal line "}
	j.append(t, "system.journal", 0, numbered(&old, 0, 10)...)
	archive := testbed.Archive{Path: site.ArchivePath()}
	read := func(rl plog.ResourceLogs, lr plog.LogRecord) {
		old.Add(rl, lr)
		probe.Add(rl, lr)
		tally.Add(rl, lr)
	}
	start(t, site.SIEM)
	agent := start(t, site.Agent)
	written := 0
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) { // until journalctl has found the end
		j.append(t, "system.journal", 100+written, numbered(&probe, written, written+1)...)
		written++
		_, err := archive.Read(read)
		return probe.Seen() > 0, err
	}))
	require.NoError(t, agent.Stop(30*time.Second))
	j.append(t, "system.journal", 100+written, numbered(&tally, 0, 10)...)
	start(t, site.Agent)
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		_, err := archive.Read(read)
		return tally.Seen() == 10, err
	}))
	require.Zero(t, old.Seen(), "what was there before the first start")
	require.Zero(t, probe.Duplicates+tally.Duplicates)
}

// journalctl may end at any time (an update, the OOM killer): another one goes on.
func TestJournaldGoesOnWhenJournalctlEnds(t *testing.T) {
	site := newSite(t)
	site.AgentToSIEM()
	j := newJournal(t, site)
	once := filepath.Join(site.Dir, "once")
	script := filepath.Join(site.Dir, "journalctl")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nif [ ! -e "+once+" ]; then touch "+once+"; journalctl \"$@\" | head -c 2000; exit 1; fi\nexec journalctl \"$@\"\n"), 0o700))
	site.Agent.Args = []string{"--config", "yaml:receivers: {journald: {journalctl_path: " + script + "}}"}
	tally := testbed.Tally{Prefix: "journal line "}
	j.append(t, "system.journal", 0, numbered(&tally, 0, 100)...)
	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	start(t, site.Agent)
	awaitLines(t, &archive, &tally, 100, time.Minute)
	require.Zero(t, tally.Duplicates)
	require.True(t, site.Agent.LogContains("journalctl has ended"))
}

// An agent that reads nothing is not green, whatever keeps it from reading.
func TestJournaldThatReadsNothingIsNotHealthy(t *testing.T) {
	for _, tt := range []struct {
		name, trouble string
		prepare       func(t *testing.T, site *testbed.Site, j journal)
		mend          func(t *testing.T, site *testbed.Site, j journal)
	}{
		{name: "a journal without a file", trouble: "there is no journal to read"},
		{
			name: "a directory that is not there", trouble: "No such file or directory",
			prepare: func(t *testing.T, _ *testbed.Site, j journal) { require.NoError(t, os.Remove(j.dir)) },
			mend:    func(t *testing.T, _ *testbed.Site, j journal) { require.NoError(t, os.Mkdir(j.dir, 0o755)) },
		},
		{
			name: "a journalctl that ends at once", trouble: `exit status 3: it says "out of order"`,
			prepare: func(t *testing.T, site *testbed.Site, _ journal) {
				script, mended := filepath.Join(site.Dir, "journalctl"), filepath.Join(site.Dir, "mended")
				require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nif [ ! -e "+mended+" ]; then echo out of order >&2; exit 3; fi\nexec journalctl \"$@\"\n"), 0o700))
				site.Agent.Args = append(site.Agent.Args, "--config", "yaml:receivers: {journald: {journalctl_path: "+script+"}}")
			},
			mend: func(t *testing.T, site *testbed.Site, _ journal) {
				require.NoError(t, os.WriteFile(filepath.Join(site.Dir, "mended"), nil, 0o600))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site := newSite(t)
			site.AgentToSIEM()
			j := newJournal(t, site)
			site.Agent.Args = []string{"--config", impatient}
			if tt.prepare != nil {
				tt.prepare(t, site, j)
			}
			start(t, site.SIEM)
			agent := start(t, site.Agent)
			awaitTrouble(t, agent, "receiver:journald", tt.trouble)
			if tt.mend != nil {
				tt.mend(t, site, j)
			}
			tally := testbed.Tally{Prefix: "journal line "}
			j.append(t, "system.journal", 0, numbered(&tally, 0, 10)...)
			awaitHealthy(t, agent)
		})
	}
}

// journalctl --follow shows the last boot only. The last words of a machine before it went down are in the one before.
func TestJournaldReadsEarlierBoots(t *testing.T) {
	for _, folder := range []bool{true, false} {
		t.Run(fmt.Sprintf("folder=%v", folder), func(t *testing.T) {
			site := newSite(t)
			site.AgentToSIEM()
			j := newJournal(t, site)
			if !folder {
				// As on a host: no folder is named. The journal of this machine may not be touched, so journalctl is given ours.
				script := filepath.Join(site.Dir, "journalctl")
				require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec journalctl --directory="+j.dir+" \"$@\"\n"), 0o700))
				site.Agent.Env["LOGSEAL_JOURNAL_DIR"] = ""
				site.Agent.Args = []string{"--config", "yaml:receivers: {journald: {journalctl_path: " + script + "}}"}
			}
			const hour = 3600_000_000
			boot := func(n int) (id string, at int) {
				return fmt.Sprintf("5b1f%028d", n), 1764000000000000 + n*hour
			}
			tally := testbed.Tally{Prefix: "journal line "}
			archive := testbed.Archive{Path: site.ArchivePath()}
			start(t, site.SIEM)
			for n := range 2 { // before the first start
				id, at := boot(n)
				j.appendAt(t, "system.journal", id, at, 0, numbered(&tally, n*10, n*10+10)...)
			}
			agent := start(t, site.Agent)
			awaitLines(t, &archive, &tally, 20, time.Minute)
			id, at := boot(1)
			j.appendAt(t, "system.journal", id, at, 10, numbered(&tally, 20, 30)...)
			awaitLines(t, &archive, &tally, 30, time.Minute)
			require.NoError(t, agent.Stop(30*time.Second))

			j.appendAt(t, "system.journal", id, at, 20, numbered(&tally, 30, 40)...) // after the agent has stopped
			id, at = boot(2)
			j.appendAt(t, "system.journal", id, at, 0, numbered(&tally, 40, 50)...)
			start(t, site.Agent)
			awaitLines(t, &archive, &tally, 50, time.Minute)
			j.appendAt(t, "system.journal", id, at, 10, numbered(&tally, 50, 60)...)
			awaitLines(t, &archive, &tally, 60, time.Minute)
			require.Zero(t, tally.Duplicates)
		})
	}
}

// What docs/bundle.md says of a clock that is set back between boots.
func TestJournaldClockSetBackBetweenBoots(t *testing.T) {
	const before, boot = 1764000000000000 - 3600_000_000, "5b1f0000000000000000000000000002"
	site := newSite(t)
	site.AgentToSIEM()
	j := newJournal(t, site)
	tally, other := testbed.Tally{Prefix: "journal line "}, testbed.Tally{Prefix: "other sequence "}
	j.append(t, "system.journal", 0, numbered(&tally, 0, 10)...)
	j.appendAt(t, "system.journal", boot, before, 10, numbered(&tally, 10, 20)...)
	archive := testbed.Archive{Path: site.ArchivePath()}
	start(t, site.SIEM)
	agent := start(t, site.Agent)
	awaitLines(t, &archive, &tally, 20, time.Minute)
	require.NoError(t, agent.Stop(30*time.Second))
	j.appendAt(t, "system.journal", boot, before-3600_000_000, 20, numbered(&tally, 20, 30)...)
	start(t, site.Agent)
	awaitLines(t, &archive, &tally, 30, time.Minute)

	// A new sequence is not shown as long as the clock is behind.
	j.appendAt(t, "system@new.journal", "5b1f0000000000000000000000000003", before-2*3600_000_000, 0, numbered(&other, 0, 10)...)
	j.appendAt(t, "system.journal", boot, before-3600_000_000, 30, numbered(&tally, 30, 40)...)
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		_, err := archive.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) { tally.Add(rl, lr); other.Add(rl, lr) })
		return tally.Seen() == 40, err
	}))
	require.Zero(t, other.Seen(), "journalctl shows it now: correct docs/bundle.md")
}
