// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// A real journal, read by the real journalctl, while the agent is killed again and again. The stock receiver loses up to
// 101 entries a kill.
func TestJournaldLosesNothingOnSIGKILL(t *testing.T) {
	needs(t, "journalctl", "systemd")
	write := needs(t, "/lib/systemd/systemd-journal-remote", "systemd-journal-remote")
	const total = 5_000
	site := newSite(t)
	site.AgentToSIEM()
	journal := filepath.Join(site.Dir, "journal")
	require.NoError(t, os.Mkdir(journal, 0o755))
	tally := testbed.Tally{Prefix: "journal line "}
	var entries strings.Builder
	for i := range total {
		fmt.Fprintf(&entries, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=5b1f0000000000000000000000000001\nMESSAGE=%s%d x\nPRIORITY=6\n\n",
			1764000000000000+i*1000, 1000+i*1000, tally.Prefix, i)
	}
	cmd := exec.Command(write, "-o", filepath.Join(journal, "system.journal"), "-")
	cmd.Stdin = strings.NewReader(entries.String())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))

	site.Agent.Env["LOGSEAL_RECEIVERS"] = "[journald]"
	site.Agent.Env["LOGSEAL_JOURNAL_DIR"] = journal
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
	require.LessOrEqual(t, tally.Duplicates, 11*(kills+1), "a start repeats one entry, and a kill the requests in flight, one of each of 10 senders")
}
